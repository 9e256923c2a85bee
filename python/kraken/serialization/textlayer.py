"""Where the words of a page stand: what the invisible text of a searchable PDF is made of."""

from __future__ import annotations

import copy
import logging
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from kraken.containers import (
    BaselineLine,
    BaselineOCRRecord,
    BBoxLine,
    BBoxOCRRecord,
    Segmentation,
    ocr_record,
)
from kraken.containers.sections import precompute_polygon_sections
from kraken.lib.bidi import bidi_class, get_display_map
from kraken.serialization.geometry import Points
from kraken.serialization.model import Line, Segment, build
from kraken.serialization.native import clean

logger = logging.getLogger("kraken.serialization")

Point = tuple[float, float]

# Share of the text height below the baseline, where nothing tells it.
_DESCENT = 0.25
# Smallest gap between words, in text heights: readers of PDFs find words by gaps.
_GAP = 0.2
# Text heights of a page are rounded to this ladder around their median, for readers of PDFs
# take lines of different font sizes for different paragraphs.
_LADDER = 1.25
# Words with less slope are set straight.
_STEEPEST = math.radians(20)
# Text height as share of the distance of lines, at most: readers of PDFs mix lines that overlap.
_OF_PITCH = 0.7
# Text heights that feet of words of a line may differ by, and differences that are left alone.
_SAME_FOOT = 0.4
_FARTHEST_FOOT = 1.5


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word or blank on the page image.

    Attributes:
        text: Code points in the order in which they stand along the line.
        x: Where the foot of the first one starts, in pixels.
        y: The same, downwards.
        angle: Direction of the line in radians, clockwise from rightwards.
        length: Extent along the line in pixels.
        height: Extent across the line in pixels.
    """

    text: str
    x: float
    y: float
    angle: float
    length: float
    height: float


@dataclass(slots=True)
class _Piece:
    """A segment of a line: start on the baseline, direction, extents along and across it."""

    text: str
    rank: int
    start: Point
    along: Point
    length: float
    above: float | None
    below: float | None

    @property
    def is_space(self) -> bool:
        return self.text.isspace()


def place_words(segmentation: Segmentation) -> Iterator[list[PlacedWord]]:
    """Places the words of a page, each as one straight piece.

    Words follow the baseline, or the middle of a box. Their extent is that of the record's cuts;
    the text of lines without cuts is spread evenly over the line. Lines keep their order, words
    the order in which they are read, while code points inside of a word stand in display order.

    Args:
        segmentation: Lines may be records or plain lines, mixed; it isn't changed.

    Yields:
        Words and blanks of a line. Lines without text or place are left out, the latter with a
        warning.

    Raises:
        ValueError: Coordinates aren't numbers.
    """
    page = copy.copy(segmentation)
    page.lines = [record for line in segmentation.lines or () if (record := _record(line)) is not None]
    page.regions, page.line_orders = {}, []
    for record in page.lines:
        record.regions = None
    placed = [pieces for line in build(page, sub_line=True).lines if (pieces := _pieces(line))]
    heights = [
        min(_height(pieces), max(1.0, _OF_PITCH * pitch))
        for pieces, pitch in zip(placed, _pitches(placed), strict=True)
    ]
    middle = median(heights) if heights else 1.0
    for pieces, height in zip(placed, heights, strict=True):
        rounded = middle * _LADDER ** round(math.log(height / middle, _LADDER))
        yield list(_words(pieces, rounded))


def _record(line: Any) -> Any:
    """The line as a record in logical order with a cut for each code point, ``None`` if it has no text."""
    text = line.prediction if isinstance(line, ocr_record) else line.text
    if not text or text.isspace():
        return None
    if isinstance(line, ocr_record):
        record = line.logical_order(line.base_dir)
        if len(record.cuts) >= len(record) and len(record.confidences) >= len(record):
            return copy.copy(record)
        text = record.prediction
    try:
        made = _spread_over_box(line, text) if line.type == "bbox" else _spread_over_baseline(line, text)
    except ValueError as error:
        logger.warning("The text of line %s has no place on the page: %s", line.id, error)
        return None
    return made


def _spans(text: str, base_dir: Any) -> list[tuple[float, float]]:
    """Where the code points of a text start and end in display order, as fractions of its length."""
    _, order = get_display_map(text, base_dir)
    widths = [0.0 if unicodedata.category(text[i])[0] == "M" else 1.0 for i in order]
    total = sum(widths) or 1.0
    spans = [(0.0, 1.0)] * len(text)
    position = 0.0
    for i, width in zip(order, widths, strict=True):
        spans[i] = (position / total, (position + width) / total)
        position += width
    for i in sorted(set(range(len(text))).difference(order)):  # invisible controls
        spans[i] = (spans[i - 1][1],) * 2 if i else (spans[order[0]][0],) * 2 if order else (0.0, 1.0)
    return spans


def _fields(line: Any) -> dict[str, Any]:
    return {"id": line.id, "base_dir": line.base_dir}


def _spread_over_box(line: Any, text: str) -> BBoxOCRRecord:
    if not line.bbox:
        raise ValueError("it has no box")
    x0, y0, x1, y1 = line.bbox
    cuts: list[Any] = []
    for a, b in _spans(text, line.base_dir):
        if line.text_direction.startswith("vertical"):
            left, right, top, bottom = x0, x1, y0 + a * (y1 - y0), y0 + b * (y1 - y0)
        else:
            left, right, top, bottom = x0 + a * (x1 - x0), x0 + b * (x1 - x0), y0, y1
        cuts.append(((left, top), (right, top), (right, bottom), (left, bottom)))
    made = BBoxLine(**_fields(line), bbox=line.bbox, text_direction=line.text_direction)
    return BBoxOCRRecord(text, cuts, [1.0] * len(text), made, line.base_dir, display_order=False)


def _spread_over_baseline(line: Any, text: str) -> BaselineOCRRecord:
    baseline = [] if line.baseline is None else [tuple(point) for point in line.baseline]
    boundary = [] if line.boundary is None else [tuple(point) for point in line.boundary]
    length = sum(math.dist(a, b) for a, b in pairwise(baseline))
    if not length:
        raise ValueError("it has no baseline")
    if baseline[0][0] - baseline[-1][0] > abs(baseline[0][1] - baseline[-1][1]) and _is_rtl(line, text):
        # Some tools draw baselines in the direction of reading; the text isn't upside down there.
        baseline.reverse()
    if len(boundary) < 3:
        boundary = _band(baseline, 1.5 * length / len(text))
    _, _, length = precompute_polygon_sections(baseline, boundary, [(0.0, 0.0)])
    spans = [(a * length, b * length) for a, b in _spans(text, line.base_dir)]
    made = BaselineLine(**_fields(line), baseline=baseline, boundary=boundary)
    return BaselineOCRRecord(text, spans, [1.0] * len(text), made, line.base_dir, display_order=False)


def _is_rtl(line: Any, text: str) -> bool:
    if line.base_dir is not None:
        return bool(line.base_dir == "R")
    strong = (bidi_class(ord(char)) for char in text)
    return next((found for found in strong if found in ("L", "R", "AL")), "L") != "L"


def _band(baseline: Sequence[Point], height: float) -> list[Point]:
    """Outline of a text of some height on a baseline."""
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    up = ((y1 - y0) / length * height, (x0 - x1) / length * height)
    head = [(x + up[0] * (1 - _DESCENT), y + up[1] * (1 - _DESCENT)) for x, y in baseline]
    foot = [(x - up[0] * _DESCENT, y - up[1] * _DESCENT) for x, y in baseline]
    return [*head, *reversed(foot)]


def _pieces(line: Line) -> list[_Piece]:
    """The segments of a line in the order in which they are read."""
    record = line.source
    text = "".join(segment.text for segment in line.segments)
    _, order = get_display_map(text, record.base_dir)
    rank = {i: place for place, i in enumerate(order)}
    pieces = []
    first = 0
    for segment in line.segments:
        inside = range(first, first + len(segment.text))
        first += len(segment.text)
        shown = sorted((i for i in inside if i in rank), key=rank.__getitem__)
        if not shown:
            continue
        visible = " " if segment.is_space else clean("".join(text[i] for i in shown))
        quad, baseline = _outline(line, segment)
        if not all(math.isfinite(value) for point in (*quad, *baseline) for value in point):
            raise ValueError(f"Line {record.id!r} has coordinates that aren't finite")
        pieces.append(_piece(visible, rank[shown[0]], quad, baseline))
    _measure(pieces, line.boundary)
    _part(pieces)
    return pieces


def _measure(pieces: list[_Piece], boundary: Points) -> None:
    """Take extents across the line that no cut tells from the line's outline."""
    for piece in pieces:
        if len(boundary) < 3 or (piece.above or 0) >= 1 <= (piece.below or 0):
            continue
        (x, y), (ux, uy) = piece.start, piece.along
        offsets = [(px - x) * uy - (py - y) * ux for px, py in boundary]
        if (piece.above or 0) < 1:
            piece.above = median([offset for offset in offsets if offset >= 0] or [0.0])
        if (piece.below or 0) < 1:
            piece.below = median([-offset for offset in offsets if offset <= 0] or [0.0])


