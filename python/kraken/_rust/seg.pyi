"""Bindings of the kernels in ``kraken-core``, module ``seg``."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Element = TypeVar("_Element", np.uint8, np.float32)
_Points = Sequence[tuple[float, float]]

def check_line(
    baseline: _Points, boundary: _Points, page_size: tuple[int, int]
) -> tuple[int, int, int, int]: ...
def extract_line(
    patch: NDArray[_Element],
    baseline: _Points,
    boundary: _Points,
    page_size: tuple[int, int],
    *,
    nearest: bool = False,
    alpha: bool = False,
    legacy: bool = False,
) -> NDArray[_Element]: ...
def extract_lines(
    page: NDArray[_Element],
    lines: Sequence[tuple[_Points, _Points]],
    *,
    nearest: bool = False,
    alpha: bool = False,
    legacy: bool = False,
    num_threads: int = 0,
) -> list[NDArray[_Element] | str]: ...
