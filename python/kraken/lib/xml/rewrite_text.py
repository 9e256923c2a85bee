"""Documents with words and characters, or with an order of lines, added and everything else as it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from lxml import etree

from kraken.lib.xml.document import first, is_named, parse_file
from kraken.lib.xml.words import Glyph, Word

__all__ = ["with_order", "with_words"]


def with_words(filename: str | os.PathLike[str], words: Mapping[str, Sequence[Word]]) -> bytes:
    """Replaces the words of lines in an ALTO or PageXML file.

    Args:
        filename: The document.
        words: Words with their glyphs by the ids of their lines; other lines keep theirs. In ALTO
            they carry the text of their line.

    Returns:
        The document, encoded in UTF-8 with a prolog.

    Raises:
        OSError: The file can't be read.
        ValueError: The content isn't XML.
    """
    tree = parse_file(Path(filename), keep_all=True)
    root = tree.getroot()
    taken = {value for element in root.iter("*") for value in (element.get("ID"), element.get("id")) if value}
    names = _names(taken)
    for line in root.iter("{*}TextLine"):
        alto = line.get("ID") is not None
        found = words.get(line.get("ID" if alto else "id") or "")
        if found:
            (_set_alto if alto else _set_page)(line, found, names)
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")


def _names(taken: set[str]) -> Callable[[str], str]:
    """Gives names that are unique in a document."""

    def unique(stem: str) -> str:
        candidates: Iterator[str] = (f"{stem}{number}" for number in count())
        name = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(name)
        return name

    return unique


def _sub(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    """A new child of the parent's namespace."""
    return etree.SubElement(parent, etree.QName(etree.QName(parent).namespace, name), attrib=attributes)


def _share(confidence: float | None) -> str | None:
    return None if confidence is None else f"{min(1.0, max(0.0, confidence)):.4f}"


def _set_alto(line: etree._Element, words: Sequence[Word], names: Callable[[str], str]) -> None:
    for child in list(line):
        if is_named(child, "}String") or is_named(child, "}SP") or is_named(child, "}HYP"):
            line.remove(child)
    stem = line.get("ID")
    for word in words:
        if word.text.isspace():
            _sub(line, "SP", **_rectangle(word))
            continue
        string = _sub(line, "String", ID=names(f"{stem}_w"), CONTENT=word.text, **_rectangle(word))
        if (share := _share(word.confidence)) is not None:
            string.set("WC", share)
        for glyph in word.glyphs:
            element = _sub(string, "Glyph", ID=names(f"{stem}_g"), CONTENT=glyph.text, **_rectangle(glyph))
            if (share := _share(glyph.confidence)) is not None:
                element.set("GC", share)
            if glyph.boundary:
                points = " ".join(f"{x} {y}" for x, y in glyph.boundary)
                _sub(_sub(element, "Shape"), "Polygon", POINTS=points)


def _rectangle(item: Glyph) -> dict[str, str]:
    if not item.boundary:
        return {}
    xs, ys = [x for x, _ in item.boundary], [y for _, y in item.boundary]
    return {
        "HPOS": str(min(xs)),
        "VPOS": str(min(ys)),
        "WIDTH": str(max(xs) - min(xs)),
        "HEIGHT": str(max(ys) - min(ys)),
    }


def _set_page(line: etree._Element, words: Sequence[Word], names: Callable[[str], str]) -> None:
    for child in list(line.iterchildren("{*}Word")):
        line.remove(child)
    # the schema wants words behind the line's outline and baseline and before its text
    before = [n for n, child in enumerate(line) if _is_geometry(child)]
    place = max(before, default=-1) + 1
    stem = line.get("id")
    for word in words:
        if word.text.isspace() or not word.boundary:
            continue
        element = etree.Element(
            etree.QName(etree.QName(line).namespace, "Word"), attrib={"id": names(f"{stem}_w")}
        )
        line.insert(place, element)
        place += 1
        _sub(element, "Coords", points=_points(word))
        for glyph in word.glyphs:
            if glyph.boundary:
                child = _sub(element, "Glyph", id=names(f"{stem}_g"))
                _sub(child, "Coords", points=_points(glyph))
                _add_text(child, glyph)
        _add_text(element, word)


def _is_geometry(child: etree._Element) -> bool:
    return any(is_named(child, f"}}{name}") for name in ("AlternativeImage", "Coords", "Baseline"))


def _points(item: Glyph) -> str:
    return " ".join(f"{x},{y}" for x, y in item.boundary or ())


def _add_text(parent: etree._Element, item: Glyph) -> None:
    share = _share(item.confidence)
    equiv = _sub(parent, "TextEquiv", **({} if share is None else {"conf": share}))
    _sub(equiv, "Unicode").text = item.text


def with_order(filename: str | os.PathLike[str], order: Sequence[str], name: str) -> bytes:
    """Adds a reading order to an ALTO file.

    Args:
        filename: The document.
        order: Ids of lines or blocks as they are read.
        name: Id of the new order; a number is added if it is in use.

    Returns:
        The document, encoded in UTF-8 with a prolog.

    Raises:
        OSError: The file can't be read.
        ValueError: It isn't XML, or no ALTO.
    """
    tree = parse_file(Path(filename), keep_all=True)
    root = tree.getroot()
    layout = next(root.iterchildren("{*}Layout"), None)
    if layout is None:
        raise ValueError(f"{filename} is no ALTO file: it has no Layout")
    taken = {value for element in root.iter("*") if (value := element.get("ID"))}
    names = _names(taken)
    section = first(root, "ReadingOrder")
    if section is None:
        section = etree.Element(etree.QName(etree.QName(root).namespace, "ReadingOrder"))
        layout.addprevious(section)
    group = _sub(section, "OrderedGroup", ID=name if name not in taken else names(f"{name}_"))
    for reference in order:
        _sub(group, "ElementRef", ID=names(f"{name}_ref"), REF=reference)
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
