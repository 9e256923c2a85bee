"""What the two parsers share: the walk over regions and lines, and the collected page."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from lxml import etree

from kraken.containers import BaselineLine, BBoxLine, Region
from kraken.containers.lines import BaseDirection
from kraken.lib.xml.document import local_name
from kraken.lib.xml.tags import Tags
from kraken.lib.xml.words import Word

logger = logging.getLogger("kraken.lib.xml")

_LINE = "TextLine"


@dataclass(frozen=True, slots=True)
class Context:
    """What an element inherits from its ancestors.

    Attributes:
        region: Id of the innermost enclosing region with coordinates.
        language: Languages of the nearest ancestor that sets them.
        base_dir: Direction of the nearest ancestor that sets one.
        inside: Whether any region encloses the element.
        order: Index of the innermost enclosing region (with coordinates) in a reading order.
    """

    region: str | None = None
    language: list[str] | None = None
    base_dir: BaseDirection | None = None
    inside: bool = False
    order: int | None = None


class Identifiers:
    """Hands out ids that are unique among their kind."""

    def __init__(self, root: etree._Element, attribute: str) -> None:
        self._root = root
        self._attribute = attribute
        self._document_ids: set[str] | None = None
        self._seen: set[tuple[str, str]] = set()
        self._number = count(1)

    def claim(self, declared: str | None, kind: str) -> str:
        """The declared id if this is its first owner, otherwise a new one with a warning."""
        if declared is not None and (kind, declared) not in self._seen:
            self._seen.add((kind, declared))
            return declared
        if self._document_ids is None:
            ids = (element.get(self._attribute) for element in self._root.iter("*"))
            self._document_ids = {identifier for identifier in ids if identifier is not None}
        candidates = (f"_{kind}_{n}" for n in self._number)
        identifier = next(name for name in candidates if name not in self._document_ids)
        self._seen.add((kind, identifier))
        problem = "without id" if declared is None else f"with repeated id {declared!r}"
        logger.warning("%s %s is now called %s", kind.capitalize(), problem, identifier)
        return identifier


class Collector(ABC):
    """Collects lines and regions of one document in document order.

    Args:
        root: Root element.
        filename: Path of the document, for messages and for the image's path.
        linetype: ``baselines`` or ``bbox``.
        level: ``line``, or ``word`` to keep words and glyphs too.
    """

    id_attribute: str
    kinds: Mapping[str, str]

    def __init__(self, root: etree._Element, filename: Path, linetype: str, level: str) -> None:
        if linetype not in ("baselines", "bbox"):
            raise ValueError(f"linetype is {linetype!r} but must be 'baselines' or 'bbox'")
        if level not in ("line", "word"):
            raise ValueError(f"level is {level!r} but must be 'line' or 'word'")
        self.root = root
        self.filename = filename
        self.bbox = linetype == "bbox"
        self.lines: dict[str, BaselineLine | BBoxLine] = {}
        self.regions: dict[str, list[Region]] = {}
        self.region_order: list[str] = []
        self.missing_regions: set[str] = set()
        self.words: dict[str, list[Word]] | None = {} if level == "word" else None
        self._ids = Identifiers(root, self.id_attribute)
        self._kind_of_tag: dict[str, str | None] = {}

    @abstractmethod
    def read_region(self, element: etree._Element, kind: str, context: Context) -> Context:
        """Collect a region; return what its children inherit."""

    @abstractmethod
    def read_line(self, element: etree._Element, context: Context) -> None:
        """Collect a line."""

    def walk(self, start: etree._Element, context: Context) -> None:
        """Read all regions and lines below an element; unknown elements are transparent."""
        stack = [(start.iterchildren("*"), context)]
        while stack:
            children, context = stack[-1]
            for element in children:
                kind = self._kind(element)
                if kind == _LINE:
                    if context.inside:
                        self.read_line(element, context)
                    else:
                        logger.warning(
                            "Ignoring line %s of %s: it's outside of any region",
                            element.get(self.id_attribute),
                            self.filename,
                        )
                elif kind is not None:
                    stack.append((element.iterchildren("*"), self.read_region(element, kind, context)))
                    break
                elif len(element):
                    stack.append((element.iterchildren("*"), context))
                    break
            else:
                stack.pop()

    def _kind(self, element: etree._Element) -> str | None:
        """``TextLine``, the key in ``kinds`` that an element's tag ends with, or ``None``."""
        tag = str(element.tag)
        try:
            return self._kind_of_tag[tag]
        except KeyError:
            name = local_name(element)
            kind = _LINE if name == _LINE else next((key for key in self.kinds if name.endswith(key)), None)
            self._kind_of_tag[tag] = kind
            return kind

    def add_region(
        self,
        element: etree._Element,
        boundary: list[tuple[int, int]] | None,
        tags: Tags,
        language: list[str] | None,
    ) -> str | None:
        """Store a region under its first type and return its id; ``None`` if it has no boundary."""
        declared = element.get(self.id_attribute)
        if not boundary:
            logger.info("Region %s of %s has no coordinates", declared, self.filename)
            if declared is not None:
                self.missing_regions.add(declared)
            return None
        identifier = self._ids.claim(declared, "region")
        region = Region(id=identifier, boundary=boundary, tags=tags, language=language)
        self.regions.setdefault(tags["type"][0]["type"], []).append(region)
        self.region_order.append(identifier)
        return identifier

    def add_line(
        self,
        element: etree._Element,
        *,
        text: str,
        context: Context,
        tags: Tags | None,
        split: Any,
        language: list[str] | None,
        base_dir: BaseDirection | None,
        geometry: dict[str, Any],
    ) -> str:
        """Store a line and return its id."""
        identifier = self._ids.claim(element.get(self.id_attribute), "line")
        self.lines[identifier] = (BBoxLine if self.bbox else BaselineLine)(
            id=identifier,
            text=text,
            base_dir=base_dir,
            tags=tags,
            split=split,
            regions=[] if context.region is None else [context.region],
            language=language,
            **geometry,
        )
        return identifier

    def skip_line(self, element: etree._Element) -> None:
        """Say that a line lacks the geometry that the line type needs."""
        needed = "coordinates" if self.bbox else "baseline"
        logger.info(
            "Skipping line %s of %s: no usable %s", element.get(self.id_attribute), self.filename, needed
        )

    def result(self) -> dict[str, Any]:
        """The part of the parsers' results that both formats have."""
        result: dict[str, Any] = {
            "regions": self.regions,
            "lines": self.lines,
            "line_implicit_order": list(self.lines),
            "region_implicit_order": self.region_order,
            "missing_region_ids": self.missing_regions - set(self.region_order),
        }
        if self.words is not None:
            result["words"] = self.words
        return result
