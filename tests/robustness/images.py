"""Pictures that break engines, made by code (users' list of nasty inputs, 5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def page(size: tuple[int, int] = (420, 300)) -> Image.Image:
    """A small page with four lines of marks that look like print."""
    im = Image.new("L", size, 245)
    draw = ImageDraw.Draw(im)
    for row in range(4):
        for column in range(24):
            x, y = 40 + 14 * column, 50 + 50 * row
            draw.rectangle((x, y, x + 8, y + 16 + 4 * (column % 3 == 0)), fill=20)
    return im


def _cmyk(path: Path) -> None:
    page().convert("RGB").convert("CMYK").save(path, "JPEG")


def _palette(path: Path) -> None:
    page().convert("RGB").quantize(8).save(path, transparency=0)


def _rgba(path: Path) -> None:
    grey = page()
    ink = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    ink.putalpha(Image.eval(grey, lambda v: 255 - v))
    ink.save(path)


def _sixteen_bit(path: Path) -> None:
    Image.fromarray(np.asarray(page(), dtype=np.uint16) * 257).save(path)


def _grey_alpha(path: Path) -> None:
    Image.merge("LA", (page(), Image.new("L", (420, 300), 255))).save(path)


#: Unusual pictures that must be read like any other: name -> writer.
READABLE: dict[str, Callable[[Path], None]] = {
    "grey.png": lambda path: page().save(path),
    "bitonal.png": lambda path: page().convert("1").save(path),
    "sixteen.png": _sixteen_bit,
    "cmyk.jpg": _cmyk,
    "palette.png": _palette,
    "rgba.png": _rgba,
    "greyalpha.png": _grey_alpha,
}


def _cut_png(path: Path) -> None:
    page((2000, 1400)).save(path)
    path.write_bytes(path.read_bytes()[:200])


def _cut_jpeg(path: Path) -> None:
    page().convert("RGB").save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-2000])


#: Files that aren't pictures or are damaged: name -> writer.
UNREADABLE: dict[str, Callable[[Path], None]] = {
    "text.png": lambda path: path.write_text("this is text\n") and None,
    "cut.png": _cut_png,
    "cut.jpg": _cut_jpeg,
    "empty.png": lambda path: path.write_bytes(b"") and None,
    "one.png": lambda path: Image.new("L", (1, 1), 255).save(path),
    "sliver.png": lambda path: Image.new("L", (3000, 1), 255).save(path),
}
