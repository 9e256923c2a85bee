"""The page as the templates see it: entities, lines, segments and glyphs with running numbers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from kraken.containers import Region, Segmentation
from kraken.containers.sections import as_points, cut_sections
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
        boxes: Box of each code point.
        cuts: Outline of each code point.
        confidences: Confidence of each code point, as the record states it.
        boundary: Outline, ``None`` for bbox records.
    """

    index: int
    text: str
    first: int
    boxes: list[Box]
    cuts: Sequence[Points]
    confidences: list[Any]
    boundary: Points | None

    @property
    def glyphs(self) -> Iterable[Glyph]:
        """One entry for each code point."""
        numbers = range(self.first, self.first + len(self.text))
        return zip(numbers, self.text, self.boxes, self.cuts, self.confidences, strict=True)

    @property
    def box(self) -> Box:
        """Box around all code points."""
        if len(self.boxes) == 1:
            return self.boxes[0]
        x0s, y0s, x1s, y1s = zip(*self.boxes, strict=True)
        return min(x0s), min(y0s), max(x1s), max(y1s)

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
        cuts: Outline of each code point.
        confidences: Confidence of each code point.
    """

    source: Any
    id: str
    box: Box | None
    boundary: Points
    baseline: Points | None
    segments: list[Segment] = field(default_factory=list)
    text: str | None = None
    cuts: Sequence[Points] = ()
    confidences: list[Any] = field(default_factory=list)

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


def _has_geometry(record: Any) -> bool:
    """Whether each code point of a record has a cut and a confidence."""
    count = len(record.prediction)
    cuts = record.cuts
    return len(cuts) >= count and len(record.confidences) >= count and all(map(len, cuts[:count]))


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
            line.cuts = source.cuts
            line.confidences = list(source.confidences)
            if sub_line and _has_geometry(source):
                _cut(source, line, page)
            else:
                line.text = source.prediction
        elif source.text or not sub_line:
            line.text = source.text or ""
    page.blocks = _blocks(segmentation, page.lines)
    return page


def _cut(record: Any, line: Line, page: Page) -> None:
    """Cut a record into segments and glyphs."""
    texts = [text for text in _SEGMENTS.split(record.prediction) if text]
    stops = list(accumulate(map(len, texts)))
    spans = [slice(stop - len(text), stop) for text, stop in zip(texts, stops, strict=True)]
    boxes = list(map(box_of, line.cuts[: len(record.prediction)]))
    outlines = _outlines(record, spans)
    for text, span, outline in zip(texts, spans, outlines, strict=True):
        line.segments.append(
            Segment(
                index=page.segment_count,
                text=text,
                first=page.glyph_count,
                boxes=boxes[span],
                cuts=line.cuts[span],
                confidences=line.confidences[span],
                boundary=outline,
            )
        )
        page.segment_count += 1
        page.glyph_count += len(text)


def _outlines(record: Any, spans: list[slice]) -> Sequence[Points | None]:
    """What ``record[span][1]`` is for each span of a baseline record, all cut in one go."""
    if record.type == "bbox" or not spans:
        return [None] * len(spans)
    distances = [[distance for pair in record._cuts[span] for distance in pair] for span in spans]
    pairs = [(min(values), max(values)) for values in distances]
    baseline, boundary = as_points(record.baseline, "baseline"), as_points(record.boundary, "boundary")
    return cut_sections(baseline, boundary, as_points(pairs, "cuts"))[0]


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
