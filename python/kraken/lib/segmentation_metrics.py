"""Agreement of detected baselines and regions with the ground truth (spec chapter training §6).

Baselines are compared after Grüning et al., "READ-BAD: A new dataset and evaluation scheme for baseline
detection in archival documents" (2018); regions by intersection over union, and by average precision as in
the COCO benchmark (Lin et al. 2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from kraken._rust import image as _image
from kraken._rust import seg as _seg

__all__ = [
    "aggregate_detection_metrics",
    "average_precision",
    "compute_detection_metrics",
    "interpolate_polyline",
    "mean_average_precision",
    "polygon_iou",
    "region_iou",
]

_THRESHOLDS = tuple(float(t) for t in np.arange(0.5, 1.0, 0.05).round(2))


def interpolate_polyline(points: torch.Tensor, spacing: float = 5.0) -> torch.Tensor:
    """Points at equal distances along a polyline.

    Args:
        points: (N, 2).
        spacing: Wanted distance; the real one divides the length evenly.

    Returns:
        (M, 2) with M = max(2, length / spacing), rounded; the first point if there is no length, `points`
        themselves if there are less than two.

    Raises:
        ValueError: The spacing isn't positive.
    """
    if not spacing > 0:
        raise ValueError(f"spacing is {spacing}, must be above 0")
    if len(points) < 2:
        return points
    line = points.detach().cpu()
    line = line if line.is_floating_point() else line.float()
    # in the points' own precision: recorded scores depend on its rounding
    at = torch.cat([line.new_zeros(1), torch.linalg.vector_norm(line.diff(dim=0), dim=1).cumsum(0)])
    length = float(at[-1])
    if length < 1e-6:
        return points[:1]
    wanted = torch.linspace(0.0, length, max(2, round(length / spacing)), dtype=line.dtype)
    # steps without length end where they begin and are never the one that holds a place before the end
    end = torch.searchsorted(at, wanted, right=True).clamp(max=len(line) - 1)
    start = end - 1
    share = (wanted - at[start]) / (at[end] - at[start]).clamp(min=1e-12)
    return (line[start] + share[:, None] * (line[end] - line[start])).to(points)


def _lists(lines: Sequence[Any]) -> Any:
    return [np.asarray(line, dtype=float).reshape(-1, 2).tolist() for line in lines]


def compute_detection_metrics(
    pred: Sequence[torch.Tensor], gt: Sequence[torch.Tensor], tol: float
) -> dict[str, Any]:
    """Agreement of the lines of one page.

    Args:
        pred: Detected polylines (N, 2), used as they are: see :func:`interpolate_polyline`. Distances are
            computed in single precision if all lines are, which costs up to about 5e-5 with a tolerance of 1.
        gt: Polylines of the ground truth.
        tol: Distance in pixels up to which a point is right; it is wrong at three times this.

    Returns:
        ``precision``, ``recall``, ``f1``, ``num_pred``, ``num_gt``. Without any line the first three are 1.

    Raises:
        ValueError: The tolerance isn't positive, or a coordinate isn't finite.
    """
    counts = {"num_pred": len(pred), "num_gt": len(gt)}
    if not pred or not gt:
        value = 1.0 if not pred and not gt else 0.0
        return {"precision": value, "recall": value, "f1": value, **counts}
    single = all(getattr(line, "dtype", None) == torch.float32 for line in (*pred, *gt))
    total = _seg.best_assignment(_lists(pred), _lists(gt), float(tol), single)
    precision, recall = total / len(pred), total / len(gt)
    both = precision + recall
    f1 = 2 * precision * recall / both if both > 0 else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, **counts}


def aggregate_detection_metrics(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean over pages of ``precision``, ``recall`` and ``f1``; zeros without pages."""
    names = ("precision", "recall", "f1")
    if not metrics:
        return dict.fromkeys(names, 0.0)
    return {name: float(sum(page[name] for page in metrics) / len(metrics)) for name in names}


def region_iou(pred: npt.ArrayLike, gt: npt.ArrayLike) -> float:
    """Intersection over union of two masks of equal shape; 1 if both are empty.

    Raises:
        ValueError: The shapes differ.
    """
    a, b = np.asarray(pred, dtype=bool), np.asarray(gt, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"Masks of different shapes, {a.shape} and {b.shape}, can't be compared.")
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 1.0


