"""The contrastive loss, one column and one distractor at a time."""

from __future__ import annotations

import math

import numpy as np


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of the angle between two vectors, 0 if one has no direction."""
    lengths = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(a @ b) / lengths if lengths else 0.0


def slow_contrastive_loss(
    context: np.ndarray, targets: np.ndarray, negatives: np.ndarray, temperature: float
) -> float:
    """Mean over all masked columns of -log of the share that the right answer has.

    Args:
        context: What the network says (N, K, D).
        targets: What is there (N, K, D).
        negatives: Distractors (M, N, K).
        temperature: Divisor of the similarities.
    """
    losses = []
    for n in range(context.shape[0]):
        for k in range(context.shape[1]):
            candidates = [k, *(int(m) for m in negatives[:, n, k])]
            weights = [
                math.exp(similarity(context[n, k].astype(float), targets[n, c].astype(float)) / temperature)
                for c in candidates
            ]
            losses.append(-math.log(weights[0] / sum(weights)))
    return sum(losses) / len(losses)
