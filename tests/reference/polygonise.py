"""Slow, obvious versions of the kernels behind line polygons."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage
from shapely.geometry import LineString


def edge_energy(image: np.ndarray) -> np.ndarray:
    """Sobel magnitude of image / 255, Gaussian of sigma 0.5 cut at 4 sigma, mirrored borders."""
    grey = image.astype(np.float64) / 255
    slopes = []
    for axis in (0, 1):
        slope = ndimage.correlate1d(grey, [-1, 0, 1], axis=axis, mode="reflect")
        slopes.append(ndimage.correlate1d(slope, [0.25, 0.5, 0.25], axis=1 - axis, mode="reflect"))
    magnitude = np.sqrt((slopes[0] ** 2 + slopes[1] ** 2) / 2)
    return ndimage.gaussian_filter(magnitude, 0.5, mode="reflect", truncate=4)


def seam_cost(cost: np.ndarray) -> float:
    """Least sum over all paths through (columns, rows), at most one row up or down per column."""
    columns, rows = cost.shape
    best = cost[0].astype(np.float64).copy()
    for k in range(1, columns):
        best = np.array(
            [cost[k, r] + min(best[q] for q in (r - 1, r, r + 1) if 0 <= q < rows) for r in range(rows)]
        )
    return float(best.min())


def region_of_interest(
    line: list[list[float]], obstacles: list[list[list[float]]], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Limits above and below a straight line that runs rightwards, at every pixel of its length.

    A ray leaves the line every 10 px and at its end, and stops where it meets
    an obstacle (widened by 1 px) or the image border; between rays: straight.
    """
    (x0, y0), (x1, _) = line
    length = x1 - x0
    columns = math.ceil(length) + 1
    at = [*np.arange(0, length, 10), length]
    shapes = [LineString(o).buffer(1, quad_segs=64) for o in obstacles]
    limits = []
    for end in (0, size[1] - 1):
        ends = []
        for u in at:
            ray = LineString([(x0 + u, y0), (x0 + u, end)])
            hits = [ray.intersection(shape) for shape in shapes]
            distances = [LineString([(x0 + u, y0), (x0 + u, y0)]).distance(h) for h in hits if not h.is_empty]
            ends.append(min([*distances, abs(end - y0)]))
        limits.append(np.interp(np.linspace(0, length, columns), at, ends))
    return -limits[0], limits[1]
