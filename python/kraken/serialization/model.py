"""The page as the templates see it: entities, lines, segments and glyphs with running numbers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
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


@dataclass(slots=True)
class Segment:
    """A word or a run of white space.

    Attributes:
        index: Running number in the document.
        text: The code points.
        first: Running number of the first code point in the document.
        span: Place of the code points in the line.
        box: Box around all code points.
        confidences: Confidence of each code point, as the record states it.
        boundary: Outline, ``None`` for bbox records.
        line_cuts: Outline of each code point of the line.
    """

    index: int
    text: str
    first: int
    span: slice
    box: Box
    confidences: list[Any]
    boundary: Points | None
    line_cuts: Sequence[Points] | NDArray[np.int64]

    @property
    def cuts(self) -> Sequence[Points]:
        """Outline of each code point."""
        cuts = self.line_cuts[self.span]
        return cuts.tolist() if isinstance(cuts, np.ndarray) else cuts

    @property
    def glyphs(self) -> Iterable[Glyph]:
        """One entry for each code point."""
        numbers = range(self.first, self.first + len(self.text))
        cuts = self.cuts
        return zip(numbers, self.text, map(box_of, cuts), cuts, self.confidences, strict=True)

    @property
    def confidence(self) -> Any:
        """Mean confidence of the code points."""
        return sum(self.confidences) / len(self.confidences)

    @property
    def is_space(self) -> bool:
        """Whether the segment holds nothing visible."""
        return self.text.isspace()


@dataclass(slots=True)
class Line:
    """A line.

    Attributes:
        source: The line or record it was made of.
        id: Identifier in the document.
        box: Box, ``None`` without geometry.
        boundary: Outline, empty without geometry.
        baseline: ``None`` for bbox lines.
        segments: Words and runs of white space; empty if the text is written as a whole.
        text: The text where it's written as a whole, otherwise ``None``.
        quads: Outlines of the code points as an array (n, 4, 2), ``None`` if some aren't
            quadrangles with whole coordinates.
        extremes: Least and greatest coordinates of the outlines in segments, each (2, n).
        confidences: Confidence of each code point.
    """

    source: Any
    id: str
    box: Box | None
    boundary: Points
    baseline: Points | None
    segments: list[Segment] = field(default_factory=list)
    text: str | None = None
    quads: NDArray[np.int64] | None = None
    extremes: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    confidences: list[Any] = field(default_factory=list)

    @property
    def cuts(self) -> Sequence[Points]:
        """Outline of each code point."""
        return getattr(self.source, "cuts", ())

    @property
    def confidence(self) -> Any:
        """Mean confidence of the code points in the segments."""
        values = [value for segment in self.segments for value in segment.confidences]
        return sum(values) / len(values)


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
    count = len(record.prediction)
    if len(line.confidences) < count:
        return False
    texts = [text for text in _SEGMENTS.split(record.prediction) if text]
    starts = [0, *accumulate(map(len, texts))][: len(texts)]
    spans = [slice(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]
    cuts: Any
    line.quads, outlines = _quads(record, starts)
    if line.quads is not None and len(line.quads) >= count and texts:
        cuts, (low, high) = line.quads, extremes(line.quads[:count])
        line.extremes = low, high
        left, top = np.minimum.reduceat(low, starts, axis=1).tolist()
        right, bottom = np.maximum.reduceat(high, starts, axis=1).tolist()
        boxes = list(zip(left, top, right, bottom, strict=True))
    else:
        line.quads, cuts = None, record.cuts
        if len(cuts) < count or not all(map(len, cuts[:count])):
            return False
        boxes = [_around(list(map(box_of, cuts[span]))) for span in spans]
    for text, span, box, outline in zip(texts, spans, boxes, outlines, strict=True):
        line.segments.append(
            Segment(
                index=page.segment_count,
                text=text,
                first=page.glyph_count,
                span=span,
                box=box,
                confidences=line.confidences[span],
                boundary=outline,
                line_cuts=cuts,
            )
        )
        page.segment_count += 1
        page.glyph_count += len(text)
    return True


def extremes(quads: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Least and greatest coordinates of n quadrangles, as arrays (2, n)."""
    a, b, c, d = quads.transpose(1, 2, 0)
    # Several times as fast as reducing along the short axis.
    low = np.minimum(np.minimum(a, b), np.minimum(c, d))
    return low, np.maximum(np.maximum(a, b), np.maximum(c, d))


def _around(boxes: list[Box]) -> Box:
    """Box around boxes."""
    if len(boxes) == 1:
        return boxes[0]
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return min(x0s), min(y0s), max(x1s), max(y1s)


def _quads(record: Any, starts: list[int]) -> tuple[NDArray[np.int64] | None, Sequence[Points | None]]:
    """``record.cuts`` as an array (n, 4, 2) and outlines of segments, ``record[a:b][1]``.

    A page has thousands of cuts; as an array they're many times as fast as lists of points.

    Args:
        record: The record.
        starts: Index of the first code point of each segment.

    Returns:
        ``None`` for the cuts if they're of another shape, and for the outlines of bbox records.
    """
    none = [None] * len(starts)
    if record.type == "bbox":
        try:
            cuts = np.array(record.cuts)
        except (ValueError, TypeError):
            return None, none
        whole = cuts.ndim == 3 and cuts.shape[1:] == (4, 2) and cuts.dtype == np.int64
        return (cuts if whole else None), none
    count = len(record.prediction)
    if not record._has_cuts or len(record._cuts) < count or not starts:
        return None, none
    pairs = as_points(record._cuts, "cuts")
    inner = pairs[:count]
    nearest = np.minimum.reduceat(np.minimum(inner[:, 0], inner[:, 1]), starts)
    farthest = np.maximum.reduceat(np.maximum(inner[:, 0], inner[:, 1]), starts)
    spans = np.stack([nearest, farthest], axis=1)
    baseline, boundary = record._geometry
    line, ring = as_points(baseline, "baseline"), as_points(boundary, "boundary")
    corners, complete = cut_corners(line, ring, np.concatenate([pairs, spans]))
    outlines = as_sections(corners[len(pairs) :], complete[len(pairs) :])
    return (corners[: len(pairs)] if complete[: len(pairs)].all() else None), outlines


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