def polygon_iou(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Intersection over union of two polygons on the pixel grid, their outlines included.

    Args:
        a: Points (x, y) of a ring, coordinates truncated to pixels.
        b: The other ring.

    Raises:
        ValueError: A ring has no points, or is too large to be drawn.
    """
    rings = [np.trunc(np.asarray(ring, dtype=float).reshape(-1, 2)) for ring in (a, b)]
    if not all(len(ring) for ring in rings):
        raise ValueError("A polygon has no points.")
    (ax0, ay0), (bx0, by0) = (ring.min(axis=0) for ring in rings)
    (ax1, ay1), (bx1, by1) = (ring.max(axis=0) for ring in rings)
    if ax1 < bx0 or bx1 < ax0 or ay1 < by0 or by1 < ay0:
        return 0.0
    origin = np.array([min(ax0, bx0), min(ay0, by0)])
    width, height = int(max(ax1, bx1) - origin[0]) + 1, int(max(ay1, by1) - origin[1]) + 1
    masks = [_image.draw_polygon((ring - origin).tolist(), width, height) for ring in rings]
    return region_iou(*masks)


def _precision_curve(hits: npt.NDArray[np.bool_], count: int) -> float:
    """Area under the precision-recall curve at 101 recalls."""
    right = np.cumsum(hits)
    recall = right / count
    precision = right / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-12)
    return float(np.append(envelope, 0.0)[np.minimum(at, len(hits))].mean())


def average_precision(
    pred: Sequence[Sequence[tuple[Any, float]]],
    gt: Sequence[Sequence[Any]],
    thresholds: Sequence[float] = _THRESHOLDS,
) -> float:
    """Average precision of the regions of one class, mean over thresholds of the overlap.

    Args:
        pred: Per page, pairs of a polygon and its confidence.
        gt: Per page, polygons of the ground truth.
        thresholds: Overlaps (intersection over union) from which on a region counts as found.

    Returns:
        0…1; 1 if there is nothing to find and nothing was found, 0 if there is nothing but something was.

    Raises:
        ValueError: The numbers of pages differ.
    """
    if len(pred) != len(gt):
        raise ValueError(f"Regions of {len(pred)} pages can't be compared with those of {len(gt)}.")
    count = sum(map(len, gt))
    ranked = sorted(
        ((score, page, polygon) for page, found in enumerate(pred) for polygon, score in found),
        key=lambda entry: -entry[0],
    )
    if not count or not ranked:
        return 1.0 if not count and not ranked else 0.0
    overlaps = [[polygon_iou(polygon, other) for other in gt[page]] for _, page, polygon in ranked]
    values = []
    for threshold in thresholds:
        free = [[True] * len(page) for page in gt]
        hits = np.zeros(len(ranked), dtype=bool)
        for k, (_, page, _) in enumerate(ranked):
            best = max(
                (i for i, overlap in enumerate(overlaps[k]) if free[page][i] and overlap >= threshold),
                key=overlaps[k].__getitem__,
                default=None,
            )
            if best is not None:
                free[page][best] = False
                hits[k] = True
        values.append(_precision_curve(hits, count))
    return float(np.mean(values))


def mean_average_precision(
    pred: Mapping[str, Sequence[Sequence[tuple[Any, float]]]],
    gt: Mapping[str, Sequence[Sequence[Any]]],
    thresholds: Sequence[float] = _THRESHOLDS,
) -> float:
    """Mean of :func:`average_precision` over the classes of the ground truth.

    Args:
        pred: Class → regions as for :func:`average_precision`; classes may be missing.
        gt: Class → polygons of the ground truth, per page.
        thresholds: See :func:`average_precision`.

    Raises:
        ValueError: There are no classes.
    """
    if not gt:
        raise ValueError("The ground truth has no classes of regions.")
    scores = [
        average_precision(pred.get(name, [[] for _ in pages]), pages, thresholds)
        for name, pages in gt.items()
    ]
    return float(np.mean(scores))
