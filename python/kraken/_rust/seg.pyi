"""Bindings of the kernels in ``kraken-core``, module ``seg``."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "boundary_tracing",
    "line_middle",
    "order_boxes",
    "order_lines",
    "polygon_centroid",
    "strictly_contains",
    "topsort",
    "vectorise_lines",
    "vectorise_regions",
]

def vectorise_lines(
    heatmap: npt.NDArray[np.float32], threshold: float, min_length: float, vertical: bool, threads: int = 0
) -> list[list[list[int]]]: ...
def vectorise_regions(heatmap: npt.NDArray[np.float32], threshold: float) -> list[list[list[int]]]: ...
def boundary_tracing(pixels: Sequence[Sequence[int]]) -> list[list[int]]: ...
def order_boxes(
    boxes: Sequence[tuple[float, float, float, float]], direction: str, threads: int = 0
) -> list[int]: ...
def order_lines(
    lines: Sequence[Sequence[tuple[float, float]]],
    regions: Sequence[Sequence[tuple[float, float]]],
    direction: str,
    threads: int = 0,
) -> list[int]: ...
def topsort(order: npt.NDArray[np.bool_]) -> list[int]: ...
def line_middle(line: Sequence[tuple[float, float]]) -> list[float] | None: ...
def polygon_centroid(ring: Sequence[tuple[float, float]]) -> list[float] | None: ...
def strictly_contains(ring: Sequence[tuple[float, float]], point: Sequence[float]) -> bool: ...
