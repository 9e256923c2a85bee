"""Parts of a layer's work on processors, each computed by one thread from beginning to end.

Operations that share their work between threads wait for each other after every one of them. Parts that have
nothing to do with each other needn't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

__all__ = ["in_threads"]

Part = TypeVar("Part")
Result = TypeVar("Result")


def in_threads(run: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """Yields what a function gives for each part, in order, in as many threads as torch may use.

    In each of them torch uses one. The number has to be asked for once only: at the end it's as before.
    """
    allowed = torch.get_num_threads()
    threads = min(allowed, len(parts))
    if threads < 2:
        yield from map(run, parts)
        return
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(run, parts)
    finally:
        # the number is one of each thread, but the last one set also counts for new threads
        torch.set_num_threads(allowed)