def _outline(line: Line, segment: Segment) -> tuple[Points, Points]:
    """Left and right of a segment's start, right and left of its end, and the baseline."""
    if line.source.type != "bbox":
        return segment.boundary or (), line.baseline or ()
    x0, y0, x1, y1 = segment.box
    left, top, right, bottom = line.box or segment.box
    if line.source.text_direction.startswith("vertical"):
        foot = left + (right - left) * _DESCENT
        return [(right, y0), (left, y0), (left, y1), (right, y1)], [(foot, top), (foot, bottom)]
    foot = bottom - (bottom - top) * _DESCENT
    return [(x0, top), (x0, bottom), (x1, bottom), (x1, top)], [(left, foot), (right, foot)]


def _piece(text: str, rank: int, quad: Points, baseline: Points) -> _Piece:
    if len(quad) == 2:  # the outline has a hole here, so these are points of the baseline
        (ax, ay), (bx, by) = quad
        length = math.hypot(bx - ax, by - ay)
        along = ((bx - ax) / length, (by - ay) / length) if length else _direction(baseline)
        return _Piece(text, rank, (ax, ay), along, length, None, None)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    heads, tails = ((ax + bx) / 2, (ay + by) / 2), ((cx + dx) / 2, (cy + dy) / 2)
    start, end = _nearest(baseline, heads), _nearest(baseline, tails)
    length = math.dist(start, end)
    # A word past an end of the baseline continues its direction.
    ux, uy = ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length else _direction(baseline)
    reach = (tails[0] - heads[0]) * ux + (tails[1] - heads[1]) * uy
    if reach < 0:
        ux, uy, reach = -ux, -uy, -reach
    shift = (heads[0] - start[0]) * ux + (heads[1] - start[1]) * uy
    x, y = start[0] + shift * ux, start[1] + shift * uy
    # Up is to the left of the direction of the line. At its ends cuts may miss a side of the
    # outline, their corners are on the baseline then.
    above = max((ax - x) * uy - (ay - y) * ux, (dx - x) * uy - (dy - y) * ux)
    below = max((by - y) * ux - (bx - x) * uy, (cy - y) * ux - (cx - x) * uy)
    return _Piece(text, rank, (x, y), (ux, uy), reach, above, below)


