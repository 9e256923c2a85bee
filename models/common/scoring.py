"""Reading a network's answer and counting its errors, without the engine's own decoder."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def greedy(logits: np.ndarray, labels: str) -> str:
    """Returns the best path of (classes, columns) logits as text: class 0 blank, class i `labels[i - 1]`."""
    best = logits.argmax(axis=0)
    starts = np.concatenate([[True], best[1:] != best[:-1]]) & (best != 0)
    return "".join(labels[i - 1] for i in best[starts])


def edit_distance(a: str, b: str) -> int:
    """Returns the number of insertions, deletions and substitutions that turn `a` into `b`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def character_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Returns edits per character of truth over all (truth, reading) pairs."""
    errors = length = 0
    for truth, reading in pairs:
        errors += edit_distance(truth, reading)
        length += len(truth)
    return errors / max(1, length)
