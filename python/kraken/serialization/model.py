"""The page as the templates see it: entities, lines, segments and glyphs with running numbers."""

from __future__ import annotations

import logging
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kraken.containers import Region, Segmentation
from kraken.containers.sections import as_points, as_sections, cut_corners
from kraken.serialization.geometry import Box, Points, box_of

logger = logging.getLogger("kraken.serialization")

# Unicode property White_Space; str.isspace() holds for more characters.
_SEGMENTS = re.compile("([\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+)")

# Running number in the document, code point, box of its cut, cut, confidence.
Glyph = tuple[int, str, Box, Points, Any]

# Corners (n, 4, 2) of n outlines, and for each whether it's whole; of others the first two points count.
Outlines = tuple[NDArray[np.int64], NDArray[np.bool_]]


@dataclass(slots=True)
class Segment:
    """A word or a run of white space.

    Attributes:
        index: Running number in the document.
        text: The code points.
        first: Running number of the first code point in the document.
        box: Box around all code points.
        confidences: Confidence of each code point, as the record states it.
        boundary: Outline, ``None`` for bbox records.
        cuts: Outline of each code point.
    """

    index: int
    text: str
    first: int
    box: Box
    confidences: list[Any]
    boundary: Points | None
    cuts: Sequence[Points]

    @property
    def glyphs(self) -> Iterable[Glyph]:
        """One entry for each code point."""
        numbers = range(self.first, self.first + len(self.text))
        return zip(numbers, self.text, map(box_of, self.cuts), self.cuts, self.confidences, strict=True)

    @property
    def confidence(self) -> Any:
        """Mean confidence of the code points."""
        return sum(self.confidences) / len(self.confidences)

    @property
    def is_space(self) -> bool:
        """Whether the segment holds nothing visible."""
        return self.text.isspace()


@dataclass
class Line:
    """A line.

    Attributes:
        source: The line or record it was made of.
        id: Identifier in the document.
        box: Box, ``None`` without geometry.
        boundary: Outline, empty without geometry.
        baseline: ``None`` for bbox lines.
        text: The text where it's written as a whole, otherwise ``None``.
        content: The text where it's written as segments, otherwise empty.
        starts: Where each segment starts in ``content``.
        first_segment: Running number of the first segment in the document.
        first_glyph: Running number of the first code point in the document.
        confidences: Confidence of each code point.
        cut_outlines: Outlines of all cuts of the record as arrays, ``None`` if some aren't
            quadrangles with whole coordinates.
        segment_outlines: Outlines of the segments, ``None`` for bbox records.
    """

    source: Any
    id: str
    box: Box | None
    boundary: Points
    baseline: Points | None
    text: str | None = None
    content: str = ""
    starts: list[int] = field(default_factory=list)
    first_segment: int = 0
    first_glyph: int = 0
    confidences: list[Any] = field(default_factory=list)
    cut_outlines: Outlines | None = None
    segment_outlines: Outlines | None = None

    @property
    def cuts(self) -> Sequence[Points]:
        """Outline of each code point."""
        return getattr(self.source, "cuts", ())

    @property
    def confidence(self) -> Any:
        """Mean confidence of the code points in the segments."""
        return sum(self.confidences[: len(self.content)]) / len(self.content)

    @cached_property
    def segments(self) -> list[Segment]:
        """Words and runs of white space; empty if the text is written as a whole.

        Made when something needs them one by one, as most documents don't.
        """
        cuts = as_sections(*self.cut_outlines) if self.cut_outlines is not None else self.cuts
        boundaries: Sequence[Points | None] = [None] * len(self.starts)
        if self.segment_outlines is not None:
            boundaries = as_sections(*self.segment_outlines)
        found = []
        ends = [*self.starts[1:], len(self.content)][: len(self.starts)]
        for i, (start, end) in enumerate(zip(self.starts, ends, strict=True)):
            inside = cuts[start:end]
            found.append(
                Segment(
                    index=self.first_segment + i,
                    text=self.content[start:end],
                    first=self.first_glyph + start,
                    box=_around(list(map(box_of, inside))),
                    confidences=self.confidences[start:end],
                    boundary=boundaries[i],
                    cuts=inside,
                )
            )
        return found


@dataclass(slots=True)
class Block:
    """A region with its lines, or a line outside of any region.

    Attributes:
        place: One-based position among the page's entities.
        region: ``None`` for a line outside of any region.
        id: Identifier of the region, ``None`` without one.
        box: Box of the region, ``None`` without geometry.
        boundary: Outline of the region, empty without geometry.
        lines: The lines in output order.
    """

    place: int
    region: Region | None
    id: str | None
    box: Box | None
    boundary: Points
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """Everything that is written.

    Attributes:
        blocks: The page's entities in output order.
        lines: All lines in the order of the segmentation.
        segment_count: Number of segments in the document.
        glyph_count: Number of code points in segments.
    """

    blocks: list[Block]
    lines: list[Line]
    segment_count: int = 0
    glyph_count: int = 0


def tag_values(tags: Any) -> Iterator[tuple[str, dict[Any, Any]]]:
    """Pairs (tag type, dict) of a tag mapping, plain values wrapped and ``None`` left out."""
    for name, values in (tags or {}).items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if isinstance(value, dict):
                fields = {key: entry for key, entry in value.items() if entry is not None}
                if fields or not value:
                    yield name, fields
            elif value is not None:
                yield name, {"type": value}


def typed_values(tags: Any) -> list[tuple[str, str]]:
    """Pairs (tag type, value) of those tags that have a value."""
    return [(str(name), str(value["type"])) for name, value in tag_values(tags) if "type" in value]