def _direction(baseline: Points) -> Point:
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    length = math.hypot(x1 - x0, y1 - y0)
    return ((x1 - x0) / length, (y1 - y0) / length) if length else (1.0, 0.0)


def _nearest(baseline: Points, point: Point) -> Point:
    """Point of a polyline that is nearest to a point."""
    px, py = point
    best, distance = (float(baseline[0][0]), float(baseline[0][1])), math.inf
    for (ax, ay), (bx, by) in pairwise(baseline):
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        share = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square)) if square else 0.0
        found = (ax + share * dx, ay + share * dy)
        if (here := math.dist(found, point)) < distance:
            best, distance = found, here
    return best


def _part(pieces: list[_Piece]) -> None:
    """Shorten words that touch the next one although there's a blank between them."""
    known = [p.above + p.below for p in pieces if p.above is not None and p.below is not None]
    wanted = _GAP * median(known) if known else 0.0
    words = sorted((piece for piece in pieces if not piece.is_space), key=lambda piece: piece.rank)
    for word, following in pairwise(words):
        (x, y), (ux, uy) = word.start, word.along
        gap = (following.start[0] - x) * ux + (following.start[1] - y) * uy - word.length
        if gap < wanted:
            word.length -= min(wanted - gap, word.length / 3)


def _height(pieces: list[_Piece]) -> float:
    known = [p.above + p.below for p in pieces if p.above is not None and p.below is not None]
    if known:
        return max(1.0, median(known))
    return max(1.0, 1.5 * sum(p.length for p in pieces) / sum(len(p.text) for p in pieces))


