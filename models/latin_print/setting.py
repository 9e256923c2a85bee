"""Sets lines of text in type: which letter stands where."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from common.fonts import Face

from .sorts import Fount, Sort

__all__ = ["Run", "set_by_sorts", "set_type", "struck"]


@dataclass
class Run:
    """Characters that are drawn at once, and where.

    Attributes:
        x: Where the pen starts.
        text: The characters.
        face: Typeface.
        features: OpenType features.
        down: How far below the baseline, in em.
        ink: 255 at full strength.
        sort: What is printed instead of the text set in the typeface.
    """

    x: float
    text: str
    face: Face
    features: list[str] | None = None
    down: float = 0.0
    ink: int = 255
    sort: Sort | None = None


def set_type(
    rng: np.random.Generator, text: str, face: Face, other: Face, size: int, *, leaders: bool = False
) -> tuple[list[Run], np.ndarray, int]:
    """Places words (or single letters, if spaced out) from left to right, with a justified line's spaces.

    With leaders there is a wide space, mostly dotted, before the last word or two.
    """
    blank = size * float(rng.uniform(0.18, 0.5) if rng.random() < 0.8 else rng.uniform(0.5, 0.9))
    spaced = size * float(rng.uniform(0.08, 0.3)) if rng.random() < 0.06 else 0.0
    words = text.split(" ")
    first = int(rng.integers(0, len(words)))
    last = first + int(rng.integers(1, 6))
    runs: list[Run] = []
    middles: list[float] = []
    x = float(size)
    for i, word in enumerate(words):
        used = other if first <= i < last else face
        font = used.at(size)
        for piece in word if spaced and len(word) > 3 else (word,):
            if not piece:
                continue
            # dashes for nothing, in lists and tables, hang low in many founts
            low = float(rng.uniform(0, 0.22)) if piece in "—–" and rng.random() < 0.5 else 0.0
            runs.append(Run(x, piece, used, down=low))
            ends = np.cumsum([used.advance(size, c) for c in piece])
            long = font.getlength(piece)
            # kerning and ligatures are shared out
            ends *= long / max(ends[-1], 1e-3)
            middles += [x + (a + b) / 2 for a, b in itertools.pairwise([0.0, *ends.tolist()])]
            x += long + (spaced if piece is not word else 0)
        if i + 1 < len(words):
            gap = blank * float(rng.uniform(0.9, 1.1))
            if leaders and i + 2 == max(2, len(words) - int(rng.integers(0, 2))):
                leaders = False
                gap = size * float(rng.uniform(1.5, 9))
                step = size * float(rng.uniform(0.4, 1.6))
                dots = np.arange(x + step, x + gap - 0.5 * step, step) if rng.random() < 0.8 else ()
                runs += [Run(float(dot), ".", face) for dot in dots]
            middles.append(x + gap / 2)
            x += gap
    return runs, np.array(middles), round(x) + size


def struck(rng: np.random.Generator, runs: list[Run], size: int) -> list[Run]:
    """The letters of the runs one by one, as the types of a machine hit the ribbon and the paper."""
    force, height = float(rng.uniform(0, 0.25)), float(rng.uniform(0, 0.03))
    habits = {c: rng.normal(0, 1, 2) for run in runs for c in run.text}  # of each type, on top of chance
    found: list[Run] = []
    for run in runs:
        x = run.x
        for char in run.text:
            up, soft = 0.7 * habits[char] + 0.7 * rng.normal(0, 1, 2)
            ink = round(255 * min(1.0, max(0.25, 1.1 - force * abs(soft))))
            found.append(Run(x, char, run.face, run.features, run.down + height * up, ink))
            x += run.face.advance(size, char)
    return found


def set_by_sorts(
    rng: np.random.Generator, text: str, fount: Fount, capitals: Fount
) -> tuple[list[Run], np.ndarray, int]:
    """Places the sorts of an early fount one by one.

    A first word in capitals is spaced, and begins with a larger one now and then; a line of nothing but
    capitals is spaced widely, as titles are.

    Args:
        rng: Source of all randomness.
        text: The line, its words in capitals where that is wanted.
        fount: What the line is set from.
        capitals: What capitals at the beginning are set from.

    Returns:
        Runs of one sort each, the middle of every character, and the width.
    """
    size = fount.size
    blank = size * float(rng.uniform(0.16, 0.45))
    # compositors saved the blank after a stop, where transcriptions have one
    after_stop = blank * float(rng.uniform(0, 0.5) if rng.random() < 0.4 else 1.0)
    tracking, loose = size * float(rng.normal(0, 0.008)), size * float(rng.uniform(0, 0.012))
    height = float(rng.uniform(0, 0.012))
    runs: list[Run] = []
    middles: list[float] = []
    x = float(size)
    words = text.split(" ")
    title = text.isupper() and capitals.main.covers(text) and rng.random() < 0.7
    wide = size * float(rng.uniform(0.02, 0.8)) if title else tracking
    if title:
        blank = after_stop = max(blank, 2 * wide)
    for i, word in enumerate(words):
        opening = not i and not title and len(word) > 2 and word.isupper() and capitals.main.covers(word)
        used = capitals if title or opening else fount
        between = size * float(rng.uniform(0.02, 0.5)) if opening else wide
        large = opening and rng.random() < 0.6
        for place, unit in enumerate(list(word) if title or opening else used.units(word)):
            sort = (fount if large and place == 0 else used).sort(unit, first=place == 0)
            run = Run(x, unit, used.main, down=height * float(rng.normal()), sort=sort)
            runs.append(run)
            middles += [x + sort.advance * (k + 0.5) / len(unit) for k in range(len(unit))]
            x += sort.advance + between + loose * float(rng.normal())
        if i + 1 < len(words):
            gap = (after_stop if word[-1:] in ",.;:" else blank) * float(rng.uniform(0.8, 1.2))
            middles.append(x + gap / 2)
            x += gap
    return runs, np.array(middles), round(x) + size
