"""Words and glyphs of a line as the formats write them, all values escaped.

Templates hand over patterns with fields in braces, which a kernel fills in. What the kernel's
arrays can't hold, such as outlines that aren't quadrangles or confidences that aren't between 0 and
1, is written by Python in the same way.

Fields of patterns are ``number`` (running number in the document), ``text``, ``x``, ``y``, ``right``,
``bottom``, ``width``, ``height``, ``points`` (``x y x y``), ``pairs`` (``x,y x,y``), ``confidence``,
``percent``; of glyphs ``start`` (1 for the first of a word, else 0); of words ``glyphs``,
``outline`` and ``confidences`` (of the glyphs).
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from kraken._rust import text as _text
from kraken.serialization.geometry import (
    Box,
    Frame,
    Points,
    box_corners,
    clipped,
    confidence,
    percentage,
)
from kraken.serialization.model import Line


def segments(
    line: Line, frame: Frame, glyph: str, word: str, outline: str = "", space: str | None = None
) -> Markup:
    """Markup of all segments of a line.

    Args:
        line: The line.
        frame: Where coordinates are moved into.
        glyph: Pattern of a glyph.
        word: Pattern of a word.
        outline: Pattern of a word's outline, left out for words of bbox records.
        space: Pattern of white space behind the first segment, ``None`` for that of words.
    """
    values = line.confidences[: len(line.content)]
    fractions = {float}.issuperset(map(type, values)) and (
        not values or (min(values) >= 0 and max(values) <= 1)
    )
    if line.cut_outlines is None or not fractions:
        return Markup(plain_segments(line, frame, glyph, word, outline, space))
    corners, whole = line.cut_outlines
    return Markup(
        _text.line_markup(
            line.content,
            line.starts,
            (corners[: len(values)], whole[: len(values)]),
            line.segment_outlines,
            values,
            (line.first_segment, line.first_glyph),
            frame.limits,
            (glyph, word, outline, space),
        )
    )


def plain_segments(line: Line, frame: Frame, glyph: str, word: str, outline: str, space: str | None) -> str:
    """What the kernel does, for any kind of outlines and confidences."""
    parts = []
    for i, segment in enumerate(line.segments):
        glyphs = [
            glyph.format(start=int(n == 0), **_fields(frame, index, char, box, cut, value))
            for n, (index, char, box, cut, value) in enumerate(segment.glyphs)
        ]
        points = segment.boundary if segment.boundary is not None else box_corners(segment.box)
        fields = _fields(frame, segment.index, segment.text, segment.box, points, segment.confidence)
        blank = space is not None and i > 0 and segment.is_space
        parts.append(
            (space if blank and space is not None else word).format(
                glyphs="".join(glyphs),
                outline=outline.format(**fields) if segment.boundary is not None else "",
                confidences=" ".join([str(clipped(value)) for value in segment.confidences]),
                start=1,
                **fields,
            )
        )
    return "".join(parts)


def _fields(frame: Frame, number: int, text: str, box: Box, points: Points, value: Any) -> dict[str, Any]:
    x0, y0, x1, y1 = frame.box(box)
    return {
        "number": number,
        "text": escape(text),
        "x": x0,
        "y": y0,
        "right": x1,
        "bottom": y1,
        "width": x1 - x0,
        "height": y1 - y0,
        "points": frame.spaced(points),
        "pairs": frame.pairs(points),
        "confidence": confidence(value),
        "percent": percentage(value),
    }


def flat_cuts(line: Line, frame: Frame) -> str:
    """All coordinates of all cuts of a line, as hOCR's ``x_bboxes``; empty without cuts."""
    if line.cut_outlines is None or len(line.cut_outlines[0]) > len(line.content):
        return " ".join(map(frame.spaced, line.cuts))
    return segments(line, frame, "{points} ", "{glyphs}").rstrip()
