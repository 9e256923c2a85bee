"""Bindings of the kernels in ``kraken-core``, module ``image``."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

__all__ = [
    "draw_line",
    "draw_polygon",
    "edge_energy",
    "encode_png",
    "fill_holes",
    "gaussian_filter",
    "label",
    "layout_target",
    "max_filter",
    "maximum_filter",
    "measure_centre",
    "minimum_filter",
    "nlbin",
    "percentile_filter",
    "polygon_mask",
    "resample_cubic",
    "rescale_to_height",
    "ridge_strength",
    "thin",
    "uniform_filter",
]

def edge_energy(image: npt.NDArray[np.uint8], num_threads: int = 1) -> npt.NDArray[np.float32]:
    """Smoothed Sobel magnitude of a C-contiguous grey image (H, W), same shape."""

def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """An image (H, W) or (H, W, C) of 1 to 4 channels as a PNG file."""

def ridge_strength(
    data: npt.NDArray[np.float32], sigmas: Sequence[float], floor: float = 0.0, threads: int = 0
) -> npt.NDArray[np.float32]: ...
def label(mask: npt.NDArray[np.uint8], connectivity: int) -> tuple[npt.NDArray[np.uint32], int]: ...
def fill_holes(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]: ...
def thin(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]: ...
def max_filter(data: npt.NDArray[np.float32], rx: int, ry: int) -> npt.NDArray[np.float32]: ...
def measure_centre(
    line: NDArray[np.float64], across: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[NDArray[np.int64], float]: ...
def polygon_mask(polygon: Sequence[tuple[float, float]], width: int, height: int) -> NDArray[np.uint8]: ...
def rescale_to_height(image: NDArray[np.float32], height: int, outside: float) -> NDArray[np.float32]: ...

_Points = Sequence[tuple[float, float]]

def draw_polygon(ring: _Points, width: int, height: int) -> NDArray[np.uint8]: ...
def draw_line(
    line: _Points, line_width: float, width: int, height: int, square_caps: bool = False
) -> NDArray[np.uint8]: ...
def layout_target(
    shape: Sequence[int],
    lines: Sequence[tuple[int, _Points]],
    areas: Sequence[tuple[int, _Points]],
    line_width: float,
) -> NDArray[np.uint8]: ...

_Grey = NDArray[np.float64]
_Size = tuple[int, int]

def nlbin(
    image: npt.NDArray[np.uint8],
    threshold: float,
    zoom: float,
    escale: float,
    border: float,
    perc: float,
    range: int,
    low: float,
    high: float,
    threads: int = 1,
) -> npt.NDArray[np.uint8]: ...
def gaussian_filter(
    data: _Grey, sigmas: tuple[float, float], orders: _Size = ..., threads: int = 1
) -> _Grey: ...
def uniform_filter(data: _Grey, size: _Size, threads: int = 1) -> _Grey: ...
def maximum_filter(data: _Grey, size: _Size, threads: int = 1) -> _Grey: ...
def minimum_filter(data: _Grey, size: _Size, threads: int = 1) -> _Grey: ...
def percentile_filter(data: _Grey, size: _Size, percentile: float, threads: int = 1) -> _Grey: ...
def resample_cubic(
    data: _Grey, rows: Sequence[float], columns: Sequence[float], threads: int = 1
) -> _Grey: ...
