"""Lines that were found in a heatmap, as records in pixels of the page."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence

from kraken.containers import BaselineLine, Region
from kraken.lib.segmentation import is_in_region, scale_polygonal_lines
from kraken.lib.segmentation.fragments import distance_to_outline
from kraken.lib.segmentation.polygons import make_valid
from kraken.lib.vgsl.arrangement import FoundLine, Points

logger = logging.getLogger("kraken")

__all__ = ["band", "new_id", "page_lines"]


def new_id() -> str:
    """An identifier that no other line or region has."""
    return f"_{uuid.uuid4()}"


def _clip(points: Points, size: tuple[int, int]) -> Points:
    """Points moved to the nearest pixel of the page."""
    return [[min(max(x, 0), size[0] - 1), min(max(y, 0), size[1] - 1)] for x, y in points]


def page_lines(
    found: list[FoundLine],
    polygons: list[Points | None],
    scale: tuple[float, float],
    regions: Mapping[str, Sequence[Region]],
    size: tuple[int, int],
    tolerance: float = 0.0,
) -> list[BaselineLine]:
    """Line records in page coordinates, with the regions that hold their middle.

    A line in none is taken to lie in those that it leaves nowhere by more than ``tolerance`` pixels.
    """
    pairs = [(line.baseline, polygon) for line, polygon in zip(found, polygons, strict=True)]
    lines = []
    everything = [region for group in regions.values() for region in group]
    for line, (baseline, polygon) in zip(found, scale_polygonal_lines(pairs, scale), strict=True):
        baseline = _clip(baseline, size)
        boundary = None if polygon is None else make_valid(polygon, size)
        if boundary is None:
            # A polygon can shrink to nothing when it's scaled down; the line must not go with it.
            logger.warning("The polygon of the line at %s has no area on the page; a band is used.", baseline)
            boundary = band(baseline, size)
        holders = [region.id for region in everything if is_in_region(baseline, region.boundary)]
        if not holders and tolerance > 0:
            holders = [
                r.id for r in everything if distance_to_outline(baseline, r.boundary).min() >= -tolerance
            ]
        lines.append(
            BaselineLine(
                id=new_id(),
                baseline=baseline,
                boundary=boundary,
                tags={"type": [{"type": line.kind}]},
                regions=holders,
            )
        )
    return lines


def band(baseline: Points, size: tuple[int, int], half: int = 1) -> Points:
    """The box around a baseline, grown by ``half`` pixels and clipped to the page."""
    xs, ys = [p[0] for p in baseline], [p[1] for p in baseline]
    x0, x1 = max(min(xs) - half, 0), min(max(xs) + half, size[0] - 1)
    y0, y1 = max(min(ys) - half, 0), min(max(ys) + half, size[1] - 1)
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
