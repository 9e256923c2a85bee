"""Bindings of the kernels in ``kraken-core``, module ``image``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def measure_centre(
    line: NDArray[np.float64], across: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[NDArray[np.int64], float]: ...
def polygon_mask(polygon: Sequence[tuple[float, float]], width: int, height: int) -> NDArray[np.uint8]: ...
def rescale_to_height(image: NDArray[np.float32], height: int, outside: float) -> NDArray[np.float32]: ...
