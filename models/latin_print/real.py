"""Lines of real prints, cut from the pages of the development data as the engine cuts them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from common import documents
from common.lines import engine_cut
from PIL import Image, ImageFilter, ImageOps

from kraken.containers import BaselineLine, Segmentation
from kraken.lib.segmentation import calculate_polygonal_environment
from kraken.lib.xml import XMLPage

from .alphabet import normalised
from .draw import HEIGHT

__all__ = ["PRINT_SETS", "RealLine", "augmented", "collect", "page_lines"]

#: Sets of `data/pages` that are print or typescript.
PRINT_SETS = (
    "print-lat-16c-alto",
    "print-en-alto",
    "print-de-catalogue-alto",
    "print-fr-2col-alto",
    "print-de-fraktur-page",
    "odd-page",
    "layout-page",
    "typescript-fr-alto",
    "odd-alto",
)
#: Pages in these sets that are written by hand.
_BY_HAND = ("f72v", "f74r")
_KEPT_HEIGHT = 56


@dataclass
class RealLine:
    """A line picture (uint8 grey, dark on light, 0 outside the polygon), its text and where it is from."""

    image: np.ndarray
    text: str
    source: str


def collect(data: Path, *, validation: bool) -> Iterator[RealLine]:
    """Yields all printed lines of one part; those for training in several cuts."""
    for name, path in documents.files(data / "pages", "*.xml", validation=validation):
        if name in PRINT_SETS and path.stem not in _BY_HAND:
            try:
                yield from page_lines(name, path, computed=not validation)
            except (OSError, ValueError) as err:
                print(f"{path.name}: {err}", file=sys.stderr)
    for _, path in documents.files(data / "lines", "*.gt.txt", validation=validation):
        text = normalised(path.read_text(encoding="utf-8"))
        picture = path.with_name(path.name.removesuffix(".gt.txt") + ".png")
        if text:
            yield RealLine(_kept(Image.open(picture).convert("L")), text, f"lines/{path.parent.name}")


def page_lines(name: str, path: Path, *, computed: bool) -> Iterator[RealLine]:
    """Yields the lines of a page with text.

    Args:
        name: Set.
        path: ALTO or PageXML file.
        computed: Whether to give each line thrice more, cut along the polygons that the engine computes
            around its baseline and around baselines that are a little off.
    """
    page = XMLPage(path).to_container()
    if not page.lines:
        page = _with_baselines(XMLPage(path, linetype="bbox").to_container(), path)
    lines = [line for line in page.lines if line.text and line.text.strip() and line.boundary]
    with Image.open(page.imagename) as opened:
        image = ImageOps.exif_transpose(opened).convert("L")
    variants = [lines]
    if computed:
        rng = np.random.default_rng(len(lines))
        for strength in (0.0, 0.6, 1.0):
            moved = [replace(line, baseline=_moved(line, rng, strength, image.size)) for line in lines]
            polygons = calculate_polygonal_environment(image, [line.baseline for line in moved])
            variants.append(
                [replace(line, boundary=p) for line, p in zip(moved, polygons, strict=True) if p is not None]
            )
    for variant in variants:
        for line in variant:
            text = normalised(line.text)
            if not text:
                continue
            cut = engine_cut(image, line)
            if cut is not None:
                yield RealLine(_kept(cut.convert("L")), text, f"{name}/{path.stem}")


def _moved(
    line: BaselineLine, rng: np.random.Generator, strength: float, size: tuple[int, int]
) -> list[tuple[int, int]]:
    """The baseline with other ends and heights, as those that networks find."""
    points = np.array(line.baseline, float)
    tall = min(float(np.ptp([y for _, y in line.boundary])), 0.3 * float(np.ptp(points[:, 0])))
    points[0, 0] += strength * tall * rng.normal(-0.05, 0.12)
    points[-1, 0] += strength * tall * rng.normal(0.05, 0.12)
    points[:, 1] += strength * tall * (rng.normal(0, 0.035) + rng.normal(0, 0.012, len(points)))
    return [(int(x), int(y)) for x, y in np.clip(points.round(), 0, np.array(size) - 1)]


def _with_baselines(page: Segmentation, path: Path) -> Segmentation:
    """Gives lines that have but a polygon a straight baseline, where letters stand in most type."""
    import lxml.etree as etree

    lines: list[Any] = []
    for element in etree.parse(str(path)).iter("{*}TextLine"):
        coords = element.find("{*}Coords")
        text = element.findtext("{*}TextEquiv/{*}Unicode")
        if coords is None or not text:
            continue
        polygon = [tuple(map(int, p.split(","))) for p in coords.get("points", "").split()]
        if len(polygon) < 3:
            continue
        x0, x1 = min(p[0] for p in polygon), max(p[0] for p in polygon)
        y0, y1 = min(p[1] for p in polygon), max(p[1] for p in polygon)
        if x1 - x0 < 4 or (y1 - y0) > 2 * (x1 - x0):
            continue
        foot = round(y0 + 0.75 * (y1 - y0))
        lines.append(
            BaselineLine(
                id=element.get("id") or "", baseline=[(x0, foot), (x1, foot)], boundary=polygon, text=text
            )
        )
    return replace(page, type="baselines", lines=lines)


def _kept(image: Image.Image) -> np.ndarray:
    if image.height > _KEPT_HEIGHT:
        width = max(1, round(image.width * _KEPT_HEIGHT / image.height))
        image = image.resize((width, _KEPT_HEIGHT), Image.Resampling.LANCZOS)
    return np.asarray(image)


def augmented(line: RealLine, rng: np.random.Generator) -> np.ndarray:
    """Returns the line as network input (uint8, ink high), changed at random within what scans differ by."""
    image = Image.fromarray(line.image)
    height, width = image.height, image.width
    if rng.random() < 0.7:
        top, bottom = rng.uniform(-0.08, 0.1, 2) * height
        tilt = float(rng.normal(0, 0.004))
        slant = float(rng.normal(0, 0.04))
        image = image.transform(
            (width, max(8, round(height + top + bottom))),
            Image.Transform.AFFINE,
            (1, slant, -slant * height / 2, tilt, 1, -tilt * width / 2 - top),
            Image.Resampling.BILINEAR,
        )
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 1.0))))
    if rng.random() < 0.15:
        image = image.filter((ImageFilter.MinFilter if rng.random() < 0.6 else ImageFilter.MaxFilter)(3))
    if rng.random() < 0.15:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(15, 70)))
        image = Image.open(stream).convert("L")
    target = max(8, round(image.width * HEIGHT / image.height * float(rng.uniform(0.85, 1.18))))
    if rng.random() < 0.15:
        image = image.resize((max(1, round(target * 0.55)), round(HEIGHT * 0.55)), Image.Resampling.BOX)
    pixels = np.asarray(image.resize((target, HEIGHT), Image.Resampling.LANCZOS), dtype=np.float32)
    if rng.random() < 0.5:
        pixels = 255 * (pixels / 255) ** float(rng.uniform(0.6, 1.6))
    if rng.random() < 0.3:
        pixels = pixels + rng.normal(0, float(rng.uniform(2, 12)), pixels.shape)
    if rng.random() < 0.10:
        inside = pixels[pixels > 8]
        if inside.size:
            low, high = np.percentile(inside, (2, 90))
            pixels = np.where(pixels > low + (high - low) * rng.uniform(0.4, 0.7), 255.0, 0.0)
    pixels = np.pad(np.clip(pixels, 0, 255), ((0, 0), (16, 16)), constant_values=255)
    return np.asarray(pixels.max() - pixels, dtype=np.uint8)
