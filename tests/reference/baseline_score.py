"""Scores of baselines in loops, as the paper has them; slow."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median
from typing import Any


def resample(line: list[tuple[float, float]], spacing: float) -> list[tuple[float, float]]:
    """Points at equal distances, at most `spacing` apart."""
    lengths = [math.dist(a, b) for a, b in pairwise(line)]
    total = sum(lengths)
    if not total:
        return line[:1]
    count = max(2, math.ceil(total / spacing) + 1)
    found = []
    for k in range(count):
        wanted = total * k / (count - 1)
        for i, length in enumerate(lengths):
            if wanted <= length or i == len(lengths) - 1:
                share = min(1.0, wanted / length) if length else 0.0
                (ax, ay), (bx, by) = line[i], line[i + 1]
                found.append((ax + share * (bx - ax), ay + share * (by - ay)))
                break
            wanted -= length
    return found


def distance(p: tuple[float, float], line: list[tuple[float, float]]) -> float:
    """From a point to a polyline."""
    found = []
    for (ax, ay), (bx, by) in pairwise(line):
        square = (bx - ax) ** 2 + (by - ay) ** 2
        along = ((p[0] - ax) * (bx - ax) + (p[1] - ay) * (by - ay)) / square if square else 0.0
        along = min(1.0, max(0.0, along))
        found.append(math.dist(p, (ax + along * (bx - ax), ay + along * (by - ay))))
    return min(found)


def coverage(
    points: list[tuple[float, float]], others: list[list[tuple[float, float]]], tolerance: list[float]
) -> float:
    """Mean over points of 1 up to the tolerance from the nearest other line, falling to 0 at 3 times it."""
    total = 0.0
    for p, t in zip(points, tolerance, strict=True):
        d = min(distance(p, line) for line in others)
        total += 1.0 if d <= t else max(0.0, (3 * t - d) / (2 * t))
    return total / len(points)


def score(pred: list[Any], gt: list[Any], distances: list[float], share: float) -> tuple[float, float]:
    """Recall and precision."""
    mean = sum(distances) / len(distances)
    tolerances = [share * min(d, mean) for d in distances]
    spacing = min(5.0, max(1.0, median(tolerances) / 4))
    found = [resample(line, spacing) for line in pred]
    truth = [resample(line, spacing) for line in gt]
    recall = sum(coverage(line, pred, [t] * len(line)) for line, t in zip(truth, tolerances, strict=True))
    table = {
        (i, j): coverage(line, [other], [tolerances[j]] * len(line))
        for i, line in enumerate(found)
        for j, other in enumerate(gt)
    }
    total = 0.0
    while table:
        (i, j), best = max(table.items(), key=lambda item: item[1])
        total += best
        table = {pair: value for pair, value in table.items() if pair[0] != i and pair[1] != j}
    return recall / len(truth), total / len(found)
