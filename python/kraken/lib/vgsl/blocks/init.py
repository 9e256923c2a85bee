"""Initial weights (spec chapter models §2.8) and growing or shrinking of output layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import init

T = TypeVar("T", bound=nn.Module)

_SKIP: ContextVar[bool] = ContextVar("kraken_skip_initialisation", default=False)


@contextmanager
def without_initialisation() -> Iterator[None]:
    """Networks built inside have undefined weights: for loaders, which overwrite all of them."""
    token = _SKIP.set(True)
    try:
        yield
    finally:
        _SKIP.reset(token)


def initialisation_skipped() -> bool:
    """Whether :func:`without_initialisation` is in force."""
    return _SKIP.get()


def constructed(factory: Callable[[], T]) -> T:
    """Module of a factory, without reserving time for its weights if they are to be overwritten."""
    if not _SKIP.get():
        return factory()
    with torch.device("meta"):
        module = factory()
    # `to_empty` goes through code that imports a computer algebra system, for half a second.
    module._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu"))  # type: ignore[no-untyped-call]
    return module


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Draw initial weights for a module and everything in it."""
    for m in module.modules():
        if isinstance(m, nn.Linear):
            init.xavier_uniform_(m.weight)
            if m.bias is not None:
                init.zeros_(m.bias)
        elif isinstance(m, nn.Conv2d | nn.ConvTranspose2d):
            init.uniform_(m.weight, -0.1, 0.1)
            if m.bias is not None:
                init.uniform_(m.bias, -0.1, 0.1)
        elif isinstance(m, nn.GroupNorm):
            init.ones_(m.weight)
            init.zeros_(m.bias)
        elif hasattr(m, "weight_ih_l0"):
            _initialise_lstm(m)


def _initialise_lstm(lstm: nn.Module) -> None:
    """Orthogonal matrices; the forget gate (second quarter of a bias vector) starts open."""
    for param in lstm.parameters(recurse=False):
        if param.dim() == 2:
            init.orthogonal_(param)
        elif param.dim() == 1 and len(param) == 4 * lstm.hidden_size:  # type: ignore[operator]
            n = len(param) // 4
            param[n : 2 * n].fill_(1.0)


@torch.no_grad()
def resize_rows(
    weight: Tensor, bias: Tensor | None, size: int, del_indices: Sequence[int] | None, dim: int = 0
) -> tuple[nn.Parameter, nn.Parameter | None]:
    """New weight and bias of an output layer with `size` rows.

    Args:
        weight: Old weight; rows are counted along `dim`.
        bias: Old bias or None.
        size: Number of rows wanted.
        del_indices: Old rows to drop; the others are kept in order.
        dim: Dimension of `weight` that holds the rows.

    Returns:
        Kept rows, then new ones (Xavier-uniform weight, zero bias).

    Raises:
        ValueError: More rows are kept than wanted, or an index doesn't exist.
    """
    old = weight.shape[dim]
    dropped = set(del_indices or ())
    if unknown := sorted(i for i in dropped if not 0 <= i < old):
        raise ValueError(f"Output rows {unknown} can't be deleted: the layer has rows 0 to {old - 1}.")
    kept = [i for i in range(old) if i not in dropped]
    if size < max(1, len(kept)):
        raise ValueError(
            f"Output layer can't shrink to {size} rows: {len(kept)} of {old} rows are kept; "
            "name the rows to drop in `del_indices`."
        )
    shape = list(weight.shape)
    shape[dim] = size
    new_weight = weight.new_empty(shape)
    # bounds of the complete layer, as if all of it were new
    init.xavier_uniform_(new_weight)
    index = torch.tensor(kept, dtype=torch.long, device=weight.device)
    new_weight.narrow(dim, 0, len(kept)).copy_(weight.index_select(dim, index))
    if bias is None:
        return nn.Parameter(new_weight), None
    new_bias = bias.new_zeros(size)
    new_bias[: len(kept)] = bias[index]
    return nn.Parameter(new_weight), nn.Parameter(new_bias)
