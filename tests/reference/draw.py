"""Drawing of polygons and thick lines, written the obvious way: pixel by pixel, with Shapely's buffers."""

from __future__ import annotations

import math

import numpy as np
from shapely.geometry import LineString

Ring = list[tuple[int, int]]


def inside(ring: Ring, x: int, y: int) -> bool:
    """Whether a pixel centre lies in a polygon (even-odd rule) or on its outline."""
    crossings = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if cross == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y) and (cross > 0) == (by > ay):
            crossings = not crossings
    return crossings


def polygon(ring: list[tuple[float, float]], width: int, height: int) -> np.ndarray:
    """Mask of a polygon whose vertices are truncated to pixels."""
    whole = [(math.trunc(x), math.trunc(y)) for x, y in ring]
    return np.array([[inside(whole, x, y) for x in range(width)] for y in range(height)], dtype=np.uint8)


def line(
    points: list[tuple[float, float]], line_width: float, width: int, height: int, cap: str
) -> np.ndarray:
    """Mask of a line of a given width."""
    area = LineString(points).buffer(line_width / 2, cap_style=cap)
    return polygon(list(area.exterior.coords)[:-1], width, height)
