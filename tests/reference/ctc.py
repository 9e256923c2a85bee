"""Decoders for CTC outputs, written for clarity."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np


def greedy(outputs, seq_lens):
    """Best path of each line of an (N, C, W) array."""
    lines = []
    for line, n in zip(outputs, seq_lens, strict=True):
        line = line[:, :n]
        symbols = []
        if line.shape[1]:
            best = line.argmax(0)
            top = line.max(0)
            position = 0
            for label, group in itertools.groupby(best.tolist()):
                size = len(list(group))
                if label:
                    value = float(top[position : position + size].max())
                    symbols.append((label, position, position + size - 1, value))
                position += size
        lines.append(symbols)
    return lines


def blank_threshold(line, threshold):
    """Ocropy's rule on a (C, W) array."""
    symbols = []
    position = 0
    for below, group in itertools.groupby((line[0] < threshold).tolist()):
        size = len(list(group))
        run = line[:, position : position + size]
        if below:
            label, column = np.unravel_index(run.argmax(), run.shape)
            if label:
                symbols.append((int(label), position, position + size - 1, float(run[label, column])))
        position += size
    return symbols


def collapse(path):
    return tuple(label for label, _ in itertools.groupby(path) if label)


def labelling_probabilities(line):
    """Probability of every labelling, summed over all C^W paths."""
    classes, width = line.shape
    total = defaultdict(float)
    for path in itertools.product(range(classes), repeat=width):
        total[collapse(path)] += math.prod(float(line[c, t]) for t, c in enumerate(path))
    return dict(total)


def prefix_beam(line, beam_size):
    """Labellings with their probabilities, best first, after a plain prefix beam search."""
    beam = {(): (1.0, 0.0)}
    for column in np.asarray(line, dtype=float).T:
        following = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, symbol) in beam.items():
            following[prefix][0] += (blank + symbol) * column[0]
            if prefix:
                following[prefix][1] += symbol * column[prefix[-1]]
            for c in range(1, len(column)):
                before = blank if prefix and prefix[-1] == c else blank + symbol
                following[(*prefix, c)][1] += before * column[c]
        ranked = sorted(following.items(), key=lambda item: (-sum(item[1]), len(item[0]), item[0]))
        beam = {prefix: tuple(p) for prefix, p in ranked[:beam_size] if sum(p) > 0}
    return [(prefix, sum(p)) for prefix, p in beam.items()]


def path_probability(line, labels, spans):
    """Probability of the path that has each label in its span and blanks elsewhere."""
    owner = {
        t: label for label, (start, end) in zip(labels, spans, strict=True) for t in range(start, end + 1)
    }
    return math.prod(float(line[owner.get(t, 0), t]) for t in range(line.shape[1]))


def best_path_probability(line, labels):
    """Probability of the most probable path of a labelling, by trying all paths."""
    classes, width = line.shape
    paths = (p for p in itertools.product(range(classes), repeat=width) if collapse(p) == tuple(labels))
    return max(math.prod(float(line[c, t]) for t, c in enumerate(p)) for p in paths)


def log_probability(line, labels):
    """Natural logarithm of a labelling's probability, by the forward variables."""
    extended = [0]
    for label in labels:
        extended += [label, 0]
    alpha = np.zeros(len(extended))
    alpha[:2] = line[extended[:2], 0]
    for t in range(1, line.shape[1]):
        following = np.zeros_like(alpha)
        for s, label in enumerate(extended):
            sources = [s, s - 1]
            if label and s > 1 and label != extended[s - 2]:
                sources.append(s - 2)
            following[s] = sum(alpha[k] for k in sources if k >= 0) * line[label, t]
        alpha = following
    return math.log(alpha[-2:].sum())


def align(line, labels):
    """Spans of the most probable path of a labelling, column by column from the back; None if there is none.

    ``best(t, s)`` is the logarithm of the best path that is in state s of the labels with
    blanks around them after column t. Among equally good predecessors the one that stayed
    is taken, then the nearest.
    """
    states = [0]
    for label in labels:
        states += [label, 0]
    width = line.shape[1]
    if len(labels) + sum(a == b for a, b in itertools.pairwise(labels)) > width:
        return None
    log = np.log(np.maximum(np.nan_to_num(np.asarray(line, dtype=float), nan=0.0), np.finfo(float).tiny))

    def sources(s):
        found = [s] + ([s - 1] if s else [])
        if s >= 2 and states[s] and states[s] != states[s - 2]:
            found.append(s - 2)
        return found

    best = [[log[states[s], 0] if s < 2 else -math.inf for s in range(len(states))]] if width else []
    for t in range(1, width):
        best.append([max(best[-1][k] for k in sources(s)) + log[states[s], t] for s in range(len(states))])
    spans = {}
    s = len(states) - 1
    for t in reversed(range(width)):
        if t == width - 1:
            s = max([s - 1, s] if s else [s], key=lambda k: best[t][k])
        else:
            s = max(sources(s), key=lambda k: best[t][k])
        if states[s]:
            spans[s // 2] = (t, spans.get(s // 2, (t, t))[1])
    return [spans[k] for k in range(len(labels))]
