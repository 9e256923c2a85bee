"""Letters of early italics that typefaces of today lack, drawn with a broad nib."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["DRAWN", "Shape", "Sort", "drawn"]

#: How much larger the shapes are drawn.
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


@dataclass(frozen=True)
class Shape:
    """How a letter is written.

    Attributes:
        strokes: Bézier curves in x-heights, upright, from the left edge on the baseline. A curve that begins
            where the one before ends goes on from there when both are moved at random.
        slant: Least and most slant to the right.
        broad: Breadth of the nib, 1 for a heavy one.
        ball: Least and most radius of the ball that it begins with, in x-heights.
    """

    strokes: tuple[tuple[tuple[float, float], ...], ...]
    slant: tuple[float, float]
    broad: float
    ball: tuple[float, float] | None = None


# the v that words begin with: two strokes come down from the bow, two go up to the curl of the right arm
_V = (
    ((0.92, 1.42), (0.95, 1.85), (0.25, 1.85), (0.02, 1.22)),
    ((0.02, 1.22), (0.05, 0.95), (0.38, 0.50), (0.53, 0.02)),
    ((0.53, 0.02), (0.85, 0.18), (1.15, 0.50), (1.15, 0.82)),
    ((1.15, 0.82), (1.12, 1.10), (0.90, 1.00), (0.70, 0.72)),
)
# a u whose stems are joined by a broad stroke from foot to head, nearly as in w
_U = (
    ((-0.14, 0.78), (-0.06, 0.88), (0.04, 0.96), (0.12, 1.00)),
    ((0.12, 1.00), (0.12, 0.70), (0.10, 0.35), (0.12, 0.06)),
    ((0.12, 0.06), (0.36, 0.02), (0.58, 0.50), (0.74, 0.98)),
    ((0.74, 0.98), (0.74, 0.70), (0.72, 0.35), (0.74, 0.06)),
    ((0.74, 0.06), (0.82, -0.04), (0.92, 0.10), (1.02, 0.24)),
)
# the & of italics: an epsilon, whose lower bow goes round below and ends in a curl
_AND = (
    ((0.62, 1.40), (0.50, 1.62), (0.16, 1.52), (0.18, 1.24)),
    ((0.18, 1.24), (0.18, 1.06), (0.34, 1.02), (0.48, 1.04)),
    ((0.48, 1.04), (-0.20, 1.04), (-0.26, -0.16), (0.52, -0.16)),
    ((0.52, -0.16), (1.25, -0.16), (1.50, 0.95), (1.06, 1.04)),
    ((1.06, 1.04), (0.66, 1.12), (0.60, 0.46), (0.94, 0.54)),
    ((0.94, 0.54), (1.14, 0.60), (1.20, 1.20), (1.48, 1.38)),
)
# an a whose bow is narrow and whose stem leans
_A = (
    ((0.66, 0.90), (0.34, 1.10), (0.02, 0.70), (0.06, 0.24)),
    ((0.06, 0.24), (0.10, -0.10), (0.42, 0.00), (0.66, 0.84)),
    ((0.70, 0.98), (0.64, 0.60), (0.58, 0.30), (0.62, 0.06)),
    ((0.62, 0.06), (0.66, -0.06), (0.82, 0.06), (0.94, 0.26)),
)
# a full stop, round and above the baseline
_DOT = (((0.20, 0.20), (0.21, 0.22), (0.22, 0.22), (0.23, 0.20)),)
DRAWN = {
    "a": Shape(_A, slant=(0.1, 0.35), broad=0.6),
    ".": Shape(_DOT, slant=(0.0, 0.1), broad=0.5, ball=(0.13, 0.24)),
    "tall v": Shape(_V, slant=(-0.05, 0.2), broad=1.0, ball=(0.06, 0.16)),
    "u": Shape(_U, slant=(0.12, 0.4), broad=0.6),
    "&": Shape(_AND, slant=(-0.05, 0.2), broad=0.6, ball=(0.06, 0.16)),
}


def drawn(name: str, rng: np.random.Generator, x_height: float) -> Sort:
    """One of the letters of `DRAWN`, as no other punch has cut it.

    Args:
        name: Which.
        rng: Source of all randomness.
        x_height: In pixels.
    """
    unit = x_height * _FINE
    shape = DRAWN[name]
    strokes = np.array(shape.strokes)
    follows = [bool((a[3] == b[0]).all()) for a, b in itertools.pairwise(strokes)]
    width = float(strokes[..., 0].max())
    strokes += rng.normal(0, 0.04, strokes.shape)
    for i, goes_on in enumerate(follows):
        if goes_on:
            strokes[i + 1, 0] = strokes[i, 3]
    strokes *= rng.uniform((0.85, 0.93), (1.15, 1.07))
    strokes[..., 0] += float(rng.uniform(*shape.slant)) * strokes[..., 1]
    left, top = strokes[..., 0].min() - 0.3, strokes[..., 1].max() + 0.3
    right, bottom = strokes[..., 0].max() + 0.3, strokes[..., 1].min() - 0.3
    canvas = Image.new("L", (round((right - left) * unit), round((top - bottom) * unit)))
    pen = ImageDraw.Draw(canvas)
    thick, thin = shape.broad * rng.uniform((0.13, 0.06), (0.26, 0.11))
    angle = float(rng.uniform(0.35, 0.85))
    nib = (thick * unit * np.array([np.cos(angle), np.sin(angle)]), thin * unit)
    for stroke in strokes:
        _stroke(pen, (_bezier(stroke, 40) - (left, top)) * (1, -1) * unit, nib)
    if shape.ball:
        x, y = (strokes[0, 0] - (left, top)) * (1, -1) * unit
        ball = float(rng.uniform(*shape.ball)) * unit
        pen.ellipse((x - ball, y - ball, x + ball, y + ball), fill=255)
    size = (max(1, canvas.width // _FINE), max(1, canvas.height // _FINE))
    small = canvas.resize(size, Image.Resampling.BOX)
    return Sort(small, left * x_height, -top * x_height, (width + 0.1) * x_height)


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
