"""Point lists and numbers as ALTO and PAGE write them."""

from __future__ import annotations

import json
import re
from itertools import groupby
from math import isfinite
from operator import eq

Point = tuple[int, int]

_decode = json.JSONDecoder().raw_decode
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def _plain(text: str) -> list[int] | None:
    """Values of a list that holds nothing but digits and single separators, ``None`` for any other.

    Almost all lists are so, and the JSON decoder reads them three times as fast as ``int`` would.
    """
    body = text.replace(" ", ",")
    if not body.replace(",", "").isdigit():
        return None
    try:
        values: list[int] = _decode(f"[{body}]")[0]
    except ValueError:
        return None
    return values


def _pairs(values: list[int]) -> list[Point]:
    """Consecutive values as points, equal neighbours merged; an odd last value is dropped."""
    iterator = iter(values)
    points = list(zip(iterator, iterator, strict=False))
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
    values = _plain(text)
    if values is None:
        numbers = [float(number) for number in _NUMBER.findall(text)]
        if not all(map(isfinite, numbers)):
            return None
        values = list(map(int, numbers))
    if not values or len(values) % 2:
        return None
    return _pairs(values)


def _numbers(entries: list[str]) -> list[int] | None:
    """Integers, or decimals truncated toward zero; ``None`` if any entry is no finite number."""
    try:
        return list(map(int, entries))
    except ValueError:
        pass
    try:
        numbers = list(map(float, entries))
    except ValueError:
        return None
    return list(map(int, numbers)) if all(map(isfinite, numbers)) else None


def page_points(text: str | None) -> list[Point] | None:
    """Points of a PAGE ``points`` attribute: ``x,y`` pairs separated by white space.

    Args:
        text: Numbers are taken in sequence and paired, as the pair structure isn't checked.

    Returns:
        At least one point, or ``None`` if any entry is no finite number or there's no pair.
    """
    if not text:
        return None
    values = _plain(text)
    if values is None:
        values = _numbers(",".join(text.split()).split(","))
        if values is None:
            return None
    return _pairs(values) or None


def bounding_box(points: list[Point]) -> tuple[int, int, int, int]:
    """Box (xmin, ymin, xmax, ymax) of at least one point."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
