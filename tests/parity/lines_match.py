"""How recorded and found polylines are compared (recorded data, geometry §2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

Polyline = list[list[int]]

MATCH = 3.0


def resample(line: Polyline, n: int = 21) -> np.ndarray:
    """n points equally spaced along a polyline."""
    points = np.array(line, dtype=float)
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, run[-1], n)
    return np.c_[np.interp(at, run, points[:, 0]), np.interp(at, run, points[:, 1])]


def distances(points: np.ndarray, line: Polyline) -> np.ndarray:
    """Distance of each point from a polyline."""
    a, b = np.array(line[:-1], dtype=float), np.array(line[1:], dtype=float)
    d = b - a
    length2 = np.maximum((d**2).sum(axis=1), 1e-12)
    t = np.clip(((points[:, None] - a) * d).sum(axis=2) / length2, 0, 1)
    return np.linalg.norm(points[:, None] - (a + t[..., None] * d), axis=2).min(axis=1)


def distance(a: Polyline, b: Polyline) -> float:
    """The larger of the two mean distances."""
    return float(max(distances(resample(a), b).mean(), distances(resample(b), a).mean()))


class Match(NamedTuple):
    """Outcome of a comparison; plain lines only count as missing."""

    missing: int
    extra: int
    distances: list[float]
    far_ends: int
    turned: int


def match(recorded: list[Polyline], plain: list[bool], found: list[Polyline]) -> Match:
    """Matches one to one, the sum of distances being minimal."""
    table = np.array([[distance(a, b) for b in found] for a in recorded]).reshape(len(recorded), len(found))
    rows, columns = linear_sum_assignment(np.minimum(table, 10 * MATCH))
    pairs = [(i, j) for i, j in zip(rows, columns, strict=True) if table[i, j] <= MATCH]
    matched = {i for i, _ in pairs}
    missing = sum(p and i not in matched for i, p in enumerate(plain))
    branched = [line for line, p in zip(recorded, plain, strict=True) if not p]
    rest = set(range(len(found))) - {j for _, j in pairs}
    along = {j for j in rest if any(distances(resample(found[j]), b).mean() <= MATCH for b in branched)}
    far = turned = 0
    for i, j in pairs:
        a, b = np.array(recorded[i]), np.array(found[j])
        straight = np.linalg.norm(a[[0, -1]] - b[[0, -1]], axis=1).max()
        crossed = np.linalg.norm(a[[0, -1]] - b[[-1, 0]], axis=1).max()
        turned += crossed < straight
        far += min(straight, crossed) > 10
    return Match(missing, len(rest - along), [table[i, j] for i, j in pairs], far, turned)
