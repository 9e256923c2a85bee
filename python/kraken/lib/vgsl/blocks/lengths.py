"""Sequence lengths in batches of lines padded on the right.

The rule that makes a batch give the results of its single lines: whatever a layer
reads right of a line's end has to be zero, as the padding of the single line is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

Shape = tuple[int, int, int, int]

_KEEP: ContextVar[bool] = ContextVar("kraken_keep_padding", default=False)


@contextmanager
def padding_kept() -> Iterator[None]:
    """What layers leave right of a line's end isn't cleared inside.

    For training steps: existing models were trained so, and it saves a pass over every layer's output.
    """
    token = _KEEP.set(True)
    try:
        yield
    finally:
        _KEEP.reset(token)


def ragged(seq_len: Tensor | None, width: int) -> bool:
    """Whether any sample ends before the last column."""
    return seq_len is not None and bool((seq_len < width).any())


def valid_columns(seq_len: Tensor, width: int, device: torch.device) -> Tensor:
    """Boolean mask (N, 1, 1, W) of the columns that belong to each sample (at least one)."""
    ends = seq_len.clamp(1, width).to(device)
    return (torch.arange(width, device=device) < ends.unsqueeze(1))[:, None, None, :]


def plain(x: Tensor) -> bool:
    """Whether samples can be treated one by one: on a CPU, without gradients, that is faster than masks."""
    return x.device.type == "cpu" and not x.requires_grad and not torch.is_grad_enabled()


def sample_ends(seq_len: Tensor, width: int) -> list[int]:
    """First column beyond each sample (at least 1)."""
    ends: list[int] = seq_len.clamp(1, width).tolist()
    return ends


def zero_tails(x: Tensor, ends: list[int]) -> None:
    """Puts zeros right of each sample's end into `x` (N, …, W)."""
    for row, end in zip(x, ends, strict=True):
        row[..., end:] = 0


def clear_padding(x: Tensor, seq_len: Tensor | None) -> Tensor:
    """`x` (N, C, H, W) with zeros right of each sample's end; `x` itself if nothing is there."""
    if seq_len is None or _KEEP.get() or not ragged(seq_len, x.shape[3]):
        return x
    if plain(x):
        ends = sample_ends(seq_len, x.shape[3])
        if any(row[..., end:].any() for row, end in zip(x, ends, strict=True)):
            x = x.clone()
            zero_tails(x, ends)
        return x
    return x.masked_fill(~valid_columns(seq_len, x.shape[3], x.device), 0)


def strided_length(length: Tensor, kernel: int, stride: int, padding: int, dilation: int) -> Tensor:
    """Output lengths of a convolution or pooling, at least 1."""
    span = length + 2 * padding - dilation * (kernel - 1) - 1
    return torch.div(span, stride, rounding_mode="floor").add(1).clamp(min=1)
