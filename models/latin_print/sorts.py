"""Founts of early print that exist no more: sorts of several typefaces mixed, each cut a little differently.

Punches were cut by hand, so the letters of one fount differ in slope, width and height more than those of a
digital typeface do, and no typeface of today has all the forms that printers had. A `Fount` takes each letter
from one of several typefaces, changes it at random, and adds joined letters and the tall v of early italics.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace

import numpy as np
from common.fonts import Face, shaping
from PIL import Image, ImageDraw

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
#: How printers without a sort for it put together the sign for -que.
_QUE_FORMS = ("q;", "q\u0301;", "q3", "qꝫ", QUE)
#: How much larger shapes drawn here are drawn.
_FINE = 4


@dataclass
class Sort:
    """A letter as it prints.

    Attributes:
        ink: Coverage, uint8 (height, width).
        left: x of its left edge, from the pen.
        top: y of its upper edge, from the baseline, downwards.
        advance: How far the pen moves on.
    """

    ink: Image.Image
    left: float
    top: float
    advance: float


class Fount:
    """A fount of `size` pixels per em, cast from several typefaces.

    Args:
        rng: Source of all randomness.
        main: Typeface that has every letter of the text.
        others: Typefaces to take letters from.
        upright: Typeface of the capitals, None for those of the others; early italics had upright ones.
        size: Pixels per em.
        tall_v: Whether a v that begins a word is the tall one.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        main: Face,
        others: list[Face],
        upright: Face | None,
        size: int,
        *,
        tall_v: bool,
    ) -> None:
        self.rng, self.main, self.others, self.upright, self.size = rng, main, others, upright, size
        self.tall_v = tall_v
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
        tall = first and unit == "v" and self.tall_v
        key = "tall v" if tall else unit
        if key not in self._cast:
            self._cast[key] = _tall_v(self.rng, self.size, _x_height(self.main)) if tall else self._made(unit)
        return self._cast[key]

    def _made(self, unit: str) -> Sort:
        rng = self.rng
        face = self._face(unit)
        drawn = self._que if unit == QUE else unit
        if unit == QUE and not face.covers(drawn.replace("\u0301", "")):
            drawn = "q;"
        uneven = self._uneven
        scale = _x_height(self.main) / _x_height(face) * (1 + 0.03 * uneven * rng.normal())
        size = max(6, round(self.size * scale))
        sort = _shaped(face, size, drawn, self._fat)
        wide = 1 + 0.04 * uneven * float(rng.normal())
        aslant = 0.05 * uneven * float(rng.normal())
        down = 0.01 * uneven * size * float(rng.normal())
        return _cut_anew(sort, wide, aslant, down)

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


#: The strokes of a tall v, in x-heights from its left edge on the baseline: Bézier curves, each of which goes
#: on where the one before ends. Two come down from the bow, two go up to the curl of the right arm.
_TALL_V = np.array(
    [
        [(0.92, 1.42), (0.95, 1.85), (0.25, 1.85), (0.02, 1.22)],
        [(0.02, 1.22), (0.05, 0.95), (0.38, 0.50), (0.53, 0.02)],
        [(0.53, 0.02), (0.85, 0.18), (1.15, 0.50), (1.15, 0.82)],
        [(1.15, 0.82), (1.12, 1.10), (0.90, 1.00), (0.70, 0.72)],
    ]
)


def _tall_v(rng: np.random.Generator, size: int, x_height: float) -> Sort:
    """The v that early italics begin words with: its left stroke comes down from a bow at ascender height."""
    unit = size * x_height * _FINE
    strokes = _TALL_V + rng.normal(0, 0.05, _TALL_V.shape)
    strokes[1:, 0] = strokes[:-1, 3]  # pieces go on where the one before ends
    strokes[:2, :3, 1] *= float(rng.uniform(0.85, 1.1))
    strokes[..., 0] += float(rng.uniform(-0.05, 0.2)) * strokes[..., 1]
    left, top = strokes[..., 0].min() - 0.3, strokes[..., 1].max() + 0.3
    width, height = strokes[..., 0].max() + 0.3 - left, top + 0.3
    canvas = Image.new("L", (round(width * unit), round(height * unit)))
    pen = ImageDraw.Draw(canvas)
    thick, thin = float(rng.uniform(0.13, 0.26)), float(rng.uniform(0.06, 0.11))
    nib = (thick * unit * np.array([0.77, 0.64]), thin * unit)
    for stroke in strokes:
        _stroke(pen, (_bezier(stroke, 40) - (left, top)) * (1, -1) * unit, nib)
    x, y = (strokes[0, 0] - (left, top)) * (1, -1) * unit
    ball = float(rng.uniform(0.06, 0.16)) * unit
    pen.ellipse((x - ball, y - ball, x + ball, y + ball), fill=255)
    small = canvas.resize(
        (max(1, canvas.width // _FINE), max(1, canvas.height // _FINE)), Image.Resampling.BOX
    )
    scale = unit / _FINE
    return Sort(small, left * scale, -top * scale, 1.25 * scale)


def _bezier(control: np.ndarray, count: int) -> np.ndarray:
    """Points on a cubic Bézier curve, (count, 2)."""
    t = np.linspace(0, 1, count)[:, None]
    a, b, c, d = control
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _stroke(pen: ImageDraw.ImageDraw, points: np.ndarray, nib: tuple[np.ndarray, float]) -> None:
    """Draws along the points with a broad nib: its edge as a vector, and its thickness, in pixels."""
    edge, thin = nib[0] / 2, nib[1] / 2
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        corners = [
            (x0 - edge[0], y0 - edge[1]),
            (x0 + edge[0], y0 + edge[1]),
            (x1 + edge[0], y1 + edge[1]),
            (x1 - edge[0], y1 - edge[1]),
        ]
        pen.polygon(corners, fill=255)
        for x, y in ((x1 - edge[0], y1 - edge[1]), (x1 + edge[0], y1 + edge[1])):
            pen.ellipse((x - thin, y - thin, x + thin, y + thin), fill=255)
