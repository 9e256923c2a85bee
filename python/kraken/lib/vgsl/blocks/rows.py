"""LSTMs over the rows or columns of pages on processors: part by part, in as many threads as torch may use.

A page has a sequence for each of its rows or columns. One step of them all is little work, which threads
hardly share; the sequences themselves have nothing to do with each other. And what the backward pass needs of
an LSTM takes many times the memory of its input and output, so it is computed anew for one part after the
other (Chen et al., "Training deep nets with sublinear memory cost", 2016). Neither parts nor results depend
on the number of threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from kraken.lib.vgsl.blocks.lstms import runner
from kraken.lib.vgsl.blocks.threads import in_threads

__all__ = ["run_rows", "suits"]

#: steps of all sequences of a part
_PART = 8_000
#: sequences that our kernel computes side by side
_TOGETHER = 6

Part = tuple[int, slice]


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
        ctx.runner, ctx.columns = runner(lstm, x), columns
        run = ctx.runner(weights)
        inference = torch.is_inference_mode_enabled()
        rows = _sequences(x, columns)
        y = x.new_empty((*rows.shape[:3], lstm.hidden_size * (1 + lstm.bidirectional)), dtype=run.dtype)

        def forward(part: Part) -> None:
            with torch.inference_mode(inference), torch.no_grad():
                y[part] = run.forward(rows[part].contiguous())

        deque(in_threads(forward, _parts(rows)), maxlen=0)
        return _image(y, columns)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        run = ctx.runner(weights)
        rows, grads = _sequences(x, ctx.columns), _sequences(grad, ctx.columns)
        grad_x = rows.new_empty(rows.shape) if ctx.needs_input_grad[2] else None

        def backward(part: Part) -> Sequence[Tensor]:
            target = None if grad_x is None else grad_x[part]
            return run.backward(rows[part].contiguous(), grads[part].contiguous(), target)  # type: ignore[no-any-return]

        found = zip(*in_threads(backward, _parts(rows)), strict=True)
        summed = [torch.stack(parts).sum(0) for parts in found]
        return None, None, None if grad_x is None else _image(grad_x, ctx.columns), *summed


def _parts(x: Tensor) -> list[Part]:
    """Parts of rows (N, rows, steps, C) of about the same size."""
    rows, steps = x.shape[1:3]
    count = max(1, -(-rows * steps // _PART))
    size = -(-rows // (count * _TOGETHER)) * _TOGETHER
    return [(n, slice(row, min(row + size, rows))) for n in range(len(x)) for row in range(0, rows, size)]
