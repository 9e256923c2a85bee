"""Lines with the words and glyphs of a file as recognition records, so that writers can keep them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kraken._cli.documents import Document
from kraken.containers import BaselineLine, BaselineOCRRecord, BBoxOCRRecord
from kraken.lib.bidi import get_display_map

if TYPE_CHECKING:
    from kraken.lib.xml.words import Glyph, Word

Outline = Sequence[Sequence[float]]
#: Outline that holds a code point, the part of its length that is the code point's, confidence.
Character = tuple[Outline, tuple[float, float], float]


def with_records(document: Document) -> Document:
    """The document, its lines being records where the file states confidences of their words or glyphs.

    Lines whose words don't make up their text, or lack outlines, stay as they are.
    """
    lines = [
        _record(line, document.words.get(line.id, [])) or line for line in document.segmentation.lines or ()
    ]
    return dataclasses.replace(document, segmentation=dataclasses.replace(document.segmentation, lines=lines))


def _record(line: Any, words: list[Word]) -> Any:
    characters = _characters(line.text or "", words)
    if not characters:
        return None
    if isinstance(line, BaselineLine):
        if line.baseline is None or len(line.baseline) < 2 or not line.boundary:
            return None
        spans = _along(line.baseline, [outline for outline, _, _ in characters])
        cuts: list[Any] = [
            (start + (end - start) * share[0], start + (end - start) * share[1])
            for (start, end), (_, share, _) in zip(spans, characters, strict=True)
        ]
        kind: Any = BaselineOCRRecord
    else:
        vertical = line.text_direction.startswith("vertical")
        cuts = [_box(outline, share, vertical) for outline, share, _ in characters]
        kind = BBoxOCRRecord
    confidences = [confidence for _, _, confidence in characters]
    return kind(line.text, cuts, confidences, line, base_dir=line.base_dir, display_order=False)


def _characters(text: str, words: list[Word]) -> list[Character]:
    """For each code point an outline, the part of it that is the code point's, and its confidence.

    Returns:
        An empty list unless the words make up the text, have outlines and confidences.
    """
    found: list[Character] = []
    at = 0
    for word in words:
        start = text.find(word.text, at)
        if start < 0 or text[at:start].strip():
            return []
        for _ in range(start - at):  # blanks that the file doesn't hold as elements
            if not found:
                return []
            found.append((found[-1][0], (1.0, 1.0), found[-1][2]))
        part = _word(word, found[-1][2] if found else None)
        if part is None:
            return []
        found.extend(part)
        at = start + len(word.text)
    return found if len(found) == len(text) else []


def _word(word: Word, before: float | None) -> list[Character] | None:
    glyphs: Sequence[Glyph] = word.glyphs
    usable = glyphs and all(g.boundary and g.confidence is not None for g in glyphs)
    if not usable or "".join(glyph.text for glyph in glyphs) != word.text:
        glyphs = [word]
    parts: list[Character] = []
    for glyph in glyphs:
        # Spaces between words state no confidence.
        confidence = glyph.confidence if glyph.confidence is not None or not glyph.text.isspace() else before
        if not glyph.boundary or confidence is None:
            return None
        count = len(glyph.text)
        # Characters of right-to-left words run against the line.
        reverse = glyph is word and _runs_left(glyph.text)
        for i in range(count):
            k = count - 1 - i if reverse else i
            parts.append((glyph.boundary, (k / count, (k + 1) / count), confidence))
    return parts


def _runs_left(text: str) -> bool:
    return len(text) > 1 and list(get_display_map(text, None)[1]) == list(range(len(text)))[::-1]


def _along(baseline: Outline, outlines: list[Outline]) -> list[tuple[float, float]]:
    """Where outlines begin and end along a baseline, in pixels from its start."""
    points = np.asarray(baseline, dtype=float)
    steps = np.diff(points, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    keep = lengths > 0
    if not keep.any():
        return [(0.0, 0.0)] * len(outlines)
    starts, steps, lengths = points[:-1][keep], steps[keep], lengths[keep]
    offsets = np.concatenate(([0.0], np.cumsum(lengths)[:-1]))
    spans = []
    for outline in outlines:
        away = np.asarray(outline, dtype=float)[:, None] - starts
        share = np.clip((away * steps).sum(axis=2) / lengths**2, 0, 1)
        distance = np.linalg.norm(away - share[..., None] * steps, axis=2)
        nearest = distance.argmin(axis=1)
        position = offsets[nearest] + share[np.arange(len(nearest)), nearest] * lengths[nearest]
        spans.append((float(position.min()), float(position.max())))
    return spans


def _box(outline: Outline, share: tuple[float, float], vertical: bool) -> Any:
    """The part of an outline's box between two shares of its length."""
    xs, ys = [point[0] for point in outline], [point[1] for point in outline]
    x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
    if vertical:
        y0, y1 = y0 + (y1 - y0) * share[0], y0 + (y1 - y0) * share[1]
    else:
        x0, x1 = x0 + (x1 - x0) * share[0], x0 + (x1 - x0) * share[1]
    x0, y0, x1, y1 = (round(value) for value in (x0, y0, x1, y1))
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
