"""Reading hOCR, ours and that of other engines (http://kba.github.io/hocr-spec/1.2/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree, html

from kraken.containers import BaselineLine, BBoxLine, Region, Segmentation
from kraken.lib.xml.document import image_path
from kraken.lib.xml.points import Point
from kraken.lib.xml.words import Glyph, Word

__all__ = ["HOCRPage", "read_hocr"]

_LINES = frozenset({"ocr_line", "ocr_textfloat", "ocr_header", "ocr_footer", "ocr_caption", "ocrx_line"})
_REGIONS = frozenset({"ocrx_block", "ocr_carea"})
_VERTICAL = ("vertical-lr", "vertical-rl")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
#: a property of `title`: a name, and values that may be quoted
_PROPERTY = re.compile(r"""\s*([A-Za-z_]\w*)((?:"[^"]*"|'[^']*'|[^;"'])*)(?:;|$)""")


@dataclass
class HOCRPage:
    """A page of an hOCR file.

    Attributes:
        segmentation: Lines with baselines if the file states all of them, else boxes; regions.
        image: The image that it names.
        size: Width and height in pixels, None if they aren't stated.
        words: Words and the spaces between them by the ids of lines, as far as they have places.
    """

    segmentation: Segmentation
    image: Path
    size: tuple[int, int] | None
    words: dict[str, list[Word]] = field(default_factory=dict)


def read_hocr(filename: Path) -> HOCRPage:
    """Reads the page of an hOCR file.

    Args:
        filename: HTML with the elements of hOCR, well-formed or not.

    Raises:
        OSError: The file can't be read.
        ValueError: It holds no page, or several.
    """
    parser = html.HTMLParser(no_network=True, huge_tree=False, encoding=_encoding(filename))
    try:
        root = etree.fromstring(filename.read_bytes(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise ValueError(f"Parsing {filename} failed: {error}") from error
    pages = [] if root is None else [e for e in root.iter() if "ocr_page" in _classes(e)]
    if len(pages) != 1:
        raise ValueError(f"{filename} holds {len(pages) or 'no'} pages of hOCR: one is needed")
    return _Reader(filename, pages[0]).page()


def _encoding(filename: Path) -> str | None:
    """UTF-8 unless the file states another encoding: HTML's own default is Latin-1."""
    with filename.open("rb") as file:
        head = file.read(2048).lower()
    return None if b"charset" in head or b"encoding" in head else "utf-8"


def _classes(element: Any) -> list[str]:
    return (element.get("class") or "").split() if isinstance(element.tag, str) else []


def _properties(element: Any) -> dict[str, str]:
    return {match[1]: match[2].strip() for match in _PROPERTY.finditer(element.get("title") or "")}


def _numbers(text: str | None) -> list[float]:
    return [float(number) for number in _NUMBER.findall(text or "")]


def _ring(box: list[float]) -> list[Point] | None:
    if len(box) < 4:
        return None
    x0, y0, x1, y1 = (round(value) for value in box[:4])
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _outline(properties: dict[str, str]) -> list[Point] | None:
    """The polygon of an element, else the corners of its box."""
    values = _numbers(properties.get("poly"))
    points = [(round(x), round(y)) for x, y in zip(values[::2], values[1::2], strict=False)]
    return points if len(points) > 2 else _ring(_numbers(properties.get("bbox")))


class _Reader:
    def __init__(self, filename: Path, element: Any) -> None:
        self.filename = filename
        self.element = element
        self.taken: set[str] = set()

    def page(self) -> HOCRPage:
        properties = _properties(self.element)
        box = _numbers(properties.get("bbox"))
        size = (round(box[2]), round(box[3])) if len(box) == 4 else None
        name = properties.get("image", "").strip("\"'").replace("%3B", ";")
        image = image_path(self.filename, name) if name else self.filename.with_suffix(".png")
        regions, places = self._regions()
        found = [e for e in self.element.iter() if _LINES.intersection(_classes(e))]
        # Tesseract marks headings as lines, others put lines into them
        found = [e for e in found if not any(_LINES.intersection(_classes(c)) for c in e.iterdescendants())]
        described = [(e, _properties(e), self._id(e, "line")) for e in found]
        described = [entry for entry in described if _ring(_numbers(entry[1].get("bbox")))]
        lines: list[Any] = []
        words: dict[str, list[Word]] = {}
        with_baselines = bool(described) and all("baseline" in p for _, p, _ in described)
        direction: Any = next(
            (d for d in _VERTICAL if d in (self.element.get("style") or "")), "horizontal-lr"
        )
        for element, props, line_id in described:
            text = _text(element)
            words[line_id] = _words(element, props, text)
            shared: dict[str, Any] = {"id": line_id, "text": text, "regions": self._places(element, places)}
            if with_baselines:
                lines.append(BaselineLine(**shared, baseline=_baseline(props), boundary=_outline(props)))
            else:
                x0, y0, x1, y1 = (round(v) for v in _numbers(props["bbox"])[:4])
                lines.append(BBoxLine(**shared, bbox=(x0, y0, x1, y1), text_direction=direction))
        segmentation = Segmentation(
            type="baselines" if with_baselines else "bbox",
            imagename=str(image),
            text_direction=direction,
            script_detection=False,
            lines=lines,
            regions=regions,
            line_orders=[],
        )
        return HOCRPage(segmentation, image, size, words)

    def _regions(self) -> tuple[dict[str, list[Region]], dict[Any, str]]:
        """Regions by type, and the ids of their elements."""
        regions: dict[str, list[Region]] = {}
        places: dict[Any, str] = {}
        for element in self.element.iter():
            if not _REGIONS.intersection(_classes(element)):
                continue
            outline = _outline(_properties(element))
            if outline is None:
                continue
            kind = element.get("data-region-type") or "text"
            region = Region(self._id(element, "block"), outline, tags={"type": [{"type": kind}]})
            regions.setdefault(kind, []).append(region)
            places[element] = region.id
        return regions, places

    def _places(self, element: Any, places: dict[Any, str]) -> list[str]:
        return [places[parent] for parent in element.iterancestors() if parent in places][:1]

    def _id(self, element: Any, stem: str) -> str:
        """The id of an element, or one of its own."""
        name = element.get("id") or ""
        number = len(self.taken)
        while not name or name in self.taken:
            name, number = f"{stem}_{number}", number + 1
        self.taken.add(name)
        return name


def _text(element: Any) -> str:
    """The text of a line: line breaks are those of the markup."""
    text = "".join(element.itertext())
    return " ".join(text.split()) if "\n" in text else text


def _baseline(properties: dict[str, str]) -> list[Point]:
    """Points of a baseline: a polynomial in x, with the lower left corner of the box as origin."""
    x0, _, x1, y1 = _numbers(properties["bbox"])[:4]
    factors = _numbers(properties["baseline"]) or [0.0]
    width = max(x1 - x0, 1.0)
    steps = 1 if len(factors) < 3 else 8
    points = []
    for step in range(steps + 1):
        x = width * step / steps
        y = 0.0
        for factor in factors:
            y = y * x + factor
        points.append((round(x0 + x), round(y1 + y)))
    return points


def _confidences(properties: dict[str, str]) -> list[float]:
    """Confidences between 0 and 1; percent have been written, too."""
    values = _numbers(properties.get("x_confs"))
    percent = any(value > 1 for value in values)
    return [min(1.0, max(0.0, value / 100 if percent else value)) for value in values]


def _words(line: Any, properties: dict[str, str], text: str) -> list[Word]:
    """Words with what the file says about their characters."""
    cuts = _cuts(properties, len(text))
    words: list[Word] = []
    at = 0
    for element in line.iter():
        if "ocrx_word" not in _classes(element):
            continue
        props = _properties(element)
        content = "".join(element.itertext())
        content = content.strip() or content[:1]
        start = text.find(content, at)
        if not content or start < 0:
            return []
        own = _confidences(props)
        stated = _numbers(props.get("x_wconf"))
        confidence = min(1.0, max(0.0, stated[0] / 100)) if stated else None
        if confidence is None and own:
            confidence = sum(own) / len(own)
        places = cuts[start : start + len(content)] if cuts else _cuts(props, len(content))
        glyphs = [
            Glyph(char, place, own[i] if len(own) == len(content) else confidence)
            for i, (char, place) in enumerate(zip(content, places, strict=False))
        ]
        words.append(Word(content, _outline(props), confidence, element.get("id"), glyphs))
        at = start + len(content)
    return words


def _cuts(properties: dict[str, str], count: int) -> list[list[Point]]:
    """Places of characters: four numbers each for boxes, eight for quadrangles; empty if they don't fit."""
    values = _numbers(properties.get("x_bboxes"))
    if not count or len(values) not in (4 * count, 8 * count):
        return []
    size = len(values) // count
    return [list(_places_of(values[i : i + size])) for i in range(0, len(values), size)]


def _places_of(values: list[float]) -> Iterator[Point]:
    if len(values) == 4:
        yield from _ring(values) or ()
    else:
        yield from ((round(x), round(y)) for x, y in zip(values[::2], values[1::2], strict=True))
