"""Agreement of baselines with annotated ones, whatever the size of the page.

The measures of Grüning et al., "READ-BAD: A new dataset and evaluation scheme for baseline detection in
archival documents" (2018), which the cBAD competitions used: how far off a baseline may be depends on how far
apart the lines of the page are. :mod:`kraken.lib.segmentation_metrics` holds the measures of training, which
have one tolerance for all pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BaselineScore", "interline_distances", "mean_score", "score_baselines"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

#: Share of the distance between lines up to which a point is right.
TOLERANCE = 0.25


@dataclass(frozen=True)
class BaselineScore:
    """How well the baselines of a page, or of many, were found.

    Attributes:
        recall: Share of the annotated lines that is covered, by whichever lines found: text that is there.
        precision: Share of the found lines that is right, each being set against one annotated line only:
            lines that are in one piece, and nothing but lines.
        pred: Number of lines found.
        gt: Number of annotated lines.
        pages: Number of pages.
    """

    recall: float
    precision: float
    pred: int
    gt: int
    pages: int = 1

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both > 0 else 0.0


def _points(line: Any) -> Floats:
    points = np.asarray(line, dtype=float).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("A baseline has coordinates that are no numbers.")
    return points


def _sample(line: Floats, spacing: float) -> Floats:
    """Points at about equal distances along a line, its ends among them."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    line, steps = line[np.r_[True, steps > 0]], steps[steps > 0]
    if not len(steps):
        return line[:1]
    at = np.r_[0.0, np.cumsum(steps)]
    wanted = np.linspace(0, at[-1], max(2, int(np.ceil(at[-1] / spacing)) + 1))
    return np.stack([np.interp(wanted, at, line[:, axis]) for axis in (0, 1)], axis=1)


def _near(points: Floats, line: Floats, reach: float) -> tuple[Indices, Floats]:
    """Which points are in a line's box, enlarged by a reach, and how far they are from the line."""
    (left, top), (right, bottom) = line.min(axis=0) - reach, line.max(axis=0) + reach
    x, y = points.T
    near = np.flatnonzero((y >= top) & (y <= bottom) & (x >= left) & (x <= right))
    starts, vectors = line[:-1], np.diff(line, axis=0)
    if len(line) == 1:
        starts, vectors = line, np.zeros((1, 2))
    offset = points[near, None] - starts
    along = (offset * vectors).sum(axis=2) / np.maximum((vectors**2).sum(axis=1), 1e-12)
    offset -= np.clip(along, 0, 1)[..., None] * vectors
    return near, np.hypot(offset[..., 0], offset[..., 1]).min(axis=1)


def _sizes(lines: Sequence[Floats]) -> Indices:
    return np.array([len(line) for line in lines], dtype=np.intp)


def interline_distances(lines: Sequence[Any], default: float) -> Floats:
    """Distance of each line to its nearest neighbour above or below it.

    It is the median, over points along the line, of the distance to the nearest point of another line that
    lies across the line's direction (within 45°). Neighbours in the same row don't count.

    Args:
        lines: Polylines (N, 2).
        default: Distance if no line of the page has a neighbour.

    Returns:
        (lines,) distances; lines without neighbour have the mean of the others.

    Raises:
        ValueError: A coordinate isn't finite.
    """
    polylines = [_points(line) for line in lines]
    extent = max((float(np.ptp(line, axis=0).max()) for line in polylines if len(line)), default=0.0)
    # fine enough to hit every neighbour, coarse enough for pages of hundreds of lines
    sampled = [_sample(line, max(1.0, extent / 60)) for line in polylines]
    everything = np.concatenate(sampled) if sampled else np.zeros((0, 2))
    owner = np.repeat(np.arange(len(sampled)), [len(line) for line in sampled])
    found = np.full(len(sampled), np.nan)
    for i, line in enumerate(sampled):
        direction = line[-1] - line[0]
        length = float(np.hypot(*direction))
        if not length:
            continue
        others = everything[owner != i]
        dx, dy = others[:, 0] - line[:, :1], others[:, 1] - line[:, 1:]
        x, y = direction / length
        along, across = np.abs(x * dx + y * dy), np.abs(x * dy - y * dx)
        distance = np.where((across > along) & (across > 0), np.hypot(along, across), np.inf)
        nearest = distance.min(axis=1, initial=np.inf)
        if np.isfinite(nearest).any():
            found[i] = np.median(nearest[np.isfinite(nearest)])
    known = found[np.isfinite(found)]
    found[np.isnan(found)] = known.mean() if len(known) else default
    return found


