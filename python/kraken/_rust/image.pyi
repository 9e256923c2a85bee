"""Bindings of the kernels in ``kraken-core``, module ``image``."""

import numpy as np
import numpy.typing as npt

__all__ = ["edge_energy"]

def edge_energy(image: npt.NDArray[np.uint8], num_threads: int = 1) -> npt.NDArray[np.float32]:
    """Smoothed Sobel magnitude of a C-contiguous grey image (H, W), same shape."""
