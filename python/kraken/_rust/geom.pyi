"""Bindings of the kernels in ``kraken-core``, module ``geom``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["clean_sections", "plain_points", "section_lists", "sections"]

_Point = tuple[float, float]

def sections(
    baseline: NDArray[np.float64], boundary: NDArray[np.float64], cuts: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], float]: ...
def section_lists(
    baseline: NDArray[np.float64], boundary: NDArray[np.float64], cuts: NDArray[np.float64]
) -> list[Any]:
    """Per pair of distances a tuple of four points or, where the polygon is missed, a list of two."""

def plain_points(points: object) -> NDArray[np.float64] | None:
    """Array (n, 2) of a list or tuple of pairs of Python's own numbers; ``None`` for all else."""

def clean_sections(
    baseline: NDArray[np.float64], boundary: NDArray[np.float64], cuts: NDArray[np.float64]
) -> list[list[_Point]]: ...
