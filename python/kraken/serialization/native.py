"""The variable ``document`` of the native templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from kraken._version import version
from kraken.containers import ProcessingStep, Segmentation
from kraken.serialization.geometry import Frame, pixel
from kraken.serialization.identifiers import Names, as_name
from kraken.serialization.model import Block, Line, Page, tag_values, typed_values

# What XML 1.0 forbids.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_CATEGORIES = {
    "preprocessing": "preOperation",
    "processing": "contentGeneration",
    "postprocessing": "postOperation",
}


def clean(value: Any) -> str:
    """The value as a string, each character that XML forbids replaced by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", str(value))


def clean_page(page: Page) -> None:
    """Replace forbidden characters in all texts and ids of a page."""
    for block in page.blocks:
        if block.id is not None:
            block.id = clean(block.id)
    for line in page.lines:
        line.id = clean(line.id)
        if line.text is not None:
            line.text = clean(line.text)
        line.content = clean(line.content)


def alto_groups(page: Page) -> list[Block]:
    """The entities as blocks: neighbouring lines outside of regions share one, named by the first's place."""
    groups: list[Block] = []
    for outside, blocks in groupby(page.blocks, key=lambda block: block.region is None):
        if outside:
            first, *rest = blocks
            lines = [line for block in (first, *rest) for line in block.lines]
            groups.append(Block(first.place, None, f"textblock_{first.place}", None, [], lines))
        else:
            groups.extend(blocks)
    return groups


class TagTable:
    """The tags of a document, numbered in sorted order."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = sorted(pairs)
        self._number = {pair: i for i, pair in enumerate(self.pairs, 1)}
        self.entries = [(i, clean(name), clean(value)) for i, (name, value) in enumerate(self.pairs, 1)]

    def references(self, owner: Line | Block) -> str | None:
        """``TAGREFS`` of a line or region, ``None`` if it has no tags."""
        tags = _tags(owner)
        if not tags:
            return None
        return " ".join(f"TYPE_{i}" for i in sorted(self._number[pair] for pair in typed_values(tags)))


def _tags(owner: Line | Block) -> Any:
    source = owner.source if isinstance(owner, Line) else owner.region
    return source.tags if source is not None else None


def custom_attribute(owner: Line | Block) -> str | None:
    """``custom`` attribute of PAGE, ``None`` if the line or region has no tags."""
    tags = _tags(owner)
    if not tags:
        return None
    ordered = {name: tags[name] for name in sorted(tags, key=lambda name: (str(name).lower(), str(name)))}
    return " ".join(
        clean(f"{name} {{{''.join(f'{key}:{entry};' for key, entry in value.items())}}}")
        for name, value in tag_values(ordered)
    )


def region_type(block: Block) -> str:
    """First value of a region's ``type`` tag, or an empty string."""
    values = (value for name, value in typed_values(_tags(block)) if name == "type")
    return clean(next(values, ""))


def processing(steps: Iterable[ProcessingStep] | None) -> list[dict[str, Any]]:
    """Processing steps as ALTO writes them."""
    used: set[str] = set()
    entries = []
    for step in steps or ():
        identifier = as_name(f"OCR_{clean(step.id)}")
        while identifier in used:
            identifier += "_"
        used.add(identifier)
        entries.append(
            {
                "id": identifier,
                "category": _CATEGORIES.get(step.category, "other"),
                "description": clean(step.description),
                "settings": clean(
                    "; ".join(f"{key}: {value}" for key, value in (step.settings or {}).items())
                ),
            }
        )
    return entries


def reading_orders(line_orders: list[list[str]], names: Names) -> list[dict[str, Any]]:
    """Reading orders with ids for the groups and references; empty ones are left out."""
    orders = []
    for k, order in enumerate((order for order in line_orders if order), 1):
        group = names.claim(f"ro_{k}", "ro")
        references = [(names.claim(f"o_{k}_{i}", "o"), line_id) for i, line_id in enumerate(order, 1)]
        orders.append({"id": group, "references": references})
    return orders


def document(
    segmentation: Segmentation,
    page: Page,
    *,
    image_size: tuple[Any, Any],
    clip: bool,
    writing_mode: str,
    scripts: Iterable[str] | None,
    steps: Iterable[ProcessingStep] | None,
    date: str,
    tags: TagTable,
    names: Names,
    line_orders: list[list[str]],
) -> dict[str, Any]:
    """Everything that the native templates need."""
    width, height = (pixel(value) for value in image_size)
    return {
        "version": version(),
        "name": clean(segmentation.imagename),
        "width": width,
        "height": height,
        "frame": Frame(width, height) if clip and width and height else Frame(),
        "writing_mode": clean(writing_mode),
        "scripts": clean(" ".join(scripts)) if scripts else "",
        "date": date,
        "steps": processing(steps),
        "tags": tags.entries,
        "tag_references": tags.references,
        "custom": custom_attribute,
        "region_type": region_type,
        "orders": reading_orders(line_orders, names),
        "orders_id": names.claim("ro_0", "ro"),
        "blocks": page.blocks,
        "groups": alto_groups(page),
    }
