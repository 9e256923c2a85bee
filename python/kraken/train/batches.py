"""The order in which samples are seen: the same in every run with the same seed, resumed or not.

A run that is resumed in the middle of an epoch sees the rest of that epoch's samples. Nothing of this needs
recorded states: the order depends on the run's seed and the number of the epoch only, and the number of
batches that are done is known to the trainer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sized
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Sampler, Subset
from torch.utils.data.distributed import DistributedSampler

__all__ = ["EpochSampler", "Progress", "RankSampler", "ResumableLoader", "WidthBatchSampler"]

#: how many batches are sorted by width together: enough to find neighbours of equal width,
#: few enough that batches stay a random mixture
_POOL = 32


def _shuffled(count: int, seed: int, epoch: int) -> list[int]:
    """A random order that depends on seed and epoch only."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


def _ranks() -> tuple[int, int]:
    """Number of this process among those that train together, and how many these are."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def _share(items: list[Any], rank: int, count: int) -> list[Any]:
    """Every process's part, all equally long: the last ones see some of the first items, too."""
    if count == 1 or not items:
        return items
    missing = -len(items) % count
    return list(itertools.islice(itertools.cycle(items), len(items) + missing))[rank::count]


def _none_done() -> int:
    return 0


class Progress(Protocol):
    """What a loader asks the trainer module: where training stands."""

    def batches_done(self) -> int:
        """Batches of the current epoch that were seen already."""

    def seed_batch(self, number: int) -> None:
        """Seeds all generators of random numbers for a batch of the current epoch."""


class ResumableLoader(DataLoader[Any]):
    """Loader that starts where training stands, with the random numbers that belong there.

    It looks where that is when its first batch is wanted, not before: lightning asks for the iterator when
    the state of a resumed run isn't complete yet.

    Attributes:
        progress: Where training stands; None for nowhere.
    """

    progress: Progress | None = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        progress = self.progress
        if progress is None:
            yield from super().__iter__()
            return
        first = progress.batches_done()
        # loader processes get their seed when they start
        progress.seed_batch(0)
        batches = super().__iter__()
        for number in itertools.count(first):
            progress.seed_batch(number)
            try:
                batch = next(batches)
            except StopIteration:
                return
            yield batch


class EpochSampler(DistributedSampler[Any]):
    """Shuffles anew in each epoch, whatever happened before.

    Args:
        data: What to sample from.
        seed: Seed of the run.
        epoch: Gives the number of the epoch. (Lightning's own way to tell samplers is wrong in the
            first epoch of a resumed run.)
        done: Gives the number of samples that this process has seen in this epoch.
    """

    def __init__(
        self, data: Sized, seed: int, epoch: Callable[[], int], done: Callable[[], int] = _none_done
    ) -> None:
        rank, count = _ranks()
        # the class tells lightning that samples are distributed already
        super().__init__(data, num_replicas=count, rank=rank, shuffle=False)  # type: ignore[arg-type]
        self.count = len(data)
        self.run_seed = seed
        self.current = epoch
        self.done = done

    def __iter__(self) -> Iterator[int]:
        order = _shuffled(self.count, self.run_seed, self.current())
        yield from _share(order, self.rank, self.num_replicas)[self.done() :]

    def __len__(self) -> int:
        return -(-self.count // self.num_replicas)


class RankSampler(DistributedSampler[Any]):
    """A process's part of the samples, in order and each once: for evaluations whose counts are summed up.

    Args:
        data: What to sample from.
    """

    def __init__(self, data: Sized) -> None:
        rank, count = _ranks()
        super().__init__(data, num_replicas=count, rank=rank, shuffle=False)  # type: ignore[arg-type]
        self.indices = range(rank, len(data), count)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


class WidthBatchSampler(Sampler[list[int]]):
    """Batches of lines of similar width, as many as fit in a number of pixels.

    Every line is in one batch of each epoch, and all epochs have the same number of batches, on which
    schedules and lightning rely.

    Args:
        data: Subset of a data set of lines.
        budget: Largest number of pixels (height × widest line × lines) of a batch; one line is
            always allowed.
        height: Height of the network's input.
        padding: Columns added at each end of a line.
        seed: Seed of the run.
        epoch: Gives the number of the epoch.
        done: Gives the number of batches that this process has seen in this epoch.
    """

    def __init__(
        self,
        data: Subset[Any],
        budget: int,
        height: int,
        padding: int,
        seed: int,
        epoch: Callable[[], int],
        done: Callable[[], int] = _none_done,
    ) -> None:
        dataset: Any = data.dataset
        self.height = max(1, height)
        self.columns = max(1, budget // self.height)
        self.widths: list[int] = []
        for index in data.indices:
            width, rows = dataset.size_of(index)
            scaled = width * self.height / max(1, rows) if height > 1 else width
            self.widths.append(max(1, round(scaled)) + 2 * padding)
        self.seed = seed
        self.epoch = epoch
        self.done = done
        self.rank, self.num_replicas = _ranks()
        self.batch_size = 1
        self.drop_last = False
        self._made: tuple[int, list[list[int]]] | None = None
        self.count = len(self._packed(0))

    def _batches(self) -> list[list[int]]:
        epoch = self.epoch()
        if self._made is None or self._made[0] != epoch:
            found = self._resized(self._packed(epoch))
            order = _shuffled(len(found), self.seed + 1, epoch)
            self._made = epoch, [found[i] for i in order]
        return self._made[1]

    def _packed(self, epoch: int) -> list[list[int]]:
        """Batches of an epoch, the pools one after the other."""
        order = _shuffled(len(self.widths), self.seed, epoch)
        mean = sum(self.widths) / max(1, len(self.widths))
        pool = max(1, int(_POOL * self.columns / max(1.0, mean)))
        found: list[list[int]] = []
        for start in range(0, len(order), pool):
            found += self._pack(sorted(order[start : start + pool], key=self.widths.__getitem__))
        return found

    def _columns_of(self, batch: list[int]) -> int:
        return len(batch) * max(self.widths[i] for i in batch)

    def _resized(self, batches: list[list[int]]) -> list[list[int]]:
        """As many batches as the first epoch has: the largest are halved, the smallest united.

        A batch united of two may be beyond the budget if all are nearly full.
        """
        batches = list(batches)
        while len(batches) < self.count:
            batch = max((b for b in batches if len(b) > 1), key=self._columns_of)
            batches.remove(batch)
            batches += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
        while len(batches) > self.count:
            batches.sort(key=self._columns_of, reverse=True)
            last = batches.pop()
            batches[-1] = batches[-1] + last
        return batches

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
        yield from _share(self._batches(), self.rank, self.num_replicas)[self.done() :]

    def __len__(self) -> int:
        return -(-self.count // self.num_replicas)