def typology(segmentation: Segmentation) -> set[tuple[str, str]]:
    """Distinct pairs (tag type, value) of all lines and regions."""
    owners: list[Any] = list(segmentation.lines or ())
    for regions in (segmentation.regions or {}).values():
        owners.extend(regions)
    return {pair for owner in owners for pair in typed_values(owner.tags)}


def _geometry(line: Any) -> tuple[Box | None, Points, Points | None]:
    """Box, outline and baseline of a line."""
    if line.type == "bbox":
        if not line.bbox:
            return None, [], None
        x0, y0, x1, y1 = line.bbox
        return (x0, y0, x1, y1), [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], None
    boundary = line.boundary
    baseline = line.baseline if line.baseline is not None else []
    if boundary is None or len(boundary) == 0:
        return None, [], baseline
    return box_of(boundary), boundary, baseline


def build(segmentation: Segmentation, *, sub_line: bool) -> Page:
    """Make the model of a segmentation; ``segmentation`` isn't changed.

    Args:
        segmentation: Lines may be records or plain lines, mixed.
        sub_line: Whether words and glyphs are wanted.
    """
    page = Page(blocks=[], lines=[])
    sources: Iterable[Any] = segmentation.lines or ()
    for source in sources:
        box, boundary, baseline = _geometry(source)
        line = Line(source, source.id, box, boundary, baseline)
        page.lines.append(line)
        if hasattr(source, "prediction"):
            line.confidences = list(source.confidences)
            if not sub_line or not _cut(source, line, page):
                line.text = source.prediction
        elif source.text or not sub_line:
            line.text = source.text or ""
    page.blocks = _blocks(segmentation, page.lines)
    return page


def _cut(record: Any, line: Line, page: Page) -> bool:
    """Cut a record into segments and glyphs; not if code points lack cuts or confidences."""
    text = record.prediction
    if len(line.confidences) < len(text):
        return False
    parts = [part for part in _SEGMENTS.split(text) if part]
    starts = [0, *accumulate(map(len, parts))][: len(parts)]
    if starts and record.type == "bbox":
        line.cut_outlines = _quadrangles(record.cuts)
    elif starts:
        line.cut_outlines, line.segment_outlines = _sections(record, starts)
    if line.cut_outlines is None or len(line.cut_outlines[0]) < len(text):
        cuts = record.cuts[: len(text)]
        if len(cuts) < len(text) or not all(map(len, cuts)):
            return False
        line.cut_outlines = None
    line.content, line.starts = text, starts
    line.first_segment, line.first_glyph = page.segment_count, page.glyph_count
    page.segment_count += len(starts)
    page.glyph_count += len(text)
    return True


def _around(boxes: list[Box]) -> Box:
    """Box around boxes."""
    if len(boxes) == 1:
        return boxes[0]
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return min(x0s), min(y0s), max(x1s), max(y1s)


def _quadrangles(cuts: Any) -> Outlines | None:
    """The cuts of a bbox record as arrays, ``None`` if they aren't quadrangles with whole coordinates.

    A page has thousands of cuts; as arrays they're many times as fast as lists of points.
    """
    try:
        if {4}.issuperset(map(len, cuts)):
            points = list(chain.from_iterable(cuts))
            if {2}.issuperset(map(len, points)):
                flat = array("q", chain.from_iterable(points))
                corners = np.frombuffer(flat, np.int64).reshape(-1, 4, 2)
                return corners, np.ones(len(corners), bool)
    except (TypeError, OverflowError):
        pass
    return None


def _sections(record: Any, starts: list[int]) -> tuple[Outlines | None, Outlines | None]:
    """``record.cuts`` and the outlines of its segments, ``record[a:b][1]``, as arrays.

    Args:
        record: The record.
        starts: Index of the first code point of each segment.

    Returns:
        ``None`` for both if the record has no cut for each code point.
    """
    count = len(record.prediction)
    if not record._has_cuts or len(record._cuts) < count:
        return None, None
    pairs = as_points(record._cuts, "cuts")
    nearest = np.minimum.reduceat(pairs[:count].min(axis=1), starts)
    farthest = np.maximum.reduceat(pairs[:count].max(axis=1), starts)
    spans = np.stack([nearest, farthest], axis=1)
    baseline, boundary = record._geometry
    line, ring = as_points(baseline, "baseline"), as_points(boundary, "boundary")
    corners, whole = cut_corners(line, ring, np.concatenate([pairs, spans]))
    cuts = len(pairs)
    return (corners[:cuts], whole[:cuts]), (corners[cuts:], whole[cuts:])


def _blocks(segmentation: Segmentation, lines: list[Line]) -> list[Block]:
    """Group the lines into regions, each region once and at the place of its first line."""
    regions: list[Region] = [r for group in (segmentation.regions or {}).values() for r in group]
    # Of regions with equal ids the last one counts; those without id are different ones.
    by_id = {region.id: region for region in regions}
    blocks: list[Block] = []
    opened: dict[int, Block] = {}

    def append(region: Region | None) -> Block:
        boundary = region.boundary if region is not None and region.boundary is not None else []
        box = box_of(boundary) if len(boundary) else None
        block = Block(len(blocks) + 1, region, region.id if region is not None else None, box, boundary)
        blocks.append(block)
        return block

    for line in lines:
        wanted = line.source.regions
        region = by_id.get(wanted[0]) if wanted else None
        if region is None:
            if wanted:
                logger.warning("Line %s is in region %s, which doesn't exist", line.source.id, wanted[0])
            append(None).lines.append(line)
            continue
        if id(region) not in opened:
            opened[id(region)] = append(region)
        opened[id(region)].lines.append(line)
    for region in regions:
        if id(region) not in opened and (region.id is None or by_id[region.id] is region):
            opened[id(region)] = append(region)
    return blocks
