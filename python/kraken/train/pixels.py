"""Agreement of predicted maps with the ground truth, pixel by pixel, summed over pages."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["PixelCounts"]

_EPS = torch.finfo(torch.float32).eps


class PixelCounts:
    """Counts of right and wrong pixels of some channels.

    Args:
        aux: Auxiliary channels.
        regions: Channels of regions.

    Attributes:
        channels: All of these in ascending order: the order of results per class.
    """

    def __init__(self, aux: Sequence[int], regions: Sequence[int]) -> None:
        self.channels = sorted({*aux, *regions})
        self.regions = list(regions)
        size = len(self.channels)
        self._both, self._found, self._true = (torch.zeros(size, dtype=torch.int64) for _ in range(3))
        self._pixels = 0
        self._region_both = self._region_any = 0

    def add(self, output: Tensor, target: Tensor) -> None:
        """Counts pages.

        Args:
            output: Probabilities (N, C, H, W); 0.5 and more counts as found.
            target: 0 or 1, the same shape.
        """
        if not self.channels:
            return
        found, true = output[:, self.channels] >= 0.5, target[:, self.channels] >= 0.5
        for counts, mask in ((self._both, found & true), (self._found, found), (self._true, true)):
            counts += mask.sum((0, 2, 3)).cpu()
        self._pixels += found[:, 0].numel()
        if self.regions:
            any_found = (output[:, self.regions] >= 0.5).any(1)
            any_true = (target[:, self.regions] >= 0.5).any(1)
            self._region_both += int((any_found & any_true).sum())
            self._region_any += int((any_found | any_true).sum())

    @property
    def _union(self) -> Tensor:
        return self._found + self._true - self._both

    def accuracy(self) -> Tensor:
        """Share of right pixels per channel."""
        wrong = self._union - self._both
        return 1 - wrong.double() / max(1, self._pixels)

    def smoothed_iu(self) -> Tensor:
        """Intersection over union per channel, 1 where there is nothing."""
        return (self._both.double() + _EPS) / (self._union.double() + _EPS)

    def weighted(self, values: Tensor) -> Tensor:
        """Mean over the channels, weighted by the pixels of the ground truth; 0 if there are none."""
        return (self._true.double() * values).sum() / self._true.sum().clamp(min=1)

    def region_iu(self) -> Tensor | None:
        """Intersection over union of all regions together, None without regions."""
        if not self.regions:
            return None
        return torch.tensor((self._region_both + _EPS) / (self._region_any + _EPS), dtype=torch.float64)

    def summary(self) -> dict[str, float]:
        """Figures of a validation; channels in which there is nothing don't enter the mean of the overlap."""
        accuracy = float(self.accuracy().mean()) if self.channels else 1.0
        overlap = self._both.double() / self._union.clamp(min=1)
        present = self._union > 0
        return {
            "val_accuracy": accuracy,
            "val_mean_acc": accuracy,
            "val_mean_iu": float(overlap[present].mean()) if bool(present.any()) else 0.0,
            "val_freq_iu": float(self.weighted(overlap)),
        }
