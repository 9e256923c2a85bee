"""ALTO, versions 2 to 4."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from lxml import etree

from kraken.containers.lines import BaseDirection
from kraken.lib.xml.collect import Collector, Context
from kraken.lib.xml.document import first, full_text, image_path, image_size, is_named
from kraken.lib.xml.orders import read_orders
from kraken.lib.xml.points import alto_points
from kraken.lib.xml.tags import AltoTags, Tags, pop_split
from kraken.lib.xml.words import alto_outline, alto_polygon, alto_rectangle, alto_words

#: Block elements of ALTO and the region type that each stands for.
alto_regions: dict[str, str] = {
    "TextBlock": "text",
    "Illustration": "illustration",
    "GraphicalElement": "graphic",
    "ComposedBlock": "composed",
}

_DIRECTIONS: dict[str, BaseDirection] = {"ltr": "L", "rtl": "R", "ttb": "L", "btt": "R"}


class _AltoCollector(Collector):
    id_attribute = "ID"
    kinds: Mapping[str, str] = alto_regions

    def __init__(self, root: etree._Element, filename: Path, linetype: str, level: str) -> None:
        super().__init__(root, filename, linetype, level)
        self.tags = AltoTags(root)
        self.strings: dict[str, str] = {}

    def _language(self, element: etree._Element, tags: Tags, context: Context) -> list[str] | None:
        languages = [value["type"] for value in tags.get("language", ()) if value["type"]]
        declared = element.get("LANG")
        if declared:
            languages.append(declared)
        return languages or context.language

    def read_region(self, element: etree._Element, kind: str, context: Context) -> Context:
        tags = self.tags.resolve(element.get("TAGREFS"))
        by_tag = tags.pop("region", None) or tags.get("type")
        declared = element.get("TYPE")
        value = alto_regions[kind] if declared is None else declared
        tags["type"] = by_tag if by_tag and declared is None else [{"type": value}]
        language = self._language(element, tags, context)
        region = self.add_region(element, alto_outline(element), tags, language)
        return replace(
            context,
            region=region or context.region,
            language=language,
            base_dir=_DIRECTIONS.get(element.get("BASEDIRECTION") or "", context.base_dir),
            inside=True,
        )

    def read_line(self, element: etree._Element, context: Context) -> None:
        geometry: dict[str, Any]
        if self.bbox:
            geometry = {"bbox": alto_rectangle(element)}
            usable = geometry["bbox"] is not None
        else:
            baseline = alto_points(element.get("BASELINE"))
            usable = baseline is not None
            geometry = {"baseline": baseline, "boundary": alto_polygon(element) if usable else None}
        if not usable:
            self.skip_line(element)
            return
        text = []
        strings = []
        for part in element.iter("{*}String", "{*}SP"):
            content = part.get("CONTENT")
            is_string = is_named(part, "String")
            if content or not is_string:
                text.append(content or " ")
            identifier = part.get("ID")
            if identifier is not None and is_string and part.getparent() is element:
                strings.append(identifier)
        references = element.get("TAGREFS")
        tags = self.tags.resolve(references) if references else {}
        line_id = self.add_line(
            element,
            text="".join(text),
            context=context,
            split=pop_split(tags),
            language=self._language(element, tags, context),
            base_dir=_DIRECTIONS.get(element.get("BASEDIRECTION") or "", context.base_dir),
            tags=tags or None,
            geometry=geometry,
        )
        for identifier in strings:
            self.strings.setdefault(identifier, line_id)
        if self.words is not None:
            self.words[line_id] = alto_words(element)

    def describe(self, entry: etree._Element) -> Any:
        """Description of a reading order: the ``type`` tags it refers to."""
        return self.tags.resolve(entry.get("TAGREFS")).get("type", "")


def _check_unit(root: etree._Element, filename: Path) -> None:
    unit = first(root, "MeasurementUnit")
    if unit is not None and full_text(unit).strip() != "pixel":
        raise ValueError(
            f"Coordinates of {filename} are in unit {full_text(unit).strip()!r}, only 'pixel' can be read: "
            f"export the document with pixel coordinates"
        )


def parse_alto(
    doc: etree._ElementTree,
    filename: str | os.PathLike[str],
    linetype: Literal["baselines", "bbox"],
    *,
    level: Literal["line", "word"] = "line",
) -> dict[str, Any]:
    """Read a parsed ALTO document.

    Args:
        doc: The document.
        filename: Path of its file, for messages and for the image's path.
        linetype: Kind of lines to make.
        level: ``word`` keeps words and glyphs.

    Returns:
        A dict with ``imagename``, ``image_size`` (width, height), ``regions`` (type → regions),
        ``lines`` (id → line), ``line_implicit_order``, ``region_implicit_order``, ``tag_set``,
        ``raw_orders``, ``missing_region_ids``, ``string_to_line_map``; with ``level='word'`` also
        ``words`` (line id → words).

    Raises:
        ValueError: Coordinates aren't pixels, or image name, page or page dimensions are missing.
    """
    filename = Path(filename)
    root = doc.getroot()
    _check_unit(root, filename)
    name = first(root, "fileName")
    image = full_text(name).strip() if name is not None else ""
    if not image:
        raise ValueError(f"No image file name in {filename}: element fileName is missing or empty")
    page = first(root, "Page")
    if page is None:
        raise ValueError(f"No element Page in {filename}")
    imagename = image_path(filename, image)
    size = image_size(page.get("WIDTH"), page.get("HEIGHT"), filename, imagename)

    collector = _AltoCollector(root, filename, linetype, level)
    language = page.get("LANG")
    context = Context(language=[language] if language else None)
    for area in root.iterfind("{*}Layout/{*}Page/{*}*"):
        if is_named(area, "PrintSpace") or is_named(area, "Margin"):
            collector.walk(area, context)
    raw_orders = read_orders(root, key="ID", reference="REF", describe=collector.describe, merge_leaves=False)
    return {
        "imagename": imagename,
        "image_size": size,
        **collector.result(),
        "tag_set": collector.tags.used,
        "raw_orders": raw_orders,
        "string_to_line_map": collector.strings,
    }
