"""How the machine is set up for training: memory of the C library and tiny numbers."""

from __future__ import annotations

import ctypes
import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

__all__ = ["denormals_flushed", "is_scarce", "set_up_memory"]

logger = logging.getLogger("kraken")

# parameters of mallopt(3) in glibc
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8


#: What glibc is told: blocks up to this size come from one pool, which gives so much free memory at its end
#: back and grows by so much, and of which there is one for all threads.
_KEEPING = (
    (_M_MMAP_THRESHOLD, 1 << 28),
    (_M_TRIM_THRESHOLD, 2**31 - 1),
    (_M_TOP_PAD, 1 << 26),
    (_M_ARENA_MAX, 1),
)
_RETURNING = (
    (_M_MMAP_THRESHOLD, 1 << 24),
    (_M_TRIM_THRESHOLD, 1 << 26),
    (_M_TOP_PAD, 1 << 24),
    (_M_ARENA_MAX, 1),
)

#: twice what the default network for pages needs with all that is kept, in bytes
_PLENTY = 6_000_000_000


def set_up_memory(*, keep: bool) -> bool:
    """Says what becomes of freed memory: it stays with the process, or large blocks go back to the system.

    The activations of a training step are freed and asked for again in every step; with glibc's defaults the
    system hands out fresh pages filled with zeros each time, which takes about a fifth of the time of a step
    on CPUs. Memory that is kept is in pieces, though: networks for pages, whose blocks are few and large,
    hold up to a half more than they need.

    Args:
        keep: Whether it stays.

    Returns:
        Whether the C library can be told so.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    granted = [bool(mallopt(name, value)) for name, value in (_KEEPING if keep else _RETURNING)]
    logger.debug("Freed memory %s: %s", "is kept" if keep else "goes back", granted)
    return all(granted)


def is_scarce(statistics: Path = Path("/proc/meminfo")) -> bool:
    """Whether less than 6 GB of memory can be had, if the system says so.

    Args:
        statistics: Linux's file on its memory; what caches of files would give up counts as free there.
    """
    try:
        lines = dict(line.split(":", 1) for line in statistics.read_text(encoding="ascii").splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024 < _PLENTY
    except (OSError, ValueError, LookupError):
        return False


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Numbers below the normal range count as zero inside.

    States of recurrent layers and averages of optimisers shrink into that range, in which processors are
    many times slower. Processors that can't do so compute as ever.
    """
    tiny = torch.tensor(1e-39)
    before = not bool(tiny * 1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
