"""Words and glyphs of lines, read only on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

from lxml import etree

from kraken.lib.xml.document import full_text, is_named
from kraken.lib.xml.points import Point, alto_points, page_points, truncated


@dataclass
class Glyph:
    """One character of a word.

    Attributes:
        text: The character(s).
        boundary: Outline in pixels, ``None`` if there's no usable one.
        confidence: Between 0 and 1 as declared, ``None`` if absent.
        id: Identifier as declared, ``None`` if absent.
    """

    text: str
    boundary: list[Point] | None = None
    confidence: float | None = None
    id: str | None = None


@dataclass
class Word(Glyph):
    """One word of a line, or the space between two where the document holds it as an element.

    Attributes:
        glyphs: The characters if the document has them.
    """

    glyphs: list[Glyph] = field(default_factory=list)


def _confidence(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and isfinite(value) else None


def alto_rectangle(element: etree._Element) -> tuple[int, int, int, int] | None:
    """Box (x, y, x + width, y + height) of an ALTO element, ``None`` unless all four are usable."""
    x, y = truncated(element.get("HPOS")), truncated(element.get("VPOS"))
    w, h = truncated(element.get("WIDTH")), truncated(element.get("HEIGHT"))
    if x is None or y is None or w is None or h is None:
        return None
    return x, y, x + w, y + h


def alto_polygon(element: etree._Element) -> list[Point] | None:
    """Points of the first polygon in an element's ``Shape`` children."""
    for shape in element.iterchildren("{*}Shape"):
        for polygon in shape.iterchildren("{*}Polygon"):
            return alto_points(polygon.get("POINTS"))
    return None


def alto_outline(element: etree._Element) -> list[Point] | None:
    """Polygon of an element, else the corners of its rectangle, else ``None``."""
    polygon = alto_polygon(element)
    if polygon:
        return polygon
    box = alto_rectangle(element)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return [(x0, y0), (x0, y1), (x1, y1), (x1, y0)]


def alto_words(line: etree._Element) -> list[Word]:
    """Words and spaces of an ALTO line, in document order; joined, their texts are the line's text."""
    words = []
    for element in line.iter("{*}String", "{*}SP"):
        text = element.get("CONTENT") or (" " if is_named(element, "SP") else "")
        glyphs = [
            Glyph(g.get("CONTENT") or "", alto_outline(g), _confidence(g.get("GC")), g.get("ID"))
            for g in element.iterchildren("{*}Glyph")
        ]
        confidence = _confidence(element.get("WC"))
        words.append(Word(text, alto_outline(element), confidence, element.get("ID"), glyphs))
    return words


def page_outline(element: etree._Element, name: str = "Coords") -> list[Point] | None:
    """Points of an element's first ``Coords`` (or ``Baseline``) child, ``None`` if unusable."""
    for coords in element.iterchildren(f"{{*}}{name}"):
        return coords_points(coords)
    return None


def coords_points(coords: etree._Element) -> list[Point] | None:
    """Points of a ``Coords`` or ``Baseline``: the attribute, or ``Point`` children as before 2013."""
    points = coords.get("points")
    if points is None and len(coords):
        children = coords.iterchildren("{*}Point")
        points = " ".join(f"{point.get('x')},{point.get('y')}" for point in children)
    return page_points(points)


def chosen_equiv(element: etree._Element) -> etree._Element | None:
    """The valid ``TextEquiv`` child: lowest index if all have one, otherwise the first."""
    equivs = list(element.iterchildren("{*}TextEquiv"))
    if len(equivs) < 2:
        return equivs[0] if equivs else None
    try:
        indices = [int(equiv.get("index") or "") for equiv in equivs]
    except ValueError:
        return equivs[0]
    return equivs[indices.index(min(indices))]


def unicode_text(element: etree._Element) -> str:
    """Text of all ``Unicode`` elements inside an element."""
    return "".join(map(full_text, element.iter("{*}Unicode")))


def page_words(line: etree._Element) -> list[Word]:
    """Words of a PAGE line, in document order."""
    words = []
    for element in line.iterchildren("{*}Word"):
        glyphs = []
        for child in element.iterchildren("{*}Glyph"):
            text, confidence = _equiv(child, unicode_text)
            glyphs.append(Glyph(text, page_outline(child), confidence, child.get("id")))
        text, confidence = _equiv(element, lambda _: "".join(glyph.text for glyph in glyphs))  # noqa: B023
        words.append(Word(text, page_outline(element), confidence, element.get("id"), glyphs))
    return words


def _equiv(element: etree._Element, otherwise: Callable[[etree._Element], str]) -> tuple[str, float | None]:
    """Text and confidence of an element's valid ``TextEquiv``."""
    equiv = chosen_equiv(element)
    if equiv is None:
        return otherwise(element), None
    return unicode_text(equiv), _confidence(equiv.get("conf"))


def page_line_text(line: etree._Element) -> str:
    """Text of a PAGE line: its own, else that of its words, else whatever text is below it."""
    equiv = chosen_equiv(line)
    if equiv is not None:
        return unicode_text(equiv)
    texts = [text for text in (word.text for word in page_words(line)) if text]
    if not texts:
        return unicode_text(line)
    separator = "" if any(text.isspace() for text in texts) else " "
    return separator.join(texts)
