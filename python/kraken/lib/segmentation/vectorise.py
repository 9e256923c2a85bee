"""Baselines and regions from the heatmaps of a segmentation network."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kraken._rust import seg as _seg

__all__ = ["boundary_tracing", "vectorize_lines", "vectorize_regions"]

Polyline = list[list[int]]


class _HasCoords(Protocol):
    @property
    def coords(self) -> Any: ...


def _heatmap(im: npt.ArrayLike, ndim: int, layout: str) -> npt.NDArray[np.float32]:
    """Probabilities as contiguous float32; 8-bit maps hold 255 times the probability."""
    array = np.asarray(im)
    if array.ndim != ndim:
        raise ValueError(f"im has the shape {array.shape}; a heatmap of shape {layout} is needed")
    if array.dtype.kind not in "buif":
        raise ValueError(f"im is of type {array.dtype}; a heatmap holds float probabilities or uint8")
    heatmap: npt.NDArray[np.float32] = np.ascontiguousarray(array, dtype=np.float32)
    return heatmap / np.float32(255) if array.dtype == np.uint8 else heatmap


def vectorize_lines(
    im: npt.ArrayLike,
    threshold: float = 0.17,
    min_length: float = 5,
    text_direction: str = "horizontal",
    max_endpoints: int = 400,
    *,
    num_threads: int = 1,
) -> list[Polyline]:
    """Finds the baselines of a heatmap.

    Ridges of the baseline map (multi-scale filter of Sato et al. 1998) are thinned (Zhang & Suen 1984),
    and the skeleton is taken apart into natural strokes: at a junction a line goes straight on, spurs no
    longer than the stroke is wide are dropped, rings are opened at one place. Strokes are simplified with
    a tolerance of 3 px and prolonged to the edge of the blob they lie in. Each line runs from the start
    to the end separator; without clear separators at both ends it runs in the direction of the text.

    Args:
        im: Heatmap of shape (≥3, H, W) with the channels start separator, end separator, baseline.
            Probabilities, or uint8 holding 255 times the probability. NaN counts as 0.
        threshold: Strength above which a ridge is a line.
        min_length: Shorter lines are dropped, in pixels.
        text_direction: ``'horizontal'`` or ``'vertical'``.
        max_endpoints: Without effect: every line is kept, however many there are. Accepted since callers
            written for the limit of other implementations pass it.
        num_threads: Threads to use; 0 for all of the machine's. Results don't depend on it.

    Returns:
        Polylines as lists of ``[x, y]`` in whole pixels of the map.

    Raises:
        ValueError: `text_direction` or the shape of `im` is wrong.
    """
    if text_direction not in ("horizontal", "vertical"):
        raise ValueError(f"Invalid text direction {text_direction!r}; it is 'horizontal' or 'vertical'.")
    heatmap = _heatmap(im, 3, "(≥3, H, W)")
    vertical = text_direction == "vertical"
    return _seg.vectorise_lines(heatmap, float(threshold), float(min_length), vertical, num_threads)


def vectorize_regions(im: npt.ArrayLike, threshold: float = 0.5) -> list[Polyline]:
    """Outlines of the areas of a heatmap whose values exceed a threshold.

    Args:
        im: Map of shape (H, W): probabilities, or uint8 holding 255 times the probability.
        threshold: Values above it (strictly) belong to a region.

    Returns:
        Closed rings (first point = last) of ``[x, y]`` through the centres of the outermost pixels,
        simplified with a tolerance of 10 px. Every ring is valid and none meets another one in more than
        a point; holes are filled; parts only a pixel wide have no area and are left out.

    Raises:
        ValueError: `im` isn't two-dimensional or `threshold` isn't a number.
    """
    return _seg.vectorise_regions(_heatmap(im, 2, "(H, W)"), float(threshold))


def boundary_tracing(region: _HasCoords) -> npt.NDArray[np.int64]:
    """Traces the outer boundary of a set of pixels, clockwise (Moore-neighbour tracing).

    Args:
        region: Any object with an attribute ``coords``, an (n, 2) array of (row, column).

    Returns:
        Array (m, 2) of (row, column) of the boundary pixels, from the first pixel in raster order that
        has one of its eight neighbours in the region; the start isn't repeated. Of isolated pixels only
        the first is returned.

    Raises:
        ValueError: The region has no pixels, or `coords` has another shape.
    """
    coords = np.asarray(region.coords)
    if coords.ndim != 2 or coords.shape[1] != 2 or not len(coords):
        raise ValueError(f"region.coords has the shape {coords.shape}; (n, 2) with n ≥ 1 is needed")
    traced = _seg.boundary_tracing(coords[:, ::-1].astype(np.int64).tolist())
    return np.array([(y, x) for x, y in traced], dtype=np.int64)
