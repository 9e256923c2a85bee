"""Memory of training steps: what is cheap to compute again isn't kept for the backward pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from kraken.lib.vgsl.blocks import GroupNorm

__all__ = ["recomputed_norms"]

#: values from which on an output is worth it
_MIN_SIZE = 1 << 16


class _Recipe:
    """How to make a normalised tensor again from what normalisation keeps anyway."""

    def __init__(self, layer: GroupNorm, x: Tensor) -> None:
        self.layer = layer
        self.x = x

    def make(self) -> Tensor:
        """The tensor."""
        with torch.no_grad():
            y: Tensor = self.layer(self.x)[0]
        return y


@contextmanager
def recomputed_norms(net: nn.Module) -> Iterator[None]:
    """While active, layers of a network don't keep inputs that a group normalisation has made.

    In the backward pass they are computed from the input of the normalisation, which is kept for its own
    gradient. Gradients are the same. A network for pages needs a third less memory so.

    Args:
        net: The network, without padding of shorter samples in its batches.
    """
    made: dict[int, tuple[weakref.ref[Tensor], _Recipe]] = {}

    def note(layer: Any, args: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
        if len(args) < 2 or args[1] is None:
            y = output[0]
            if y.numel() >= _MIN_SIZE:
                made[id(y)] = (weakref.ref(y), _Recipe(layer, args[0].detach()))

    def pack(tensor: Tensor) -> Tensor | _Recipe:
        found = made.get(id(tensor))
        # an id may belong to another object by now
        return found[1] if found is not None and found[0]() is tensor else tensor

    def unpack(packed: Tensor | _Recipe) -> Tensor:
        return packed.make() if isinstance(packed, _Recipe) else packed

    handles: list[Any] = [
        module.register_forward_hook(note) for module in net.modules() if isinstance(module, GroupNorm)
    ]
    hooks: Callable[..., Any] = torch.autograd.graph.saved_tensors_hooks
    try:
        with hooks(pack, unpack):
            yield
    finally:
        for handle in handles:
            handle.remove()