def _coverage(distance: Floats, tolerance: Floats | float) -> Floats:
    """1 up to the tolerance, 0 from three times this, linear in between."""
    covered: Floats = np.clip((3 * tolerance - distance) / (2 * tolerance), 0, 1)
    return covered


def score_baselines(
    pred: Sequence[Any], gt: Sequence[Any], default_distance: float, tolerance: float = TOLERANCE
) -> BaselineScore:
    """Sets the baselines found on a page against the annotated ones.

    A point is right if it is nearer to the other line than a quarter of the distance between the annotated
    line and its neighbour (or of the page's mean distance, if that is less), and wrong from three times this.

    Args:
        pred: Polylines (N, 2) found.
        gt: Annotated polylines.
        default_distance: Distance between lines if the page has too few to tell.
        tolerance: Share of the distance between lines up to which a point is right.

    Returns:
        Recall and precision; both 1 if there is nothing to find and nothing was found.

    Raises:
        ValueError: A coordinate isn't finite, or a distance or tolerance isn't positive.
    """
    if not (default_distance > 0 and tolerance > 0):
        raise ValueError(f"default_distance {default_distance} and tolerance {tolerance} must be above 0.")
    polylines = [[line for line in map(_points, group) if len(line)] for group in (pred, gt)]
    counts = (len(polylines[0]), len(polylines[1]))
    if not all(counts):
        value = float(not any(counts))
        return BaselineScore(value, value, *counts)
    distances = interline_distances(polylines[1], default_distance)
    tolerances = np.maximum(tolerance * np.minimum(distances, distances.mean()), 1e-6)
    spacing = float(np.clip(np.median(tolerances) / 4, 1, 5))
    found, truth = ([_sample(line, spacing) for line in group] for group in polylines)

    sizes = _sizes(found)
    owner, points = np.repeat(np.arange(counts[0]), sizes), np.concatenate(found)
    right = np.zeros(counts)
    for j, (line, wide) in enumerate(zip(polylines[1], tolerances, strict=True)):
        near, distance = _near(points, line, 3 * wide)
        right[:, j] = np.bincount(owner[near], _coverage(distance, wide), counts[0]) / sizes

    sizes = _sizes(truth)
    points, wides = np.concatenate(truth), np.repeat(tolerances, sizes)
    covered, reach = np.zeros(len(points)), 3 * float(tolerances.max())
    for line in polylines[0]:
        near, distance = _near(points, line, reach)
        covered[near] = np.maximum(covered[near], _coverage(distance, wides[near]))
    recall = np.add.reduceat(covered, np.cumsum(sizes) - sizes) / sizes
    return BaselineScore(float(recall.mean()), _greedy_sum(right) / counts[0], *counts)


def _greedy_sum(values: Floats) -> float:
    """Sum of a one-to-one assignment that takes the largest value first."""
    rows, columns = np.nonzero(values > 0)
    order = np.argsort(-values[rows, columns], kind="stable")
    free_rows, free_columns = np.ones(values.shape[0], bool), np.ones(values.shape[1], bool)
    total = 0.0
    for row, column in zip(rows[order], columns[order], strict=True):
        if free_rows[row] and free_columns[column]:
            free_rows[row] = free_columns[column] = False
            total += float(values[row, column])
    return total


def mean_score(scores: Sequence[BaselineScore]) -> BaselineScore:
    """Means of recall and precision over pages, and sums of the counts; zeros without pages."""
    pages = sum(score.pages for score in scores)
    if not pages:
        return BaselineScore(0.0, 0.0, 0, 0, 0)
    return BaselineScore(
        recall=sum(score.recall * score.pages for score in scores) / pages,
        precision=sum(score.precision * score.pages for score in scores) / pages,
        pred=sum(score.pred for score in scores),
        gt=sum(score.gt for score in scores),
        pages=pages,
    )
