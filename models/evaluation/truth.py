"""Annotated lines of real documents, and how their texts are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from common import documents
from PIL import Image, ImageDraw

from kraken.containers import BaselineLine, Segmentation
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.util import open_image
from kraken.lib.xml import XMLPage

__all__ = ["Page", "compared", "folded", "line_image", "pages"]

#: Where letters stand in a line that only has a polygon, as part of its height.
_FOOT = 0.75
_MARGIN = 10

#: Signs that look the same, or are hyphens of old print, written in one way.
_SAME = str.maketrans(
    {"ʼ": "’", "‛": "‘", "ʹ": "'", "⸗": "-", "‐": "-", "‑": "-", "−": "-", "―": "—", "\u00ad": "-", "¬": "-"}
)
_FOLDED = str.maketrans(
    {
        "ſ": "s",
        **dict.fromkeys("‘’‚‹›`´", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("–—", "-"),
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "…": "...",
    }
)


@dataclass
class Page:
    """Lines of an image with their texts.

    Attributes:
        part: Set that it is from.
        name: File.
        image: The image.
        lines: Lines with baseline, polygon and text.
    """

    part: str
    name: str
    image: Image.Image
    lines: list[BaselineLine]

    def segmentation(self) -> Segmentation:
        """The lines, as recognition takes them."""
        return Segmentation(
            type="baselines",
            imagename=self.name,
            text_direction="horizontal-lr",
            script_detection=False,
            lines=list(self.lines),
            regions={},
        )


def compared(text: str) -> str:
    """The text as it is compared: composed (NFC), blanks joined, signs of the same look alike."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_SAME)).split())


def folded(text: str) -> str:
    """The same without long s, kinds of quotation marks and dashes, and ligatures."""
    return " ".join(compared(text).translate(_FOLDED).split())


def pages(data: Path, sets: Sequence[str], *, most_lines: int | None = None) -> Iterator[Page]:
    """Yields the pages of the validation documents, and line images as pages of one line.

    Args:
        data: Folder with `pages` and `lines`.
        sets: Names of sets; no other is read.
        most_lines: Lines a set, spread evenly, None for all.
    """
    for name in sets:
        found = list(_set_pages(data, name))
        total = sum(len(page.lines) for page in found)
        step = 1.0 if most_lines is None else max(1.0, total / most_lines)
        chosen = {int(i * step) for i in range(int(np.ceil(total / step)))}
        first = 0
        for page in found:
            lines = [line for i, line in enumerate(page.lines, first) if i in chosen]
            first += len(page.lines)
            if lines:
                yield replace(page, lines=lines)


def _set_pages(data: Path, name: str) -> Iterator[Page]:
    for part, path in documents.files(data / "pages", "*.xml", validation=True):
        if part == name:
            page = _read_page(part, path)
            if page is not None:
                yield page
    for part, path in documents.files(data / "lines", "*.gt.txt", validation=True):
        if part == name:
            yield _line_page(part, path)


def _read_page(part: str, path: Path) -> Page | None:
    try:
        page = XMLPage(path).to_container()
        if not page.lines:
            page = XMLPage(path, linetype="bbox").to_container()
        image = open_image(page.imagename)
    except (ValueError, KrakenInputException) as error:
        print(f"{path.name} is left out: {error}")
        return None
    lines = [_with_baseline(line) for line in page.lines or [] if (line.text or "").strip()]
    return Page(part, path.name, image, [line for line in lines if line is not None])


def _with_baseline(line: Any) -> BaselineLine | None:
    """The line with polygon and baseline, or None if it has neither."""
    if isinstance(line, BaselineLine):
        return line if line.baseline and line.boundary else None
    x0, y0, x1, y1 = line.bbox
    if x1 - x0 < 4 or y1 - y0 < 4:
        return None
    foot = round(y0 + _FOOT * (y1 - y0))
    outline = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    return BaselineLine(line.id, baseline=[(x0, foot), (x1, foot)], boundary=outline, text=line.text)


def _line_page(part: str, path: Path) -> Page:
    image = open_image(path.with_name(path.name.removesuffix(".gt.txt") + ".png"))
    right, bottom = image.width - 1, image.height - 1
    line = BaselineLine(
        "line",
        baseline=[(0, round(_FOOT * bottom)), (right, round(_FOOT * bottom))],
        boundary=[(0, 0), (right, 0), (right, bottom), (0, bottom)],
        text=path.read_text(encoding="utf-8"),
    )
    return Page(part, path.name, image, [line])


def line_image(page: Page, line: BaselineLine) -> Image.Image:
    """A line as other engines get it: its box with a margin, everything outside of its polygon as paper."""
    xs, ys = zip(*line.boundary, strict=True)
    right, bottom = min(page.image.width, max(xs) + 1), min(page.image.height, max(ys) + 1)
    box = (max(0, min(xs)), max(0, min(ys)), right, bottom)
    picture = page.image.convert("L").crop(box)
    mask = Image.new("1", picture.size)
    ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in line.boundary], fill=1, outline=1)
    pixels, inside = np.asarray(picture), np.asarray(mask)
    paper = int(np.median(pixels[inside])) if inside.any() else 255
    wide = Image.new("L", (picture.width + 2 * _MARGIN, picture.height + 2 * _MARGIN), paper)
    wide.paste(Image.fromarray(np.where(inside, pixels, paper).astype(np.uint8)), (_MARGIN, _MARGIN))
    return wide
