"""Bindings of the kernels in ``kraken-core``, module ``geom``."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["clean_sections", "sections"]

_Point = tuple[float, float]

def sections(
    baseline: NDArray[np.float64], boundary: NDArray[np.float64], cuts: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], float]: ...
def clean_sections(
    baseline: NDArray[np.float64], boundary: NDArray[np.float64], cuts: NDArray[np.float64]
) -> list[list[_Point]]: ...
