"""The order in which samples are seen: the same in every run with the same seed, resumed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from typing import Any

import torch
from torch.utils.data import Sampler, Subset

__all__ = ["EpochSampler", "WidthBatchSampler"]

#: how many batches are sorted by width together: enough to find neighbours of equal width,
#: few enough that batches stay a random mixture
_POOL = 32


def _shuffled(count: int, seed: int, epoch: int) -> list[int]:
    """A random order that depends on seed and epoch only."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


class EpochSampler(Sampler[int]):
    """Shuffles anew in each epoch, whatever happened before.

    Args:
        data: What to sample from.
        seed: Seed of the run.
        epoch: Gives the number of the epoch. (Lightning's own way to tell samplers is wrong in the
            first epoch of a resumed run.)
    """

    def __init__(self, data: Sized, seed: int, epoch: Callable[[], int]) -> None:
        self.count = len(data)
        self.seed = seed
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        yield from _shuffled(self.count, self.seed, self.epoch())

    def __len__(self) -> int:
        return self.count


class WidthBatchSampler(Sampler[list[int]]):
    """Batches of lines of similar width, as many as fit in a number of pixels.

    Every line is in one batch of each epoch.

    Args:
        data: Subset of a data set of lines.
        budget: Largest number of pixels (height × widest line × lines) of a batch; one line is
            always allowed.
        height: Height of the network's input.
        padding: Columns added at each end of a line.
        seed: Seed of the run.
        epoch: Gives the number of the epoch.
    """

    def __init__(
        self,
        data: Subset[Any],
        budget: int,
        height: int,
        padding: int,
        seed: int,
        epoch: Callable[[], int],
    ) -> None:
        dataset: Any = data.dataset
        self.height = max(1, height)
        self.columns = max(1, budget // self.height)
        self.widths = []
        for index in data.indices:
            width, rows = dataset.size_of(index)
            scaled = width * self.height / max(1, rows) if height > 1 else width
            self.widths.append(max(1, round(scaled)) + 2 * padding)
        self.seed = seed
        self.epoch = epoch
        self.batch_size = 1
        self.drop_last = False
        self._made: tuple[int, list[list[int]]] | None = None

    def _batches(self) -> list[list[int]]:
        epoch = self.epoch()
        if self._made is not None and self._made[0] == epoch:
            return self._made[1]
        order = _shuffled(len(self.widths), self.seed, epoch)
        mean = sum(self.widths) / max(1, len(self.widths))
        pool = max(1, int(_POOL * self.columns / max(1.0, mean)))
        found: list[list[int]] = []
        for start in range(0, len(order), pool):
            found += self._pack(sorted(order[start : start + pool], key=self.widths.__getitem__))
        shuffled = [found[i] for i in _shuffled(len(found), self.seed + 1, epoch)]
        self._made = epoch, shuffled
        return shuffled

    def _pack(self, ordered: list[int]) -> list[list[int]]:
        """Batches of lines in ascending width."""
        batches: list[list[int]] = []
        batch: list[int] = []
        for index in ordered:
            if batch and self.widths[index] * (len(batch) + 1) > self.columns:
                batches.append(batch)
                batch = []
            batch.append(index)
        return [*batches, batch] if batch else batches

    def __iter__(self) -> Iterator[list[int]]:
        yield from self._batches()

    def __len__(self) -> int:
        return len(self._batches())
