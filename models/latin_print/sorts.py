"""Founts of early print that exist no more: sorts of several typefaces mixed, each cut a little differently.

Punches were cut by hand, so the letters of one fount differ in slope, width and height more than those of a
digital typeface do, and no typeface of today has all the forms that printers had. A `Fount` takes each letter
from one of several typefaces, changes it at random, and adds joined letters and those of `strokes`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from common.fonts import Face, shaping
from PIL import Image

from .strokes import Sort, drawn

__all__ = ["QUE", "Fount", "Sort"]

#: The sign for -que, which Unicode has no place for (Medieval Unicode Font Initiative).
QUE = "\ue8bf"
#: Letters that stand on one body in many early founts, and the OpenType features that join them.
_JOINED = (
    "ſſi",
    "ſt",
    "ct",
    "ſi",
    "ſſ",
    "ſp",
    "ſl",
    "ff",
    "fi",
    "fl",
    "us",
    "is",
    "as",
    "st",
    "et",
    "ll",
    "ch",
)
_FEATURES = ["liga", "dlig", "hlig"]
#: How printers without a sort for it put together the sign for -que; what follows a blank is small and low.
_QUE_FORMS = ("q;", "q\u0301;", "q3", "qꝫ", QUE, "q\u0301 s", "q\u0301 3", "q 3", "q\u0301 ;")


class Fount:
    """A fount of `size` pixels per em, cast from several typefaces.

    Args:
        rng: Source of all randomness.
        main: Typeface that has every letter of the text.
        others: Typefaces to take letters from.
        upright: Typeface of the capitals, None for those of the others; early italics had upright ones.
        size: Pixels per em.
        own: Letters of `strokes.DRAWN` that it has; the tall v only begins words.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        main: Face,
        others: list[Face],
        upright: Face | None,
        size: int,
        own: Collection[str] = (),
    ) -> None:
        self.rng, self.main, self.others, self.upright, self.size = rng, main, others, upright, size
        self.own = own
        self._mixed = float(rng.uniform(0.2, 1.0)) if others else 0.0
        self._uneven = float(rng.uniform(0.3, 1.3))
        self._joined = [letters for letters in _JOINED if rng.random() < 0.5]
        # sorts that are filed down and inked well print fat, and touch
        self._fat = size * float(rng.uniform(0, 0.035)) if rng.random() < 0.5 else 0.0
        self._que = _QUE_FORMS[int(rng.integers(len(_QUE_FORMS)))]
        self._cast: dict[str, Sort] = {}

    def units(self, word: str) -> list[str]:
        """The word in pieces that stand on one body each."""
        found: list[str] = []
        i = 0
        while i < len(word):
            pair = next((p for p in self._joined if word.startswith(p, i)), word[i])
            # combining marks belong to their letter
            while i + len(pair) < len(word) and 0x300 <= ord(word[i + len(pair)]) < 0x370:
                pair += word[i + len(pair)]
            found.append(pair)
            i += len(pair)
        return found

    def sort(self, unit: str, *, first: bool) -> Sort:
        """The sort for a piece; `first` says whether a word begins with it."""
        key = "tall v" if first and unit == "v" and "tall v" in self.own else unit
        if key not in self._cast:
            x_height = self.size * _x_height(self.main)
            self._cast[key] = drawn(key, self.rng, x_height) if key in self.own else self._made(unit)
        return self._cast[key]

    def _made(self, unit: str) -> Sort:
        rng = self.rng
        face = self._face(unit)
        if len(unit) > 1 and unit.isalpha() and not _is_joined(face, unit):
            return self._touching(unit)
        shown, _, low = (self._que if unit == QUE else unit).partition(" ")
        if unit == QUE and not face.covers(shown.replace("\u0301", "")):
            shown = "q;"
        uneven = self._uneven
        scale = _x_height(self.main) / _x_height(face) * (1 + 0.03 * uneven * rng.normal())
        size = max(6, round(self.size * scale))
        sort = _shaped(face, size, shown, self._fat)
        if low:
            tail = _shaped(face, max(4, round(size * float(rng.uniform(0.5, 0.8)))), low, self._fat)
            sort = _beside(
                sort, tail, size * float(rng.uniform(-0.12, 0.0)), size * float(rng.uniform(0.1, 0.3))
            )
        wide = 1 + 0.04 * uneven * float(rng.normal())
        aslant = 0.05 * uneven * float(rng.normal())
        down = 0.01 * uneven * size * float(rng.normal())
        return _cut_anew(sort, wide, aslant, down)

    def _touching(self, unit: str) -> Sort:
        """The letters of a piece that no typeface joins, so near that most of them touch."""
        body, *others = (self.sort(letter, first=False) for letter in unit)
        for letter in others:
            body = _beside(body, letter, -self.size * float(self.rng.uniform(0, 0.09)), 0.0)
        return body

    def _face(self, unit: str) -> Face:
        rng = self.rng
        if self.upright and unit[0].isupper() and self.upright.covers(unit):
            return self.upright
        if rng.random() >= self._mixed:
            return self.main
        candidates = [f for f in self.others if unit == QUE or f.covers(unit)]
        if len(unit) > 1:  # rather one that joins them
            joining = [f for f in (self.main, *candidates) if _is_joined(f, unit)]
            candidates = joining or candidates
        return candidates[int(rng.integers(len(candidates)))] if candidates else self.main


