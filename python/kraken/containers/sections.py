"""Sections of a line polygon between distances along its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from kraken._rust import geom as _geom

__all__ = ["Section", "clean_sections", "compute_polygon_section", "precompute_polygon_sections"]

Points: TypeAlias = "Sequence[Sequence[float]] | npt.NDArray[Any]"
#: Four points (left and right of the first cut, right and left of the second
#: one); a list of two if the polygon couldn't be cut.
Section: TypeAlias = "tuple[list[int], list[int], list[int], list[int]] | list[list[int]]"


def as_points(points: Points, name: str) -> npt.NDArray[np.float64]:
    """Array of shape (n, 2).

    Raises:
        ValueError: naming the argument, if it doesn't consist of pairs of numbers.
    """
    plain = _geom.plain_points(points)
    if plain is not None:
        return plain
    try:
        array = np.asarray(points)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has to consist of pairs of numbers: {error}") from None
    if array.size == 0:
        return np.empty((0, 2))
    # Asking for floats at once would turn None into NaN.
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} has to consist of pairs of numbers, got {array.dtype} values of shape {array.shape}"
        )
    return np.ascontiguousarray(array, dtype=np.float64)


def cut_corners(
    baseline: npt.NDArray[np.float64], boundary: npt.NDArray[np.float64], cuts: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Corners (k, 4, 2) of the sections of (k, 2) distances, and which of them are whole."""
    corners, complete, _, _ = _geom.sections(baseline, boundary, cuts)
    return corners.reshape(-1, 4, 2), complete


def as_sections(corners: npt.NDArray[np.int64], complete: npt.NDArray[np.bool_]) -> list[Section]:
    """Sections with these corners; of those that aren't whole the first two points count."""
    return [
        (a, b, c, d) if whole else [a, b]
        for (a, b, c, d), whole in zip(corners.tolist(), complete.tolist(), strict=True)
    ]


def cut_sections(
    baseline: npt.NDArray[np.float64], boundary: npt.NDArray[np.float64], cuts: npt.NDArray[np.float64]
) -> list[Section]:
    """Sections of (k, 2) distances."""
    return _geom.section_lists(baseline, boundary, cuts)


def compute_polygon_section(baseline: Points, boundary: Points, dist1: float, dist2: float) -> Section:
    """Cuts a line polygon across at two distances along its baseline.

    An end of the baseline that lies inside of the polygon is extended to it
    before distances are measured. Distances beyond the end count as the end.

    Args:
        baseline: Points (x, y) of the baseline.
        boundary: Points (x, y) of the polygon, closed implicitly.
        dist1: Distance of the first cut in pixels.
        dist2: Distance of the second cut in pixels.

    Returns:
        Left and right end of the first cut, right and left end of the second
        one, as seen in the direction of the baseline. If one of them misses the
        polygon, a list of the two points on the baseline. The area may be zero.

    Raises:
        ValueError: for an empty baseline or coordinates that aren't numbers.
    """
    line, ring = as_points(baseline, "baseline"), as_points(boundary, "boundary")
    return cut_sections(line, ring, as_points([(dist1, dist2)], "cut_pairs"))[0]


def precompute_polygon_sections(
    baseline: Points, boundary: Points, cut_pairs: Points
) -> tuple[list[Section], dict[float, npt.NDArray[np.float64] | None], float]:
    """Cuts a line polygon at many pairs of distances, as :func:`compute_polygon_section`.

    Args:
        baseline: Points (x, y) of the baseline.
        boundary: Points (x, y) of the polygon, closed implicitly.
        cut_pairs: Pairs of distances.

    Returns:
        A section per pair; a mapping from the (clamped) distances to the four
        rounded coordinates of the cut, left before right, or None where a cut
        misses the polygon; and the length of the extended baseline. Without
        pairs ``([], {}, 0.0)``.

    Raises:
        ValueError: for an empty baseline or coordinates that aren't numbers.
    """
    pairs = as_points(cut_pairs, "cut_pairs")
    if not len(pairs):
        return [], {}, 0.0
    corners, complete, raw, length = _geom.sections(
        as_points(baseline, "baseline"), as_points(boundary, "boundary"), pairs
    )
    missed = np.isnan(raw[:, 1]).tolist()
    hits = raw[:, 1:]
    distances = raw[:, 0].tolist()
    cache = {d: None if miss else hit for d, hit, miss in zip(distances, hits, missed, strict=True)}
    return as_sections(corners.reshape(-1, 4, 2), complete), cache, length


def clean_sections(
    baseline: Points, boundary: Points, cut_pairs: Points
) -> list[tuple[tuple[float, float], ...]]:
    """Cuts a line polygon for consumers that need proper boxes.

    Other than :func:`precompute_polygon_sections` this takes the nearest
    crossings, never rounds, and never gives a section without area or one that
    crosses itself. Pairs may be in any order; they are clamped to the line and
    widened to a pixel, or further where the polygon has no area. All corners lie
    on the polygon; the sides between them may leave a concave one.

    Args:
        baseline: Points (x, y) of the baseline.
        boundary: Points (x, y) of the polygon, closed implicitly.
        cut_pairs: Pairs of distances along the baseline, in pixels.

    Returns:
        For each pair four points (x, y) on the polygon: left and right end of
        the first cut, right and left end of the second one.

    Raises:
        ValueError: for coordinates that aren't finite numbers, a polygon
            without area, and a baseline without length or that doesn't lead
            through the polygon.
    """
    pairs = as_points(cut_pairs, "cut_pairs")
    line, ring = as_points(baseline, "baseline"), as_points(boundary, "boundary")
    return [tuple(quad) for quad in _geom.clean_sections(line, ring, pairs)]
