"""Tags of lines and regions: PAGE's ``custom`` attribute and ALTO's ``Tags`` element."""

from __future__ import annotations

import logging
from typing import Any

from lxml import etree

logger = logging.getLogger("kraken.lib.xml")

Tags = dict[str, list[dict[str, Any]]]


def parse_custom(custom: str | None) -> Tags:
    """Read the mini-language ``name {key:value; key:value;} name2 {…}``.

    Args:
        custom: Value of a ``custom`` attribute.

    Returns:
        Each name with the fields of all its chunks. A field without ``:`` has the value ``''``.
        Malformed chunks are dropped with a warning.
    """
    tags: Tags = {}
    if not custom:
        return tags
    for chunk in custom.split("}"):
        if not chunk or chunk.isspace():
            continue
        parts = chunk.split("{")
        if len(parts) != 2:
            logger.warning("Ignoring malformed part %r of custom attribute %r", chunk.strip(), custom)
            continue
        fields: dict[str, Any] = {}
        for field in parts[1].split(";"):
            field = field.strip()
            if field:
                key, _, value = field.partition(":")
                fields[key] = value.strip()
        tags.setdefault(parts[0].strip(), []).append(fields)
    return tags


def first_field(tags: Tags, name: str, key: str) -> str | None:
    """Field ``key`` of the first chunk called ``name``, if both exist."""
    chunks = tags.get(name)
    return chunks[0].get(key) if chunks else None


def reading_order_index(tags: Tags, element_id: str) -> int | None:
    """Index of a ``readingOrder`` chunk; ``None`` without one or with a warning if it's no integer."""
    index = first_field(tags, "readingOrder", "index")
    if index is None:
        return None
    try:
        return int(index)
    except ValueError:
        logger.warning("Ignoring reading order index %r of %s: not an integer", index, element_id)
        return None


def pop_split(tags: Tags) -> str | None:
    """Take a single ``split`` value out of the tags; several or nameless ones stay."""
    chunks = tags.get("split")
    if not chunks or len(chunks) != 1:
        return None
    split = chunks[0].get("type")
    if split is None:
        return None
    del tags["split"]
    return str(split)


class AltoTags:
    """The tag definitions of an ALTO document and the values that were used.

    Attributes:
        used: ``default`` and each value that a resolved reference contributed.
    """

    def __init__(self, root: etree._Element) -> None:
        self.used: set[str | None] = {"default"}
        self._definitions: dict[str, tuple[str, str | None]] = {}
        section = next(root.iter("{*}Tags"), None)
        if section is None:
            return
        for tag in section.iterchildren("{*}StructureTag", "{*}LayoutTag", "{*}OtherTag"):
            name, label, identifier = tag.get("TYPE"), tag.get("LABEL"), tag.get("ID")
            if identifier is not None and (name or label is not None):
                self._definitions[identifier] = (name or "type", label)

    def resolve(self, references: str | None) -> Tags:
        """Tags that a ``TAGREFS`` attribute stands for, unknown ids left out."""
        tags: Tags = {}
        for reference in references.split() if references else ():
            definition = self._definitions.get(reference)
            if definition is None:
                continue
            name, label = definition
            # A type that is added to again moves to the end.
            values = tags.pop(name, [])
            values.append({"type": label})
            tags[name] = values
            self.used.add(label)
        return tags