def _pitches(lines: list[list[_Piece]]) -> list[float]:
    """Distance of each line to the nearest one above or below it, infinite without one."""
    starts = np.array([pieces[0].start for pieces in lines], float).reshape(-1, 2)
    ends = np.array(
        [(p.start[0] + p.along[0] * p.length, p.start[1] + p.along[1] * p.length) for *_, p in lines], float
    ).reshape(-1, 2)
    middles = (starts + ends) / 2
    pitches = []
    for pieces, middle in zip(lines, middles, strict=True):
        (ux, uy), height = pieces[0].along, _height(pieces)
        along, across = np.array([ux, uy]), np.array([uy, -ux])
        reach = np.sort(np.stack([starts @ along, ends @ along]), axis=0)
        beside = (reach[0] < middle @ along) & (middle @ along < reach[1])
        distances = np.abs((middles - middle) @ across)
        # what is nearer continues the line or is written between the lines
        distances = distances[beside & (distances > 0.3 * height)]
        pitches.append(float(distances.min()) if len(distances) else math.inf)
    return pitches


def _words(pieces: list[_Piece], height: float) -> Iterator[PlacedWord]:
    """The pieces as words of equal height around the middle of the line."""
    raised = [(p.above - p.below) / 2 for p in pieces if p.above is not None and p.below is not None]
    middle = median(raised) if raised else height * (0.5 - _DESCENT)
    foot = middle - height / 2
    for piece in pieces:
        (x, y), (ux, uy) = piece.start, piece.along
        yield PlacedWord(
            text=piece.text,
            x=x + foot * uy,
            y=y - foot * ux,
            angle=math.atan2(uy, ux),
            length=max(1.0, piece.length),
            height=height,
        )


def levelled(words: list[PlacedWord]) -> list[PlacedWord]:
    """The words of a line as readers of PDFs take them for one.

    They tear words apart whose characters aren't at one height, and lines whose words aren't. So
    words with little slope become parallel to a side of the page, and come nearer to a common
    foot where that keeps them over their image.
    """
    straight = [_straightened(word) for word in words]
    angle, height = straight[0].angle, straight[0].height
    if any(word.angle != angle for word in straight):
        return straight
    up = (math.sin(angle), -math.cos(angle))
    feet = [word.x * up[0] + word.y * up[1] for word in straight]
    spread = max(feet) - min(feet)
    if not _SAME_FOOT * height < spread < _FARTHEST_FOOT * height:
        return straight
    middle, share = (max(feet) + min(feet)) / 2, 1 - _SAME_FOOT * height / spread
    shifts = [(middle - foot) * share for foot in feet]
    return [
        replace(word, x=word.x + shift * up[0], y=word.y + shift * up[1])
        for word, shift in zip(straight, shifts, strict=True)
    ]


def _straightened(word: PlacedWord) -> PlacedWord:
    """The word parallel to a side of the page if it's nearly so, around the same middle."""
    quarter = math.pi / 2
    straight = round(word.angle / quarter) * quarter
    slope = word.angle - straight
    if abs(slope) > _STEEPEST:
        return word
    shift, rise = word.length / 2, word.height / 2
    x = word.x + shift * math.cos(word.angle) + rise * math.sin(word.angle)
    y = word.y + shift * math.sin(word.angle) - rise * math.cos(word.angle)
    shift *= math.cos(slope)
    return replace(
        word,
        x=x - shift * math.cos(straight) - rise * math.sin(straight),
        y=y - shift * math.sin(straight) + rise * math.cos(straight),
        angle=straight,
        length=2 * shift,
    )


def limited(word: PlacedWord, width: float, height: float) -> PlacedWord:
    """The word moved into a page and made no longer than it."""
    longest = math.hypot(width, height)
    return replace(
        word,
        x=min(max(word.x, 0.0), width),
        y=min(max(word.y, 0.0), height),
        length=min(word.length, longest),
        height=min(word.height, longest),
    )
