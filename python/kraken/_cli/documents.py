"""Results read back from files: ALTO, PageXML, hOCR, and the JSON of ``kraken segment``."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from kraken._cli.pdf_input import page_count, render_page
from kraken.containers import Segmentation
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.image_files import count_pages
from kraken.lib.util import open_for

if TYPE_CHECKING:
    from PIL import Image

    from kraken.lib.xml.words import Word

logger = logging.getLogger("kraken")

LineType = Literal["baselines", "bbox"]

#: What :func:`kraken._cli.pages.open_page` notes of pages of PDF and TIFF files, as ALTO holds it.
_PAGE_STEP = re.compile(r"<processingStepSettings>(?:dpi: \d+; )?page: (\d{1,9})</processingStepSettings>")
#: Suffixes of files that may hold several pages.
_PDF, _TIFF = (".pdf",), (".tif", ".tiff")


@dataclass
class Document:
    """A page as a file describes it.

    Attributes:
        source: The file.
        segmentation: Lines, regions and orders.
        image_path: The image that it names.
        size: Width and height of the page as stated, None if the file doesn't.
        words: Words of lines by the lines' ids.
        kind: ``alto``, ``page``, ``hocr`` or ``json``.
        page_number: If the image is a page of a PDF or TIFF file, its number from 1 on as the file or its
            name states it.
    """

    source: Path
    segmentation: Segmentation
    image_path: Path
    size: tuple[int, int] | None = None
    words: dict[str, list[Word]] = field(default_factory=dict)
    kind: str = "json"
    page_number: int | None = None

    def find_image(self) -> Path:
        """Path of the image: as named, or of the same name beside the document.

        Raises:
            KrakenInputException: If there is no such file.
        """
        named = self.image_path
        for path in (named, self.source.parent / named, self.source.parent / named.name):
            if path.is_file():
                return path
        raise KrakenInputException(
            f"the image {named} that the file names doesn't exist: put it beside the file or correct the name"
        )

    def open_image(self) -> Image.Image:
        """The page image.

        Raises:
            KrakenInputException: If it doesn't exist or can't be read.
        """
        path = self.find_image()
        if path.suffix.lower() in _PDF:
            image = self._pdf_page(path)
        else:
            # the image of page_0002.xml may be a page.tif of one page
            number = self.page_number if self.page_number and count_pages(path) > 1 else None
            image = open_for(path, self.size, number and number - 1)
        if self.size and all(self.size) and image.size != tuple(self.size):
            stated, real = ("x".join(map(str, size)) for size in (self.size, image.size))
            click.echo(
                f"Warning: {self.source} states a page of {stated} pixels, but its image has {real}: "
                "coordinates may be off.",
                err=True,
            )
        return image

    def _pdf_page(self, path: Path) -> Image.Image:
        """The page of a PDF, drawn as `kraken -f pdf` draws it."""
        if find_spec("pypdfium2") is None:
            raise KrakenInputException(
                f"its page is one of {path}, and reading PDF needs pypdfium2: "
                "install it with `pip install 'kraken[pdf]'`"
            )
        number, count = self.page_number, page_count(path)
        if number is None and count > 1:
            raise KrakenInputException(
                f"its page is one of {path}, and neither the file nor its name says which: give --page"
            )
        if number is not None and not 1 <= number <= count:
            raise KrakenInputException(f"its page is number {number} of {path}, which has only {count}")
        return render_page(path, (number or 1) - 1)


def read_document(path: Path, linetype: LineType | None = None, page_number: int | None = None) -> Document:
    """Reads a result.

    Args:
        path: ALTO, PageXML, hOCR or JSON.
        linetype: Kind of lines; by default baselines, or boxes if the file has no baselines.
        page_number: If the image is a page of a PDF or TIFF file, its number from 1 on; by default what the
            file or its name states.

    Raises:
        ValueError: If the file is none of them, or damaged.
    """
    document = _read(path, linetype)
    if document.image_path.suffix.lower() in _PDF + _TIFF:
        document.page_number = page_number or _stated_page(document)
    return document


def _read(path: Path, linetype: LineType | None) -> Document:
    with path.open("rb") as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    if path.suffix.lower() == ".json" or head.startswith(b"{"):
        return _read_json(path, linetype)
    if b"<html" in head.lower():
        return _read_hocr(path, linetype)
    # Parsing XML takes lxml, which JSON doesn't need.
    from kraken.lib.xml import XMLPage

    page = XMLPage(path, linetype=linetype or "baselines", level="word")
    if linetype is None and not page.lines:
        boxes = XMLPage(path, linetype="bbox", level="word")
        page = boxes if boxes.lines else page
    return Document(
        path,
        page.to_container(),
        Path(page.imagename),
        page.image_size,
        page.words or {},
        page.filetype,
    )


def _stated_page(document: Document) -> int | None:
    """The page in its file, as the history in an ALTO file or the default name of an output says."""
    if document.kind == "alto":
        text = document.source.read_text(encoding="utf-8", errors="replace")
        if match := _PAGE_STEP.search(text):
            return int(match[1])
    name, stem = (re.escape(part) for part in (document.image_path.name, document.image_path.stem))
    if match := re.match(rf"{name}_(\d{{6,}})(?!\d)", document.source.name):
        return int(match[1]) + 1
    # as `kraken read` names them
    match = re.fullmatch(rf"{stem}_(\d{{4,9}})", document.source.stem)
    return int(match[1]) or None if match else None


def _read_hocr(path: Path, linetype: LineType | None) -> Document:
    from kraken.lib.xml.hocr import read_hocr  # takes lxml, as the other kinds of XML do

    page = read_hocr(path)
    segmentation = with_linetype(page.segmentation, linetype)
    return Document(path, segmentation, page.image, page.size, page.words, "hocr")


def _read_json(path: Path, linetype: LineType | None) -> Document:
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        segmentation = Segmentation(**values)
        checked = [*(segmentation.lines or ()), *_regions(segmentation)]
        if segmentation.type not in ("baselines", "bbox") or any(not item.id for item in checked):
            raise ValueError(f"its type is {segmentation.type!r}, or lines or regions have no id")
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"isn't JSON as `kraken segment` writes it ({' '.join(str(error).split())[:200]})"
        ) from error
    return Document(path, with_linetype(segmentation, linetype), Path(segmentation.imagename))


def _regions(segmentation: Segmentation) -> list[Any]:
    return [region for group in (segmentation.regions or {}).values() for region in group]


def with_linetype(segmentation: Segmentation, linetype: LineType | None) -> Segmentation:
    """The segmentation with baselines or boxes for lines.

    Lines without any geometry are left out with a warning.
    """
    if linetype is None or segmentation.type == linetype:
        return segmentation
    segmentation = _with_geometry(segmentation)
    return segmentation.to_bbox() if linetype == "bbox" else segmentation.to_baselines()


def _with_geometry(segmentation: Segmentation) -> Segmentation:
    """The segmentation without lines that have neither box, baseline nor polygon."""
    lines = list(segmentation.lines or ())
    kept = [
        i
        for i, line in enumerate(lines)
        if any(getattr(line, name, None) for name in ("bbox", "baseline", "boundary"))
    ]
    if len(kept) == len(lines):
        return segmentation
    lost = ", ".join(line.id for i, line in enumerate(lines) if i not in set(kept))
    logger.warning("%s: lines without any geometry are left out: %s", segmentation.imagename, lost)
    place = {old: new for new, old in enumerate(kept)}
    orders = [[place[i] for i in order if i in place] for order in segmentation.line_orders or ()]
    return dataclasses.replace(segmentation, lines=[lines[i] for i in kept], line_orders=orders)


def line_confidence(words: list[Word]) -> float | None:
    """Mean confidence of a line's characters as far as its words or glyphs state it."""
    stated: list[float] = []
    for word in words:
        glyphs = [glyph.confidence for glyph in word.glyphs if glyph.confidence is not None]
        if glyphs:
            stated.extend(glyphs)
        elif word.confidence is not None:
            stated.extend([word.confidence] * len(word.text))
    return sum(stated) / len(stated) if stated else None
