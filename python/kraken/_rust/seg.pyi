"""Bindings of the kernels in ``kraken-core``, module ``seg``."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

__all__ = [
    "best_assignment",
    "boundary_tracing",
    "check_line",
    "component_boxes",
    "extract_line",
    "extract_line_arrays",
    "extract_line_pngs",
    "extract_lines",
    "filled_boxes",
    "fragment_chains",
    "grow_lines",
    "line_middle",
    "line_pitch",
    "line_seeds",
    "longest_components",
    "make_valid",
    "minimal_seam",
    "order_boxes",
    "order_columns",
    "order_lines",
    "polygon_centroid",
    "polygonise",
    "region_of_interest",
    "script_size",
    "strictly_contains",
    "topsort",
    "vectorise_lines",
    "vectorise_regions",
]

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

def vectorise_lines(
    heatmap: npt.NDArray[np.float32], threshold: float, min_length: float, vertical: bool, threads: int = 0
) -> list[list[list[int]]]: ...
def vectorise_regions(heatmap: npt.NDArray[np.float32], threshold: float) -> list[list[list[int]]]: ...
def boundary_tracing(pixels: Sequence[Sequence[int]]) -> list[list[int]]: ...
def best_assignment(
    found: Sequence[Sequence[tuple[float, float]]],
    truth: Sequence[Sequence[tuple[float, float]]],
    tolerance: float,
    single: bool = False,
) -> float: ...
def order_boxes(
    boxes: Sequence[tuple[float, float, float, float]], direction: str, threads: int = 0
) -> list[int]: ...
def order_lines(
    lines: Sequence[Sequence[tuple[float, float]]],
    regions: Sequence[Sequence[tuple[float, float]]],
    direction: str,
    threads: int = 0,
) -> list[int]: ...
def order_columns(
    lines: Sequence[Sequence[tuple[float, float]]],
    regions: Sequence[Sequence[tuple[float, float]]],
    tables: Sequence[bool],
    flow: str,
    boxes: bool = False,
) -> list[int]: ...
def topsort(order: npt.NDArray[np.bool_]) -> list[int]: ...
def line_middle(line: Sequence[tuple[float, float]]) -> list[float] | None: ...
def polygon_centroid(ring: Sequence[tuple[float, float]]) -> list[float] | None: ...
def strictly_contains(ring: Sequence[tuple[float, float]], point: Sequence[float]) -> bool: ...

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
def extract_line_pngs(
    page: NDArray[np.uint8],
    lines: Sequence[tuple[_Points, _Points]],
    *,
    nearest: bool = False,
    legacy: bool = False,
    num_threads: int = 0,
) -> list[bytes | str]: ...
def extract_line_arrays(
    page: NDArray[np.uint8],
    lines: Sequence[tuple[_Points, _Points]],
    *,
    height: int,
    channels: int,
    padding: Sequence[int],
    nearest: bool = False,
    legacy: bool = False,
    num_threads: int = 0,
) -> list[tuple[NDArray[np.float32], int] | str]: ...

_Mask = NDArray[np.uint8]
_Box = tuple[int, int, int, int]

def component_boxes(mask: _Mask) -> list[_Box]: ...
def script_size(mask: _Mask) -> float | None: ...
def longest_components(mask: _Mask, axis: int, min: float, most: int) -> _Mask: ...
def filled_boxes(mask: _Mask, low: float, high: float) -> _Mask: ...
def line_seeds(bottom: _Mask, top: _Mask, delta: int, reach: float) -> _Mask: ...
def grow_lines(seeds: _Mask, boxmap: _Mask, ink: _Mask, reach: float) -> list[_Box]: ...
def line_pitch(lines: Sequence[_Line]) -> float | None:
    """Median distance of lines from their nearest neighbour above or below."""

def fragment_chains(
    lines: Sequence[_Line], groups: Sequence[int], max_gap: float, max_offset: float, max_turn: float
) -> list[list[int]]:
    """Indices of the fragments of each line in order; distances in pixels, ``max_turn`` in radians."""
