"""Words and glyphs as the formats write them, all values escaped and ready for print.

A page has thousands of glyphs and a document is nearly nothing else, so the native templates
hand over the markup of a glyph as a ``%`` pattern and get back the glyphs of a whole word,
instead of evaluating several expressions for each glyph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from kraken.serialization.geometry import (
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
from kraken.serialization.model import Line

_ESCAPED = {char: str(escape(char)) for char in "&<>\"'"}


def _escaped(text: str) -> str:
    return text if text.isalnum() else str(escape(text))


def _escaped_each(text: str) -> Sequence[str]:
    return text if text.isalnum() else [_ESCAPED.get(char, char) for char in text]


def _confidences(values: list[Any]) -> list[Any]:
    """Confidences as ALTO and PAGE print them."""
    if values and {float}.issuperset(map(type, values)) and min(values) >= 0 and max(values) <= 1:
        return np.round(values, 4).tolist()  # type: ignore[no-any-return]
    return list(map(confidence, values))


def _formatted(pattern: str, *columns: Sequence[Any]) -> list[str]:
    """``pattern % row`` for each row of a table given by its columns, in one go."""
    count = len(columns[0])
    values: list[Any] = [None] * (count * len(columns))
    for i, column in enumerate(columns):
        values[i :: len(columns)] = column
    # Texts hold no NUL, for XML forbids it.
    return ("\0".join([pattern] * count) % tuple(values)).split("\0") if count else []


def _strings(quads: NDArray[np.int64], pattern: str) -> list[str]:
    """Each quadrangle by a pattern for its eight coordinates."""
    values = tuple(quads.ravel().tolist())
    return ("\0".join([pattern] * len(quads)) % values).split("\0") if len(quads) else []


def _quads(line: Line) -> NDArray[np.int64] | None:
    """Cuts of the code points in segments, not negative; ``None`` if they're no quadrangles."""
    if line.quads is None or not line.segments:
        return None
    return np.maximum(line.quads[: line.segments[-1].span.stop], 0)


def _boxes(line: Line) -> tuple[list[int], list[int], list[int], list[int]]:
    """Columns xmin, ymin, xmax, ymax, not negative."""
    assert line.extremes is not None  # there wherever quadrangles are
    (x0, y0), (x1, y1) = (np.maximum(corner, 0).tolist() for corner in line.extremes)
    return x0, y0, x1, y1


def _common(line: Line) -> tuple[range, Sequence[str], list[Any]]:
    """Columns running number, escaped text, confidence of the code points in segments."""
    text = "".join([segment.text for segment in line.segments])
    first = line.segments[0].first
    return range(first, first + len(text)), _escaped_each(text), line.confidences[: len(text)]


def _alto_glyphs(line: Line, pattern: str) -> list[str]:
    if not line.segments:
        return []
    quads = _quads(line)
    if quads is not None:
        numbers, chars, values = _common(line)
        x0, y0, x1, y1 = _boxes(line)
        widths = [right - left for left, right in zip(x0, x1, strict=True)]
        heights = [bottom - top for top, bottom in zip(y0, y1, strict=True)]
        points = _strings(quads, "%d %d %d %d %d %d %d %d")
        return _formatted(pattern, numbers, chars, x0, y0, widths, heights, _confidences(values), points)
    rows = []
    for segment in line.segments:
        for index, char, box, cut, value in segment.glyphs:
            left, top, right, bottom = whole_box(box)
            char = _ESCAPED.get(char, char)
            size = (right - left, bottom - top)
            rows.append(pattern % (index, char, left, top, *size, confidence(value), spaced(cut)))
    return rows


def _page_glyphs(line: Line, pattern: str) -> list[str]:
    if not line.segments:
        return []
    quads = _quads(line)
    if quads is not None:
        numbers, chars, values = _common(line)
        return _formatted(
            pattern, numbers, _strings(quads, "%d,%d %d,%d %d,%d %d,%d"), _confidences(values), chars
        )
    return [
        pattern % (index, comma_pairs(cut), confidence(value), _ESCAPED.get(char, char))
        for segment in line.segments
        for index, char, _, cut, value in segment.glyphs
    ]


def alto_segments(line: Line, glyph: str, word: str, outline: str, space: str) -> str:
    """Segments of a line for ALTO.

    Args:
        line: The line.
        glyph: Markup of a glyph with places for running number, text, x, y, width, height,
            confidence and points.
        word: Markup of a word with places for running number, text, box attributes, confidence,
            outline and glyphs.
        outline: Markup of an outline with a place for points.
        space: Markup of white space with places for running number and box attributes.
    """
    glyphs = _alto_glyphs(line, glyph)
    rows = []
    for i, segment in enumerate(line.segments):
        box = alto_box(segment.box)
        if i and segment.text.isspace():
            rows.append(space % (segment.index, box))
            continue
        shape = outline % spaced(segment.boundary) if segment.boundary is not None else ""
        text, inner = _escaped(segment.text), "\n".join(glyphs[segment.span])
        rows.append(word % (segment.index, text, box, confidence(segment.confidence), shape, inner))
    return "\n".join(rows)


def page_segments(line: Line, glyph: str, word: str) -> str:
    """Segments of a line for PAGE.

    Args:
        line: The line.
        glyph: Markup of a glyph with places for running number, points, confidence and text.
        word: Markup of a word with places for running number, points, glyphs, confidence and text.
    """
    glyphs = _page_glyphs(line, glyph)
    rows = []
    for segment in line.segments:
        points = comma_pairs(segment.boundary if segment.boundary is not None else box_corners(segment.box))
        text, inner = _escaped(segment.text), "\n".join(glyphs[segment.span])
        rows.append(word % (segment.index, points, inner, confidence(segment.confidence), text))
    return "\n".join(rows)


def hocr_segments(line: Line, word: str, outline: str) -> str:
    """Segments of a line for hOCR.

    Args:
        line: The line.
        word: Markup of a word with places for running number, box, confidences, outline and text.
        outline: Markup of an outline with a place for points.
    """
    rows = []
    for segment in line.segments:
        shape = outline % spaced(segment.boundary) if segment.boundary is not None else ""
        confidences = " ".join([str(clipped(value)) for value in segment.confidences])
        text = _escaped(segment.text)
        rows.append(word % (segment.index, spaced_box(segment.box), confidences, shape, text))
    return "".join(rows)


def abbyy_glyphs(line: Line, pattern: str) -> str:
    """All code points of a line for abbyyXML.

    Args:
        line: The line.
        pattern: Markup of a code point with places for left, top, right, bottom, whether a word
            starts, confidence and text.
    """
    quads = _quads(line)
    if quads is not None:
        _, chars, values = _common(line)
        starts = [0] * len(chars)
        for segment in line.segments:
            starts[segment.span.start] = 1
        return "".join(_formatted(pattern, *_boxes(line), starts, list(map(percentage, values)), chars))
    rows = []
    for segment in line.segments:
        start = 1
        for _, char, box, _, value in segment.glyphs:
            rows.append(pattern % (*whole_box(box), start, percentage(value), _ESCAPED.get(char, char)))
            start = 0
    return "".join(rows)


def flat_cuts(line: Line) -> str:
    """All coordinates of all cuts of a line, as hOCR's ``x_bboxes``; empty without cuts."""
    if line.quads is not None:
        return " ".join(map(str, np.maximum(line.quads, 0).ravel().tolist()))
    return " ".join(map(spaced, line.cuts))
