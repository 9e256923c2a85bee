"""Comparison of segmentations: lines matched by distance, polygons by overlap, orders by Kendall's tau."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.optimize import linear_sum_assignment
from scipy.stats import kendalltau

Points = Sequence[Sequence[float]]


def resample(line: Points, n: int) -> npt.NDArray[np.float64]:
    """``n`` points at equal distances along a line."""
    shape = shapely.LineString(line) if len(set(map(tuple, line))) > 1 else shapely.Point(line[0])
    if shape.geom_type == "Point":
        return np.repeat([[shape.x, shape.y]], n, axis=0)
    return np.array([shape.interpolate(k / (n - 1), normalized=True).coords[0] for k in range(n)])


def match_lines(
    ours: Sequence[Points], theirs: Sequence[Points], limit: float, n: int = 25
) -> list[tuple[int, int]]:
    """One-to-one pairs of lines whose mean point distance is within ``limit``; direction matters."""
    if not ours or not theirs:
        return []
    a = np.array([resample(line, n) for line in ours])
    b = np.array([resample(line, n) for line in theirs])
    cost = np.linalg.norm(a[:, None] - b[None], axis=-1).mean(axis=-1)
    rows, cols = linear_sum_assignment(np.where(cost <= limit, cost, 1e6))
    return [(int(i), int(j)) for i, j in zip(rows, cols, strict=True) if cost[i, j] <= limit]


def edit_distance(a: str, b: str) -> int:
    """Number of insertions, deletions and substitutions between two texts (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def iou(a: Points, b: Points) -> float:
    """Intersection over union of two rings."""
    p, q = (shapely.make_valid(shapely.Polygon(ring)) for ring in (a, b))
    union = p.union(q).area
    return p.intersection(q).area / union if union else 0.0


def area_iou(a: Sequence[Points], b: Sequence[Points]) -> float:
    """Intersection over union of two sets of rings, as areas."""
    p, q = (shapely.union_all([shapely.make_valid(shapely.Polygon(r)) for r in rings]) for rings in (a, b))
    union = p.union(q).area
    return p.intersection(q).area / union if union else 1.0


def order_agreement(pairs: Sequence[tuple[int, int]]) -> float:
    """Kendall's tau of the orders of matched elements; 1 for fewer than two."""
    if len(pairs) < 2:
        return 1.0
    ranks = sorted(pairs)
    tau: Any = kendalltau([i for i, _ in ranks], [j for _, j in ranks]).statistic
    return float(tau)
