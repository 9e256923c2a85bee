"""Baselines that were cut too often, or not where a region ends: joining and splitting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from kraken._rust import seg as _seg
from kraken.lib.segmentation.polygons import _points

__all__ = ["distance_to_outline", "join_baseline_fragments", "line_pitch", "split_at_regions"]

Polyline = Sequence[Sequence[float]] | npt.NDArray[Any]
Points = list[list[int]]
_Array = npt.NDArray[np.float64]


def line_pitch(baselines: Sequence[Polyline]) -> float | None:
    """The usual distance of lines on a page.

    Args:
        baselines: Polylines of points (x, y).

    Returns:
        Median distance of lines from their nearest neighbour above or below in pixels; ``None`` if no
        line has any.

    Raises:
        ValueError: A baseline doesn't hold pairs of numbers.
    """
    return _seg.line_pitch([_points(line, f"baseline {i}") for i, line in enumerate(baselines)])


def join_baseline_fragments(
    baselines: Sequence[Polyline],
    max_gap: float,
    *,
    max_offset: float | None = None,
    max_turn: float = 30.0,
    groups: Sequence[int] | None = None,
) -> tuple[list[Points], list[list[int]]]:
    """Joins baselines that continue each other to whole lines.

    A baseline continues another if it begins at most ``max_gap`` after the other's end, in about its
    direction and where the other would lead. Gaps that go on between the lines above or below are gutters
    between columns and stay. Turning the page turns the result.

    Args:
        baselines: Polylines of points (x, y), each from the start of its text to its end.
        max_gap: Largest gap along the line in pixels. Half the distance of lines is a good start.
        max_offset: Largest distance in pixels by which the two ends, prolonged to the middle of the gap,
            may miss each other; a third of ``max_gap``, but at least 2 px, if ``None``.
        max_turn: Largest difference of direction across a gap in degrees.
        groups: A number for each baseline; only those with equal numbers are joined. ``None``: all are.

    Returns:
        The lines, and for each the indices of its baselines from start to end. Lines come in the order
        of their first baseline; every baseline is part of exactly one.

    Raises:
        ValueError: A baseline doesn't hold pairs of finite numbers, there isn't one group per baseline, or
            a limit is negative or not finite.
    """
    lines = [_points(line, f"baseline {i}") for i, line in enumerate(baselines)]
    offset = max(2.0, max_gap / 3) if max_offset is None else max_offset
    own = [0] * len(lines) if groups is None else list(groups)
    chains = _seg.fragment_chains(lines, own, max_gap, offset, math.radians(max_turn))
    return [_concatenated([lines[i] for i in chain]) for chain in chains], chains


def _concatenated(parts: list[list[list[float]]]) -> Points:
    """Points of one line; what would lead back into the part before is left out."""
    whole = [list(point) for point in parts[0]]
    for part in parts[1:]:
        last = np.asarray(whole[-1])
        ahead = np.asarray(part[-1]) - np.asarray(whole[0])
        kept = [point for point in part[:-1] if np.dot(np.asarray(point) - last, ahead) > 0]
        whole.extend([*kept, part[-1]])
    return [[round(x), round(y)] for x, y in whole]


def distance_to_outline(points: Polyline, outline: Polyline) -> _Array:
    """Distance of points from the outline of a region.

    Args:
        points: n points (x, y).
        outline: Ring of at least one point, closed or not.

    Returns:
        Array (n,) of distances in pixels, positive inside the region, negative outside.
    """
    p, ring = np.asarray(points, dtype=np.float64), np.asarray(outline, dtype=np.float64)
    a, b = ring, np.roll(ring, -1, axis=0)
    edge = b - a
    squared = np.maximum((edge**2).sum(axis=1), 1e-300)
    along = np.clip(((p[:, None] - a) * edge).sum(axis=2) / squared, 0, 1)
    distance: _Array = np.linalg.norm(p[:, None] - a - along[..., None] * edge, axis=2).min(axis=1)
    # Even-odd rule: edges that a ray to the right crosses.
    straddles = (a[:, 1] > p[:, None, 1]) != (b[:, 1] > p[:, None, 1])
    height = np.where(edge[:, 1] == 0, 1, edge[:, 1])
    crossing = a[:, 0] + (p[:, None, 1] - a[:, 1]) / height * edge[:, 0]
    inside = (straddles & (p[:, None, 0] < crossing)).sum(axis=1) % 2 == 1
    return np.where(inside, distance, -distance)


def split_at_regions(
    baseline: Polyline, outlines: Sequence[Polyline], *, tolerance: float = 3.0, min_length: float = 5.0
) -> list[Points]:
    """Splits a baseline where it enters or leaves regions.

    Args:
        baseline: Points (x, y).
        outlines: Rings of regions, which may overlap.
        tolerance: A line that runs along a border, at most so many pixels beside it, isn't split there.
        min_length: Shorter ends beyond a border are cut off, in pixels.

    Returns:
        The parts in order, each of at least two points: between them they hold all of the baseline but
        ends shorter than ``min_length``. A line that isn't split comes back as it is, rounded.

    Raises:
        ValueError: ``baseline`` or an outline doesn't hold pairs of numbers.
    """
    line = np.asarray(_points(baseline, "baseline"), dtype=np.float64).reshape(-1, 2)
    parts = [line]
    for i, outline in enumerate(outlines):
        ring = np.asarray(_points(outline, f"outline {i}"), dtype=np.float64).reshape(-1, 2)
        if len(ring) > 2:
            parts = [piece for part in parts for piece in _split(part, ring, tolerance, min_length)]
    return [[[round(x), round(y)] for x, y in part.tolist()] for part in parts]


def _split(line: _Array, ring: _Array, tolerance: float, min_length: float) -> list[_Array]:
    """Parts of a line inside and outside of one region."""
    low, high = line.min(axis=0, initial=np.inf), line.max(axis=0, initial=-np.inf)
    if len(line) < 2 or (high < ring.min(axis=0)).any() or (low > ring.max(axis=0)).any():
        return [line]
    pieces: list[_Array] = []
    current = [line[0]]
    for a, b in pairwise(line):
        for cut in _crossings(a, b, ring):
            pieces.append(np.array([*current, cut]))
            current = [cut]
        if not np.array_equal(b, current[-1]):
            current.append(b)
    if len(current) > 1:
        pieces.append(np.array(current))
    parts = _merged(_trimmed(pieces, min_length), ring, tolerance)
    uncut = len(parts) == 1 and np.array_equal(parts[0][[0, -1]], line[[0, -1]])
    return [line] if uncut or not parts else parts


def _crossings(a: _Array, b: _Array, ring: _Array) -> list[_Array]:
    """Where a segment crosses a ring, in order."""
    c, d = ring, np.roll(ring, -1, axis=0)
    e, f, g = b - a, d - c, c - a
    det = e[0] * f[:, 1] - e[1] * f[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (g[:, 0] * f[:, 1] - g[:, 1] * f[:, 0]) / det
        t = (g[:, 0] * e[1] - g[:, 1] * e[0]) / det
        # Half open, so that a corner of the ring or the line counts once.
        hit = (det != 0) & (s > 0) & (s <= 1) & (t >= 0) & (t < 1)
    return [a + x * e for x in np.unique(s[hit])]


def _length(piece: _Array) -> float:
    return float(np.linalg.norm(np.diff(piece, axis=0), axis=1).sum())


def _trimmed(pieces: list[_Array], min_length: float) -> list[_Array]:
    """Pieces without short ones at either end, if anything else is left."""
    for step in (1, -1):  # from the start, then from the end; several short pieces count together
        kept, lost = pieces[::step], 0.0
        while len(kept) > 1 and (lost := lost + _length(kept[0])) < min_length:
            kept = kept[1:]
        pieces = kept[::step]
    return pieces


def _merged(pieces: list[_Array], ring: _Array, tolerance: float) -> list[_Array]:
    """Pieces between crossings, those joined again that enter or leave for no depth worth a cut."""

    def depth(piece: _Array) -> float:
        """Signed distance from the border of the point farthest from it."""
        # close enough to each other that none misses a depth by more than half the tolerance
        steps = [max(2, math.ceil(math.dist(a, b) / max(tolerance, 1))) for a, b in pairwise(piece)]
        ends = zip(piece, piece[1:], steps, strict=False)
        probes = np.concatenate([piece, *(np.linspace(a, b, n, endpoint=False)[1:] for a, b, n in ends)])
        distances = distance_to_outline(probes, ring)
        return float(distances[np.abs(distances).argmax()])

    merged: list[_Array] = []
    sides: list[float] = []
    for piece in pieces:
        side = depth(piece)
        shallow = sides and min(abs(side), abs(sides[-1])) <= tolerance
        if sides and (shallow or (side > 0) == (sides[-1] > 0)):
            merged[-1] = np.concatenate([merged[-1], piece[1:]])
            sides[-1] = max(side, sides[-1], key=abs)
        else:
            merged.append(piece)
            sides.append(side)
    return merged
