"""LSTMs over the rows or columns of pages on processors: part by part, in as many threads as torch may use.

A page has a sequence for each of its rows or columns. One step of them all is little work, which threads
hardly share; the sequences themselves have nothing to do with each other. And what the backward pass needs of
an LSTM takes many times the memory of its input and output, so it is computed anew for one part after the
other (Chen et al., "Training deep nets with sublinear memory cost", 2016). Neither parts nor results depend
on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["run_rows", "suits"]

#: steps of all sequences of a part
_PART = 8_000

Part = tuple[int, slice]
Result = TypeVar("Result")


def suits(lstm: nn.Module, x: Tensor) -> bool:
    """Whether :func:`run_rows` can stand for an LSTM over the rows or columns of (N, C, H, W)."""
    return (
        type(lstm) is nn.LSTM
        and x.device.type == "cpu"
        and x.shape[1] == lstm.input_size  # the layer itself says what is wrong otherwise
        and x.numel() > _PART * x.shape[1]
        and not torch.compiler.is_compiling()
    )


def run_rows(lstm: nn.LSTM, x: Tensor, *, columns: bool) -> Tensor:
    """Outputs (N, C', H, W) of a layer of LSTMs that run along the rows or columns of (N, C, H, W)."""
    weights = cast("list[Tensor]", lstm._flat_weights)
    # the tensor itself, as what is kept of it depends on what has made it
    return cast(Tensor, _Rows.apply(lstm, columns, x, *weights))


def _sequences(x: Tensor, columns: bool) -> Tensor:
    """The same numbers, or those of a gradient, as (N, rows, steps, C)."""
    return x.permute(0, 3, 2, 1) if columns else x.permute(0, 2, 3, 1)


def _image(y: Tensor, columns: bool) -> Tensor:
    """The other way round."""
    return y.permute(0, 3, 2, 1) if columns else y.permute(0, 3, 1, 2)


class _Rows(torch.autograd.Function):
    """The LSTM and its gradients."""

    @staticmethod
    def forward(ctx: Any, lstm: nn.LSTM, columns: bool, x: Tensor, *weights: Tensor) -> Tensor:
        ctx.save_for_backward(x, *weights)
        ctx.run = run = _Run(lstm)
        ctx.columns = columns
        inference = torch.is_inference_mode_enabled()
        rows = _sequences(x, columns)
        dtype = run.dtype if run.autocast else x.dtype
        y = x.new_empty((*rows.shape[:3], lstm.hidden_size * (1 + lstm.bidirectional)), dtype=dtype)

        def forward(part: Part) -> None:
            with torch.inference_mode(inference), torch.no_grad():
                # not as in training, since nothing is kept for gradients
                y[part] = run(rows[part].contiguous(), weights, train=False)

        _in_threads(forward, _parts(rows))
        return _image(y, columns)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        rows, grads = _sequences(x, ctx.columns), _sequences(grad, ctx.columns)
        grad_x = rows.new_empty(rows.shape) if ctx.needs_input_grad[2] else None

        def backward(part: Part) -> Sequence[Tensor]:
            with torch.enable_grad():
                # all anew, as threads must not share what gradients are summed in
                leaves = [leaf.detach().requires_grad_() for leaf in (rows[part].contiguous(), *weights)]
                y = ctx.run(leaves[0], leaves[1:], train=True)
            first = int(grad_x is None)
            found = torch.autograd.grad(y, leaves[first:], grads[part].contiguous())
            if grad_x is not None:
                grad_x[part] = found[0]
            return found[1 - first :]

        summed = [
            torch.stack(found).sum(0) for found in zip(*_in_threads(backward, _parts(rows)), strict=True)
        ]
        return None, None, None if grad_x is None else _image(grad_x, ctx.columns), *summed


class _Run:
    """Runs a layer on sequences (rows, steps, C) in any thread, in the precision that its maker ran in."""

    def __init__(self, lstm: nn.LSTM) -> None:
        self.lstm = lstm
        self.autocast = torch.is_autocast_enabled("cpu")
        self.dtype = torch.get_autocast_dtype("cpu")

    def __call__(self, x: Tensor, weights: Sequence[Tensor], *, train: bool) -> Tensor:
        lstm = self.lstm
        state = x.new_zeros((1 + lstm.bidirectional, len(x), lstm.hidden_size))
        with torch.autocast("cpu", dtype=self.dtype, enabled=self.autocast):
            return torch.lstm(
                x,
                (state, state),
                list(weights),
                lstm.bias,
                num_layers=1,
                dropout=0.0,
                train=train,
                bidirectional=lstm.bidirectional,
                batch_first=True,
            )[0]


def _parts(x: Tensor) -> list[Part]:
    """Parts of rows (N, rows, steps, C) of about the same size."""
    rows, steps = x.shape[1:3]
    count = max(1, -(-rows * steps // _PART))
    size = -(-rows // count)
    return [(n, slice(row, min(row + size, rows))) for n in range(len(x)) for row in range(0, rows, size)]


def _in_threads(run: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """What a function gives for each part; every thread computes by itself."""
    allowed = torch.get_num_threads()
    threads = min(allowed, len(parts))
    if threads < 2:
        return [run(part) for part in parts]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(run, parts))
    finally:
        # the number is one of each thread, but the last one set also counts for new threads
        torch.set_num_threads(allowed)
