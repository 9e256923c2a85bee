"""Bindings of the kernels in ``kraken-core``, module ``seg``."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["make_valid", "minimal_seam", "polygonise", "region_of_interest"]

_Line = Sequence[Sequence[float]]
_Ring = list[list[int]]

def polygonise(
    energy: npt.NDArray[np.float32],
    lines: Sequence[_Line],
    obstacles: Sequence[_Line],
    special: Sequence[_Line],
    per_line: Sequence[Sequence[int]],
    topline: bool | None,
    num_threads: int,
) -> list[tuple[_Ring | None, str | None]]:
    """Closed ring and problem, if any, of each line; ``energy`` is C-contiguous (H, W)."""

def minimal_seam(cost: npt.NDArray[np.float32]) -> list[int]:
    """Path of least cost along axis 0 of a C-contiguous (columns, rows) matrix."""

def region_of_interest(line: _Line, obstacles: Sequence[_Line], size: Sequence[float]) -> list[list[float]]:
    """Limits above and below a line in every column of its frame, in pixels from its first point."""

def make_valid(ring: _Line, size: Sequence[float]) -> _Ring | None:
    """Closed simple ring of whole pixels inside (width, height); ``None`` if there is no area."""
