"""Documents with changed polygons and everything else as it was."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lxml import etree

from kraken.lib.xml.document import is_named, parse_file

Ring = Sequence[Sequence[int]]


def with_polygons(filename: str | os.PathLike[str], rings: Mapping[str, Ring]) -> bytes:
    """Replaces the polygons of lines in an ALTO or PageXML file.

    Args:
        filename: The document.
        rings: Polygons (x, y) in pixels by the ids of their lines; other lines keep theirs.

    Returns:
        The document, encoded in UTF-8 with a prolog. Comments and processing instructions are kept.

    Raises:
        OSError: The file can't be read.
        ValueError: The content isn't XML.
    """
    tree = parse_file(Path(filename), keep_all=True)
    for line in tree.getroot().iter("{*}TextLine"):
        alto = line.get("ID") is not None
        ring = rings.get(line.get("ID" if alto else "id") or "")
        if ring is not None:
            (_set_alto if alto else _set_page)(line, ring)
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next(parent.iterchildren(f"{{*}}{name}"), None)


def _named(parent: etree._Element, name: str) -> etree._Element:
    """A new element of the parent's namespace."""
    return etree.Element(etree.QName(etree.QName(parent).namespace, name))


def _set_alto(line: etree._Element, ring: Ring) -> None:
    """Sets ``Shape/Polygon``; a new ``Shape`` is the first child of its line, as the schema wants."""
    shape = _child(line, "Shape")
    if shape is None:
        shape = _named(line, "Shape")
        line.insert(0, shape)
    polygon = _child(shape, "Polygon")
    if polygon is None:
        # A shape holds one polygon, ellipse or circle.
        for other in list(shape):
            shape.remove(other)
        polygon = _named(shape, "Polygon")
        shape.append(polygon)
    polygon.set("POINTS", " ".join(f"{x} {y}" for x, y in ring))


def _set_page(line: etree._Element, ring: Ring) -> None:
    """Sets ``Coords``; a new one stands behind images only, as the schema wants."""
    coords = _child(line, "Coords")
    if coords is None:
        coords = _named(line, "Coords")
        line.insert(sum(is_named(child, "AlternativeImage") for child in line), coords)
    for point in list(coords.iterchildren("{*}Point")):  # how points were written before 2013
        coords.remove(point)
    coords.set("points", " ".join(f"{x},{y}" for x, y in ring))
