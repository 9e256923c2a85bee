"""From the coordinates of a network's input to those of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["scale_polygonal_lines", "scale_regions"]

Polyline = list[list[int]]
Scale = float | Sequence[float] | npt.NDArray[np.floating[Any]]


def _factors(scale: Scale) -> npt.NDArray[np.float64]:
    factors = np.asarray(scale, dtype=np.float64)
    if factors.shape not in ((), (1,), (2,)) or not np.isfinite(factors).all():
        raise ValueError(f"scale is {scale!r}; a finite number or a pair (x, y) of such is needed")
    return np.broadcast_to(factors, (2,))


def _scaled(points: Any, factors: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Points times factors, truncated towards zero."""
    array = np.asarray(points, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{points!r:.80} isn't a sequence of points (x, y)")
    product = array * factors
    if not np.isfinite(product).all() or np.abs(product).max() >= 2**62:
        raise ValueError(f"{points!r:.80} holds coordinates that can't be scaled by {factors.tolist()}")
    return product.astype(np.int64)


def scale_regions(regions: Iterable[Any], scale: Scale) -> list[Polyline]:
    """Scales region outlines.

    Args:
        regions: Sequences of points (x, y).
        scale: Factor for both axes, or a pair (x, y).

    Returns:
        Nested lists of ints: truncated, negative coordinates raised to 0.

    Raises:
        ValueError: A point isn't a pair of finite numbers, or `scale` has another form.
    """
    factors = _factors(scale)
    return [np.maximum(_scaled(region, factors), 0).tolist() for region in regions]


def scale_polygonal_lines(
    lines: Iterable[tuple[Any, Any]], scale: Scale
) -> list[tuple[Polyline, Polyline | None]]:
    """Scales baselines and the polygons around them.

    Args:
        lines: Pairs of baseline and polygon; a polygon may be None and stays so.
        scale: Factor for both axes, or a pair (x, y).

    Returns:
        Pairs of nested lists of ints, truncated towards zero.

    Raises:
        ValueError: A point isn't a pair of finite numbers, or `scale` has another form.
    """
    factors = _factors(scale)
    return [
        (_scaled(baseline, factors).tolist(), None if polygon is None else _scaled(polygon, factors).tolist())
        for baseline, polygon in lines
    ]