@functools.cache
def _x_height(face: Face) -> float:
    """Height of the letter x in em."""
    _, top, _, bottom = face.at(100).getbbox("x", anchor="ls")
    return max(0.2, (bottom - top) / 100)


@functools.cache
def _is_joined(face: Face, unit: str) -> bool:
    font = face.at(40)
    joined, apart = (shaping(font, features) for features in (_FEATURES, ["-liga"]))
    return bytes(font.getmask(unit, features=joined)) != bytes(font.getmask(unit, features=apart))


def _shaped(face: Face, size: int, text: str, fat: float) -> Sort:
    """The text in the typeface, its edges moved out by `fat` pixels."""
    font = face.at(size)
    features = shaping(font, _FEATURES) if len(text) > 1 else None
    mask, (left, top) = font.getmask2(
        text, "L", anchor="ls", features=features, stroke_width=fat, stroke_filled=True
    )
    width, height = mask.size
    advance = font.getlength(text, features=features)
    if not width or not height:
        return Sort(Image.new("L", (1, 1)), 0, 0, advance)
    return Sort(Image.frombytes("L", (width, height), bytes(mask)), left, top, advance)


def _beside(sort: Sort, other: Sort, space: float, down: float) -> Sort:
    """Both sorts on one body, the other to the right and lower."""
    x = round(sort.advance + space + other.left - sort.left)
    y = round(other.top + down - sort.top)
    left, top = min(0, x), min(0, y)
    width = max(sort.ink.width, x + other.ink.width) - left
    height = max(sort.ink.height, y + other.ink.height) - top
    ink = Image.new("L", (width, height))
    ink.paste(sort.ink, (-left, -top))
    ink.paste(255, (x - left, y - top), other.ink)
    return Sort(ink, sort.left + left, sort.top + top, sort.advance + space + other.advance)


def _cut_anew(sort: Sort, wide: float, aslant: float, down: float) -> Sort:
    """The sort made wider, slanted to the right and moved down."""
    width, height = sort.ink.size
    room = int(np.ceil(abs(aslant) * height)) + 1
    new_size = (max(1, round(width * wide)) + 2 * room, height)
    # from new pixels to old ones, where rows above the baseline (y < -top) move to the right
    warp = (1 / wide, aslant / wide, (aslant * sort.top - room) / wide, 0, 1, 0)
    ink = sort.ink.transform(new_size, Image.Transform.AFFINE, warp, Image.Resampling.BILINEAR)
    return replace(
        sort, ink=ink, left=sort.left * wide - room, top=sort.top + down, advance=sort.advance * wide
    )
