"""Pages with ground truth as the layout network learns them: a grey picture, baselines, text regions."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from common import documents
from PIL import Image

from kraken.lib.image_modes import to_grey
from kraken.lib.xml import XMLPage

__all__ = ["Sheet", "beside", "collect", "sheet_of"]

_NOT_TEXT = re.compile(
    r"graphic|figure|image|picture|separator|decoration|dropcapital|drop-capital|stamp|seal|logo|barcode|noise"
    r"|advert|damage|music",
    re.IGNORECASE,
)
#: Pages whose coordinates belong to another picture than theirs.
_DISPLACED = {"f72v"}
_EXIF_ORIENTATION = 274


@dataclass
class Sheet:
    """A page (uint8 grey), its baselines and text regions as arrays of points (N, 2) in its pixels.

    Attributes:
        lines_known: All lines of the page are there.
        regions_known: All text regions of the page are there.
    """

    grey: np.ndarray
    lines: list[np.ndarray] = field(default_factory=list)
    regions: list[np.ndarray] = field(default_factory=list)
    lines_known: bool = True
    regions_known: bool = True
    source: str = ""


def collect(data: Path, height: int, *, validation: bool) -> Iterator[Sheet]:
    """Yields the pages of one part, each picture once, scaled to `height` pixels."""
    seen = set()
    for name, path in documents.files(data / "pages", "*.xml", validation=validation):
        try:
            sheet, picture = sheet_of(path, height)
        except (OSError, ValueError) as err:
            print(f"{path.name}: {err}", file=sys.stderr)
            continue
        if picture not in seen and (sheet.lines_known or sheet.regions_known):
            seen.add(picture)
            sheet.source = f"{name}/{path.stem}"
            yield sheet


def beside(sheet: Sheet, other: Sheet, rng: np.random.Generator) -> Sheet:
    """The sheet with a strip of another at its left or right, whose cut lines don't count."""
    height = sheet.grey.shape[0]
    picture = Image.fromarray(other.grey)
    wide = int(rng.uniform(0.06, 0.3) * sheet.grey.shape[1])
    factor = height / picture.height * float(rng.uniform(0.9, 1.1))
    picture = picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
    left = int(rng.uniform(0.15, 0.6) * picture.width)
    top = int(rng.uniform(-0.08, 0.08) * picture.height)
    strip = np.asarray(picture.crop((left, top, left + wide, top + height)))
    at_left = rng.random() < 0.5
    grey = np.concatenate([strip, sheet.grey] if at_left else [sheet.grey, strip], axis=1)
    shift = np.array([wide if at_left else 0, 0])
    return replace(
        sheet, grey=grey, lines=[p + shift for p in sheet.lines], regions=[p + shift for p in sheet.regions]
    )


def sheet_of(path: Path, height: int) -> tuple[Sheet, Path]:
    """Reads an ALTO or PageXML file and its picture.

    Raises:
        ValueError: Picture and coordinates don't fit.
    """
    page = XMLPage(path)
    boxes = [] if page.lines else list(XMLPage(path, linetype="bbox").lines.values())
    picture = Path(page.imagename) if page.imagename else path
    if not picture.is_file():  # some files name a folder that isn't there
        picture = path.with_name(picture.name)
    with Image.open(picture) as image:
        if image.getexif().get(_EXIF_ORIENTATION, 1) != 1 or path.stem in _DISPLACED:
            raise ValueError("the picture is turned or cut against its coordinates; left out")
        factor = height / image.height
        grey = to_grey(image).resize((max(1, round(image.width * factor)), height), Image.Resampling.LANCZOS)
    pixels = np.asarray(grey)
    lines = [np.asarray(line.baseline, float) * factor for line in page.lines.values() if line.baseline]
    for box in boxes:
        x0, y0, x1, y1 = (v * factor for v in box.bbox)
        foot = _foot(pixels, x0, y0, x1, y1)
        if foot is not None:
            lines.append(np.array([(x0, foot), (x1, foot)]))
    regions = [
        np.asarray(region.boundary, float) * factor
        for kind, group in page.regions.items()
        if not _NOT_TEXT.search(kind)
        for region in group
        if region.boundary is not None and len(region.boundary) > 2
    ]
    sheet = Sheet(pixels, lines, regions, lines_known=bool(lines))
    sheet.regions_known = bool(regions) and _covered(sheet) > 0.9
    return sheet, picture.resolve()


def _foot(pixels: np.ndarray, x0: float, y0: float, x1: float, y1: float) -> float | None:
    """Row below which the ink of a box ends, descenders aside: where the profile falls most steeply."""
    box = 255.0 - pixels[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1]
    if box.shape[0] < 6 or box.shape[1] < 6 or box.shape[0] > 2 * box.shape[1]:
        return None
    profile = np.convolve(box.mean(1), np.ones(3) / 3, mode="same")
    step = max(1, round(box.shape[0] / 12))
    fall = profile[:-step] - profile[step:]
    low = int(0.45 * box.shape[0])
    return float(max(0, int(y0)) + low + int(fall[low:].argmax()) + step / 2)


def _covered(sheet: Sheet) -> float:
    """Part of the lines whose middle lies in a region; 1 for a page without lines."""
    from kraken.lib.segmentation import is_in_region

    inside = [any(is_in_region(line, region) for region in sheet.regions) for line in sheet.lines]
    return float(np.mean(inside)) if inside else 1.0
