"""How the machine is set up for training: memory of the C library and tiny numbers."""

from __future__ import annotations

import ctypes
import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["denormals_flushed", "set_up_memory"]

logger = logging.getLogger("kraken")

# parameters of mallopt(3) in glibc
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8

#: What glibc is told: one pool for all threads, which grows by so much and gives nothing back. Blocks larger
#: than a limit don't come from it.
_POOL = ((_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 1 << 26), (_M_ARENA_MAX, 1))
#: the limit in bytes if blocks are small, and if they are large
_SMALL, _LARGE = 1 << 28, 1 << 26


def set_up_memory(*, small_blocks: bool) -> bool:
    """Says what becomes of freed memory: it stays with the process, but for large blocks if there are any.

    The activations of a training step are freed and asked for again in every step; with glibc's defaults the
    system hands out fresh pages filled with zeros each time, which takes about a fifth of the time of a step
    on CPUs. Memory that is kept is in pieces, though: networks for pages, whose blocks are few and large,
    would hold up to a half more than they need.

    Args:
        small_blocks: Whether blocks are so small that freed ones fit the next need. Otherwise those of more
            than 64 MiB go back to the system.

    Returns:
        Whether the C library can be told so.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    limit = _SMALL if small_blocks else _LARGE
    granted = [bool(mallopt(name, value)) for name, value in ((_M_MMAP_THRESHOLD, limit), *_POOL)]
    logger.debug("Freed blocks of up to %d bytes are kept: %s", limit, granted)
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
