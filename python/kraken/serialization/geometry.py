"""Boxes, and coordinates as the formats write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

Box = tuple[Any, Any, Any, Any]
Points = Sequence[Sequence[Any]]


def max_bbox(boxes: Iterable[Points]) -> Box:
    """Smallest box around several point lists.

    Args:
        boxes: Point lists of (x, y) pairs.

    Returns:
        (xmin, ymin, xmax, ymax).

    Raises:
        ValueError: There's no point.
    """
    points = [point for box in boxes for point in box]
    if not points:
        raise ValueError("No points to compute a bounding box of")
    return box_of(points)


def box_of(points: Points) -> Box:
    """Box (xmin, ymin, xmax, ymax) of at least one point."""
    if len(points) != 4:
        xs, ys = zip(*points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    # Nearly all cuts have four points; comparing is several times as fast as min() and max().
    (a, b), (c, d), (e, f), (g, h) = points
    x0, x1 = (a, c) if a < c else (c, a)
    y0, y1 = (b, d) if b < d else (d, b)
    if e < x0:
        x0 = e
    elif e > x1:
        x1 = e
    if g < x0:
        x0 = g
    elif g > x1:
        x1 = g
    if f < y0:
        y0 = f
    elif f > y1:
        y1 = f
    if h < y0:
        y0 = h
    elif h > y1:
        y1 = h
    return x0, y0, x1, y1


def pixel(value: Any) -> int:
    """A coordinate as consumers of the formats demand it: whole and not negative."""
    number = float(value)
    return max(0, round(number)) if isfinite(number) else 0


# Beyond this no coordinate of an array can be.
_UNLIMITED = 2**63 - 1


class Frame:
    """Writes coordinates as consumers of the formats demand them: whole, not negative, not beyond a page.

    Args:
        width: Largest x, ``None`` without limit.
        height: Largest y, ``None`` without limit.
    """

    def __init__(self, width: int | None = None, height: int | None = None) -> None:
        self.limits = (
            _UNLIMITED if width is None else width,
            _UNLIMITED if height is None else height,
        )

    def points(self, points: Points) -> Points:
        """The points moved into the frame; themselves if they're inside."""
        if not len(points):
            return points
        xs, ys = zip(*points, strict=True)
        right, bottom = self.limits
        whole = {int}.issuperset(map(type, xs + ys))
        if whole and min(xs) >= 0 <= min(ys) and max(xs) <= right and max(ys) <= bottom:
            return points
        return [(min(pixel(x), right), min(pixel(y), bottom)) for x, y in points]

    def spaced(self, points: Points) -> str:
        """``x y x y …`` as ALTO and hOCR write it."""
        return " ".join([f"{x} {y}" for x, y in self.points(points)])

    def pairs(self, points: Points) -> str:
        """``x,y x,y …`` as PAGE writes it, at least two points as its schema demands."""
        text = " ".join([f"{x},{y}" for x, y in self.points(points)])
        return f"{text} {text}" if len(points) == 1 else text

    def box(self, box: Box) -> Box:
        """The box moved into the frame, with sides in ascending order."""
        x0, y0, x1, y1 = box
        (x0, y0), (x1, y1) = self.points([(x0, y0), (x1, y1)])
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def alto_box(self, box: Box) -> str:
        """The box as ALTO's four attributes."""
        x0, y0, x1, y1 = self.box(box)
        return f'HPOS="{x0}" VPOS="{y0}" WIDTH="{x1 - x0}" HEIGHT="{y1 - y0}"'

    def abbyy_box(self, box: Box) -> str:
        """The box as abbyyXML's four attributes."""
        x0, y0, x1, y1 = self.box(box)
        return f'l="{x0}" t="{y0}" r="{x1}" b="{y1}"'

    def spaced_box(self, box: Box) -> str:
        """``x0 y0 x1 y1`` as hOCR writes it."""
        return "{} {} {} {}".format(*self.box(box))


def box_corners(box: Box) -> Points:
    """Corners of a box in the order in which PAGE outlines words without polygon."""
    x0, y0, x1, y1 = box
    return [(x0, y0), (x0, y1), (x1, y1), (x1, y0)]


def clipped(confidence: Any) -> Any:
    """Confidence between 0 and 1; 0 if it's no number."""
    if 0 <= confidence <= 1:
        return confidence
    return 1.0 if confidence > 1 else 0.0


def confidence(value: Any) -> str:
    """Confidence as ALTO and PAGE print it: clipped, with four decimals at most."""
    if not 0 <= value <= 1:
        value = clipped(value)
    if type(value) is int:
        return str(value)
    text = f"{value:.4f}".rstrip("0")
    return f"{text}0" if text[-1] == "." else text


def percentage(value: Any) -> int:
    """Confidence as abbyyXML prints it: a whole number of per cents, truncated."""
    return int(100 * (value if 0 <= value <= 1 else clipped(value)))
