"""What recognition networks are trained by: places of letters first, then CTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["ctc_loss", "placed_loss"]


def placed_loss(logits: Tensor, labels: Sequence[Tensor], middles: Sequence[Any], width: int) -> Tensor:
    """Cross entropy of every output column (N, C, T) with the letter whose middle lies there, or blank.

    Args:
        logits: The network's output.
        labels: Labels of each line.
        middles: x of each letter's middle (array or tensor) in pixels of the network's input.
        width: Width of the input.
    """
    n, _, columns = logits.shape
    target = torch.zeros(n, columns, dtype=torch.long)
    for row, symbols, xs in zip(target, labels, middles, strict=True):
        row[torch.as_tensor(xs * columns / width).long().clamp(0, columns - 1)] = symbols
    return functional.cross_entropy(logits, target, reduction="sum") / sum(map(len, labels))


def ctc_loss(logits: Tensor, labels: Sequence[Tensor]) -> Tensor:
    """CTC loss of (N, C, T) logits per letter."""
    scores = logits.permute(2, 0, 1).log_softmax(2)
    lengths = torch.tensor([len(x) for x in labels])
    columns = torch.full((len(labels),), scores.shape[0])
    loss = functional.ctc_loss(
        scores, torch.cat(list(labels)), columns, lengths, reduction="sum", zero_infinity=True
    )
    return loss / lengths.sum()
