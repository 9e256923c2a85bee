"""How the machine is set up for training: memory of the C library and tiny numbers."""

from __future__ import annotations

import ctypes
import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["LINES", "PAGES", "denormals_flushed", "keep_freed_memory"]

logger = logging.getLogger("kraken")

# parameters of mallopt(3) in glibc
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8


#: Blocks of memory up to this size stay with the process when they are freed.
LINES, PAGES = 1 << 28, 1 << 25


def keep_freed_memory(largest: int = LINES) -> bool:
    """Lets freed memory stay with the process instead of going back to the system.

    The activations of a training step are freed and asked for again in every step; with glibc's
    defaults the system hands out fresh pages filled with zeros each time, which takes about a fifth of
    the time of a step on CPUs. What is kept is in pieces, though: among blocks as large as those of layout
    networks a third more than is needed.

    Args:
        largest: Larger blocks, in bytes, go back at once.

    Returns:
        Whether the C library can be told so.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    wishes = (
        (_M_MMAP_THRESHOLD, largest),
        (_M_TRIM_THRESHOLD, 2**31 - 1),
        (_M_TOP_PAD, 1 << 26),
        (_M_ARENA_MAX, 1),  # what one thread has freed is for all
    )
    granted = [bool(mallopt(name, value)) for name, value in wishes]
    logger.debug("Freed memory is kept: %s", granted)
    return all(granted)


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
