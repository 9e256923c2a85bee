"""Slow, obvious alignment of two sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def global_align(a: Sequence[Any], b: Sequence[Any]) -> tuple[int, list[Any], list[Any]]:
    """Distance and alignment, from a table of costs and the cells they come from."""
    cost = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    origin = [[(0, 0)] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            choices = []
            if i:
                choices.append((cost[i - 1][j] + 1, (i - 1, j)))
            if j:
                choices.append((cost[i][j - 1] + 1, (i, j - 1)))
            if i and j:
                choices.append((cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]), (i - 1, j - 1)))
            if choices:
                cost[i][j], origin[i][j] = min(choices, key=lambda choice: choice[0])
    i, j = len(a), len(b)
    left, right = [], []
    while (i, j) != (0, 0):
        k, m = origin[i][j]
        left.append(a[k] if k < i else "")
        right.append(b[m] if m < j else "")
        i, j = k, m
    return cost[-1][-1], left[::-1], right[::-1]
