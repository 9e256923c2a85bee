"""Bindings of the kernels in ``kraken-core``, module ``image``."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "fill_holes",
    "label",
    "max_filter",
    "ridge_strength",
    "thin",
]

def ridge_strength(
    data: npt.NDArray[np.float32], sigmas: Sequence[float], floor: float = 0.0, threads: int = 0
) -> npt.NDArray[np.float32]: ...
def label(mask: npt.NDArray[np.uint8], connectivity: int) -> tuple[npt.NDArray[np.uint32], int]: ...
def fill_holes(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]: ...
def thin(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]: ...
def max_filter(data: npt.NDArray[np.float32], rx: int, ry: int) -> npt.NDArray[np.float32]: ...
