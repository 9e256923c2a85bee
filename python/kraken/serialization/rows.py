"""Words and glyphs as the formats write them, all values escaped and ready for print.

A page has thousands of glyphs and a document is nearly nothing else, so the native templates
hand over the markup of a glyph as a ``%`` pattern and get back the glyphs of a whole word,
instead of evaluating several expressions for each glyph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from markupsafe import escape

from kraken.serialization.geometry import (
    Points,
    alto_box,
    box_corners,
    clipped,
    comma_pairs,
    confidence,
    percentage,
    spaced,
    spaced_box,
    whole_box,
)
from kraken.serialization.model import Line, Segment

_ESCAPED = {char: str(escape(char)) for char in "&<>\"'"}


def _escaped(text: str) -> str:
    return text if text.isalnum() else str(escape(text))


def _alto_glyphs(segment: Segment, pattern: str) -> str:
    rows = []
    for index, char, box, cut, value in segment.glyphs:
        x0, y0, x1, y1 = whole_box(box)
        rows.append(
            pattern
            % (index, _ESCAPED.get(char, char), x0, y0, x1 - x0, y1 - y0, confidence(value), spaced(cut))
        )
    return "\n".join(rows)


def alto_segments(line: Line, pattern: str) -> Iterator[tuple[Any, ...]]:
    """Segments of a line for ALTO.

    Args:
        line: The line.
        pattern: Markup of a glyph with places for running number, text, x, y, width, height,
            confidence and points.

    Yields:
        Whether it's an ``SP``, running number, text, box attributes; for others also confidence,
        points (``None`` without outline) and glyphs.
    """
    for i, segment in enumerate(line.segments):
        box = alto_box(segment.box)
        if i and segment.text.isspace():
            yield True, segment.index, "", box, "", None, ""
            continue
        points = spaced(segment.boundary) if segment.boundary is not None else None
        glyphs = _alto_glyphs(segment, pattern)
        yield (
            False,
            segment.index,
            _escaped(segment.text),
            box,
            confidence(segment.confidence),
            points,
            glyphs,
        )


def page_segments(line: Line, pattern: str) -> Iterator[tuple[int, str, str, str, str]]:
    """Segments of a line for PAGE.

    Args:
        line: The line.
        pattern: Markup of a glyph with places for running number, points, confidence and text.

    Yields:
        Running number, text, points, confidence, glyphs.
    """
    for segment in line.segments:
        outline = segment.boundary if segment.boundary is not None else box_corners(segment.box)
        glyphs = "\n".join(
            [
                pattern % (index, comma_pairs(cut), confidence(value), _ESCAPED.get(char, char))
                for index, char, _, cut, value in segment.glyphs
            ]
        )
        text = _escaped(segment.text)
        yield segment.index, text, comma_pairs(outline), confidence(segment.confidence), glyphs


def hocr_segments(line: Line) -> Iterator[tuple[int, str, str, str, str | None]]:
    """Running number, text, box, confidences and points (``None`` without outline) of each segment."""
    for segment in line.segments:
        points = spaced(segment.boundary) if segment.boundary is not None else None
        confidences = " ".join([str(clipped(value)) for value in segment.confidences])
        yield segment.index, _escaped(segment.text), spaced_box(segment.box), confidences, points


def abbyy_glyphs(line: Line, pattern: str) -> str:
    """All code points of a line for abbyyXML.

    Args:
        line: The line.
        pattern: Markup of a code point with places for left, top, right, bottom, whether a word
            starts, confidence and text.
    """
    rows = []
    for segment in line.segments:
        start = 1
        for _, char, box, _, value in segment.glyphs:
            rows.append(pattern % (*whole_box(box), start, percentage(value), _ESCAPED.get(char, char)))
            start = 0
    return "".join(rows)


def flat(cuts: Iterable[Points]) -> str:
    """All coordinates of all cuts, as hOCR's ``x_bboxes``."""
    return " ".join(map(spaced, cuts))
