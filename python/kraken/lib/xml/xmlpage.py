"""The page object that everything else reads documents through."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from kraken.containers import BaselineLine, BBoxLine, Region, Segmentation
from kraken.lib.xml.alto import parse_alto
from kraken.lib.xml.document import local_name, parse_file
from kraken.lib.xml.orders import flatten_order_to_lines, flatten_order_to_regions, validate_and_clean_order
from kraken.lib.xml.page import parse_page
from kraken.lib.xml.words import Word

Line = BaselineLine | BBoxLine
Order = dict[str, Any]


class XMLPage:
    """Facsimile page read from an ALTO or PageXML file.

    Args:
        filename: Path of the file; it's read at once.
        filetype: ``alto`` or ``page``; ``xml`` tells them apart by the root element.
        linetype: Read lines as ``baselines`` or as boxes (``bbox``).
        level: ``line``; ``word`` keeps words and glyphs in :attr:`words`.

    Attributes:
        filename: Path as given.
        filetype: ``alto`` or ``page``, whichever was read.
        type: The line type.
        imagename: Path of the page image; it needn't exist.
        image_size: Width and height in pixels.
        base_dir: Always ``None``: a direction that the page sets is passed on to its lines.
        lines: Line id → line in document order.
        regions: Region type → regions in document order.
        reading_orders: Key → ``order`` (ids), ``is_total``, ``description``, ``level`` (``line``/``region``).
        tags: Values of all tags in use, and ``default``.
        splits: Distinct data set splits of the lines, sorted; ``None`` if no line has one.
        has_tags: Whether there are other tags than ``default``.
        has_splits: Whether any line has a split.
        words: Line id → words, ``None`` unless ``level`` is ``word``.

    Raises:
        TypeError: ``filename`` is no path.
        OSError: The file can't be read.
        ValueError: An argument is unknown, or the content is unusable. Faults of single regions, lines,
            tags or references are logged and never cost the page.
    """

    type: Literal["baselines", "bbox"] = "baselines"
    base_dir: Literal["L", "R"] | None = None
    imagename: Path
    image_size: tuple[int, int]
    has_tags: bool = False
    has_splits: bool = False

    def __init__(
        self,
        filename: str | os.PathLike[str],
        filetype: Literal["xml", "alto", "page"] = "xml",
        linetype: Literal["baselines", "bbox"] = "baselines",
        *,
        level: Literal["line", "word"] = "line",
    ) -> None:
        if not isinstance(filename, (str, os.PathLike)):
            raise TypeError(f"filename must be a path, not {type(filename).__name__}")
        if filetype not in ("xml", "alto", "page"):
            raise ValueError(f"filetype is {filetype!r} but must be 'xml', 'alto' or 'page'")
        if linetype not in ("baselines", "bbox"):
            raise ValueError(f"linetype is {linetype!r} but must be 'baselines' or 'bbox'")
        if level not in ("line", "word"):
            raise ValueError(f"level is {level!r} but must be 'line' or 'word'")
        self.filename = Path(filename)
        self.type = linetype
        doc = parse_file(self.filename)
        if filetype == "xml":
            name = local_name(doc.getroot())
            if not name.endswith(("alto", "PcGts")):
                raise ValueError(f"Unknown XML format in {self.filename}: root element is {name}")
            filetype = "alto" if name.endswith("alto") else "page"
        self.filetype: Literal["alto", "page"] = filetype
        parse = parse_alto if filetype == "alto" else parse_page
        self._fill(parse(doc, self.filename, linetype, level=level))

    def _fill(self, parsed: dict[str, Any]) -> None:
        self.imagename = parsed["imagename"]
        self.image_size = parsed["image_size"]
        self.words: dict[str, list[Word]] | None = parsed.get("words")
        self._lines: dict[str, Line] = parsed["lines"]
        self._regions: dict[str, list[Region]] = parsed["regions"]
        self._tags: set[str | None] = parsed["tag_set"]
        splits = {line.split for line in self._lines.values() if line.split is not None}
        self._splits = sorted(splits) if splits else None
        self.has_splits = bool(splits)
        self.has_tags = len(self._tags) > 1
        self._orders: dict[str, Order] = {
            f"{level}_implicit": {
                "order": parsed[f"{level}_implicit_order"],
                "is_total": True,
                "description": f"Implicit {level} order derived from element sequence",
                "level": level,
            }
            for level in ("line", "region")
        }
        self._orders.update(parsed.get("transkribus_orders", {}))
        self._flatten(parsed)

    def _flatten(self, parsed: dict[str, Any]) -> None:
        """Add each explicit order once as lines and once as regions."""
        lines = self._lines
        implicit = parsed["line_implicit_order"]
        regions = set(parsed["region_implicit_order"])
        strings, missing = parsed.get("string_to_line_map"), parsed["missing_region_ids"]
        for key, raw in parsed["raw_orders"].items():
            flat = flatten_order_to_lines(raw["order"], lines, regions, implicit, strings, missing)
            order, _ = validate_and_clean_order(flat, lines)
            self._orders[key] = {**raw, "order": order, "level": "line"}
            flat = flatten_order_to_regions(raw["order"], lines, regions, strings, missing)
            order, _ = validate_and_clean_order(flat, regions)
            self._orders[f"{key}:regions"] = {**raw, "order": order, "level": "region"}

    @property
    def lines(self) -> dict[str, Line]:
        """Line id → line in document order."""
        return self._lines

    @property
    def regions(self) -> dict[str, list[Region]]:
        """Region type → regions in document order."""
        return self._regions

    @property
    def reading_orders(self) -> dict[str, Order]:
        """Key → reading order."""
        return self._orders

    @property
    def tags(self) -> set[str | None]:
        """Values of all tags in use, and ``default``."""
        return self._tags

    @property
    def splits(self) -> list[str] | None:
        """Distinct splits of the lines, sorted; ``None`` if no line has one."""
        return self._splits

    def _order(self, ro: str) -> Order:
        try:
            return self._orders[ro]
        except KeyError:
            raise ValueError(f"Unknown reading order {ro}") from None

    def get_sorted_lines(self, ro: str = "line_implicit") -> list[Line]:
        """Lines in a reading order; ids in it that aren't lines are left out.

        Raises:
            ValueError: There's no such reading order.
        """
        return [self._lines[line_id] for line_id in self._order(ro)["order"] if line_id in self._lines]

    def get_sorted_regions(self, ro: str = "region_implicit") -> list[Region]:
        """Regions in a reading order; ids in it that aren't regions are left out.

        Raises:
            ValueError: There's no such reading order.
        """
        regions = {region.id: region for group in self._regions.values() for region in group}
        return [regions[region_id] for region_id in self._order(ro)["order"] if region_id in regions]

    def get_sorted_lines_by_region(self, region: str, ro: str = "line_implicit") -> list[Line]:
        """Lines of one region in a reading order.

        Args:
            region: Region id; an unknown one has no lines.
            ro: Key of the reading order.

        Raises:
            ValueError: There's no such reading order, it isn't total, or a line isn't in it.
        """
        order = self._order(ro)
        if not order["is_total"]:
            raise ValueError(f"Reading order {ro} isn't total, so it can't sort the lines of a region")
        place = {line_id: i for i, line_id in enumerate(order["order"])}
        lines = [line for line in self._lines.values() if line.regions and line.regions[0] == region]
        missing = [line.id for line in lines if line.id not in place]
        if missing:
            raise ValueError(f"Reading order {ro} lacks line {missing[0]} of region {region}")
        return sorted(lines, key=lambda line: place[line.id])

    def get_lines_by_tag(self, key: str, value: str | list[dict[str, Any]]) -> dict[str, Line]:
        """Lines whose tag ``key`` has a value.

        Args:
            key: Tag type.
            value: The whole list of dicts, or a string that any entry's ``type`` may equal.

        Returns:
            Line id → line.
        """

        def matches(line: Line) -> bool:
            entries = (line.tags or {}).get(key)
            if isinstance(value, str) and isinstance(entries, list):
                return any(entry.get("type") == value for entry in entries)
            return entries is not None and entries == value

        return {line_id: line for line_id, line in self._lines.items() if matches(line)}

    def get_lines_by_split(self, split: str) -> dict[str, Line]:
        """Lines of one data set split, such as ``train``, ``validation`` or ``test``: line id → line."""
        return {line_id: line for line_id, line in self._lines.items() if line.split == split}

    def to_container(self) -> Segmentation:
        """The page as a segmentation, with all line-level reading orders as lists of indices."""
        lines = self.get_sorted_lines()
        index = {line.id: i for i, line in enumerate(lines)}
        orders = [
            [index[line_id] for line_id in order["order"] if line_id in index]
            for order in self._orders.values()
            if order["level"] == "line"
        ]
        return Segmentation(
            type=self.type,
            imagename=self.imagename,
            text_direction="horizontal-lr",
            script_detection=True,
            lines=lines,
            regions=self._regions,
            line_orders=[order for order in orders if order],
            language=None,
        )

    def __str__(self) -> str:
        return f"XMLPage {self.filename} (format: {self.filetype}, image: {self.imagename})"

    def __repr__(self) -> str:
        return f"XMLPage(filename={self.filename}, filetype={self.filetype})"
