"""Point lists and numbers as ALTO and PAGE write them."""

from __future__ import annotations

import re
from itertools import groupby
from math import isfinite
from operator import eq

Point = tuple[int, int]

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def _pairs(values: list[int]) -> list[Point]:
    """Consecutive values as points, equal neighbours merged; an odd last value is dropped."""
    points = list(zip(values[::2], values[1::2]))
    # Nearly all lists have no repetition: comparing is much cheaper than grouping.
    if any(map(eq, points, points[1:])):
        return [point for point, _ in groupby(points)]
    return points


def truncated(text: str | None) -> int | None:
    """A decimal number truncated toward zero; ``None`` if it's missing, no number or not finite."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if isfinite(value) else None


def alto_points(text: str | None) -> list[Point] | None:
    """Points of an ALTO ``POINTS`` or ``BASELINE`` attribute.

    Args:
        text: Every decimal number in it counts, whatever stands between.

    Returns:
        At least one point, or ``None`` if there's no number, an odd count or an infinite value.
    """
    if not text:
        return None
    try:
        values = list(map(int, text.replace(",", " ").split()))
    except ValueError:
        values = []
    # int() also reads "1_000", which is two numbers here.
    if not values or "_" in text:
        numbers = [float(number) for number in _NUMBER.findall(text)]
        if not all(map(isfinite, numbers)):
            return None
        values = list(map(int, numbers))
    if not values or len(values) % 2:
        return None
    return _pairs(values)


def page_points(text: str | None) -> list[Point] | None:
    """Points of a PAGE ``points`` attribute: ``x,y`` pairs separated by white space.

    Args:
        text: Numbers are taken in sequence and paired, as the pair structure isn't checked.

    Returns:
        At least one point, or ``None`` if any entry is no finite number or there's no pair.
    """
    if not text:
        return None
    entries = ",".join(text.split()).split(",")
    try:
        values = list(map(int, entries))
    except ValueError:
        try:
            numbers = list(map(float, entries))
        except ValueError:
            return None
        if not all(map(isfinite, numbers)):
            return None
        values = list(map(int, numbers))
    return _pairs(values) or None


def bounding_box(points: list[Point]) -> tuple[int, int, int, int]:
    """Box (xmin, ymin, xmax, ymax) of at least one point."""
    xs, ys = zip(*points)
    return min(xs), min(ys), max(xs), max(ys)
