"""PageXML, versions 2010 to 2019."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lxml import etree

from kraken.containers.lines import BaseDirection
from kraken.lib.xml.collect import Collector, Context
from kraken.lib.xml.document import first, image_path, image_size, is_named
from kraken.lib.xml.language import iso639_3
from kraken.lib.xml.orders import read_orders
from kraken.lib.xml.points import bounding_box
from kraken.lib.xml.tags import Tags, first_field, parse_custom, pop_split, reading_order_index
from kraken.lib.xml.words import coords_points, page_line_text, page_outline, page_words

logger = logging.getLogger("kraken.lib.xml")

#: Region elements of PAGE and the region type that each stands for.
page_regions: dict[str, str] = {
    "TextRegion": "text",
    "ImageRegion": "image",
    "LineDrawingRegion": "line drawing",
    "GraphicRegion": "graphic",
    "TableRegion": "table",
    "ChartRegion": "chart",
    "MapRegion": "map",
    "SeparatorRegion": "separator",
    "MathsRegion": "maths",
    "ChemRegion": "chem",
    "MusicRegion": "music",
    "AdvertRegion": "advert",
    "NoiseRegion": "noise",
    "UnknownRegion": "unknown",
    "CustomRegion": "custom",
}

_DIRECTIONS: dict[str, BaseDirection] = {
    "left-to-right": "L",
    "right-to-left": "R",
    "top-to-bottom": "L",
    "bottom-to-top": "R",
}


def _language(element: etree._Element, tags: Tags, inherited: list[str] | None) -> list[str] | None:
    values = [chunk.get("type") for chunk in tags.get("language", ())]
    values += [element.get("primaryLanguage"), element.get("secondaryLanguage")]
    return [iso639_3(value) for value in values if value] or inherited


def _direction(element: etree._Element, inherited: BaseDirection | None) -> BaseDirection | None:
    return _DIRECTIONS.get(element.get("readingDirection") or "", inherited)


class _PageCollector(Collector):
    id_attribute = "id"
    kinds: Mapping[str, str] = page_regions

    def __init__(self, root: etree._Element, filename: Path, linetype: str, level: str) -> None:
        super().__init__(root, filename, linetype, level)
        self.region_indices: list[tuple[int, str]] = []
        self.line_indices: list[tuple[int, int, str]] = []

    def read_region(self, element: etree._Element, kind: str, context: Context) -> Context:
        tags = parse_custom(element.get("custom"))
        region_type = element.get("type") or first_field(tags, "structure", "type")
        if region_type is None:
            region_type = first_field(tags, "type", "type") or page_regions[kind]
        index = reading_order_index(tags, f"region {element.get('id')}")
        tags["type"] = [{"type": region_type}]
        language = _language(element, tags, context.language)
        region = self.add_region(element, page_outline(element), tags, language)
        order = context.order
        if region is not None:
            order = index
            if index is not None:
                self.region_indices.append((index, region))
        elif index is not None:
            logger.warning("Region %s has a place in the reading order but no coordinates", element.get("id"))
        return Context(
            region=region or context.region,
            language=language,
            base_dir=_direction(element, context.base_dir),
            inside=True,
            order=order,
        )

    def _geometry(self, element: etree._Element) -> dict[str, Any] | None:
        """Geometry fields of a line; ``None`` if what the line type needs is missing."""
        coords = baseline = None
        for child in element.iterchildren("{*}Coords", "{*}Baseline"):
            if is_named(child, "Coords"):
                coords = child if coords is None else coords
            elif baseline is None:
                baseline = child
        if self.bbox:
            box = coords_points(coords) if coords is not None else None
            return {"bbox": bounding_box(box)} if box else None
        points = coords_points(baseline) if baseline is not None else None
        if not points:
            return None
        return {"baseline": points, "boundary": coords_points(coords) if coords is not None else None}

    def read_line(self, element: etree._Element, context: Context) -> None:
        geometry = self._geometry(element)
        if geometry is None:
            self.skip_line(element)
            return
        tags = parse_custom(element.get("custom"))
        structure = first_field(tags, "structure", "type")
        if structure is not None:
            tags = {"type": [{"type": structure}], **tags}
        index = reading_order_index(tags, f"line {element.get('id')}")
        line_id = self.add_line(
            element,
            text=page_line_text(element),
            context=context,
            split=pop_split(tags),
            language=_language(element, tags, context.language),
            base_dir=_direction(element, context.base_dir),
            tags=tags,
            geometry=geometry,
        )
        if index is not None and context.order is not None:
            self.line_indices.append((context.order, index, line_id))
        if self.words is not None:
            self.words[line_id] = page_words(element)

    def transkribus_orders(self) -> dict[str, dict[str, Any]]:
        """Orders that the ``custom`` attributes of regions and lines state."""
        regions = [region for _, region in sorted(self.region_indices, key=lambda entry: entry[0])]
        orders: dict[str, dict[str, Any]] = {
            "region_transkribus": {
                "order": regions,
                "is_total": len(set(regions)) == len(regions),
                "description": "Explicit region order from `custom` attribute",
                "level": "region",
            }
        }
        if self.line_indices:
            lines = [line for _, _, line in sorted(self.line_indices, key=lambda entry: entry[:2])]
            orders["line_transkribus"] = {
                "order": lines,
                "is_total": len(lines) == len(self.lines),
                "description": "Explicit line order from `custom` attribute",
                "level": "line",
            }
        return orders


def parse_page(
    doc: etree._ElementTree,
    filename: str | os.PathLike[str],
    linetype: Literal["baselines", "bbox"],
    *,
    level: Literal["line", "word"] = "line",
) -> dict[str, Any]:
    """Read a parsed PageXML document; only its first page counts.

    Args:
        doc: The document.
        filename: Path of its file, for messages and for the image's path.
        linetype: Kind of lines to make.
        level: ``word`` keeps words and glyphs.

    Returns:
        A dict with ``imagename``, ``image_size`` (width, height), ``regions`` (type → regions),
        ``lines`` (id → line), ``line_implicit_order``, ``region_implicit_order``, ``tag_set``,
        ``raw_orders``, ``missing_region_ids``, ``transkribus_orders``; with ``level='word'`` also
        ``words`` (line id → words).

    Raises:
        ValueError: Image name, page or page dimensions are missing.
    """
    filename = Path(filename)
    root = doc.getroot()
    page = first(root, "Page")
    name = page.get("imageFilename") if page is not None else None
    if page is None or name is None:
        raise ValueError(f"No image file name in {filename}: element Page with imageFilename is missing")
    imagename = image_path(filename, name)
    size = image_size(page.get("imageWidth"), page.get("imageHeight"), filename, imagename)

    collector = _PageCollector(root, filename, linetype, level)
    language = _language(page, parse_custom(page.get("custom")), None)
    collector.walk(page, Context(language=language, base_dir=_direction(page, None)))
    raw_orders = read_orders(
        root,
        key="id",
        reference="regionRef",
        describe=lambda entry: entry.get("caption") or "",
        merge_leaves=True,
    )
    return {
        "imagename": imagename,
        "image_size": size,
        **collector.result(),
        "tag_set": {"default"},
        "raw_orders": raw_orders,
        "transkribus_orders": collector.transkribus_orders(),
    }
