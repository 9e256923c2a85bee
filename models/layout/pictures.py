"""What lies on pages and isn't text: engravings, ornaments, and photographers' charts beside them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["chart", "engraving", "ornament"]

_PRINT = ("Colour & Grey Control Chart", "Blue   Cyan   Green   Yellow   Red", "cm  1  2  3  4  5  6")


def engraving(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Ink (mode L, 255 = full) of a picture cut in wood or copper: outlines filled with hatching."""
    picture = Image.new("L", (width, height))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(4, 14))):
        shape = Image.new("L", (width, height))
        outline = _blob(width, height, rng)
        ImageDraw.Draw(shape).polygon(outline, fill=255)
        for _ in range(int(rng.integers(1, 3))):
            picture.paste(_hatching(width, height, rng), mask=shape)
        pen.line([*outline, outline[0]], fill=255, width=int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        pen.rectangle((0, 0, width - 1, height - 1), outline=255, width=int(rng.integers(1, 5)))
    return picture


def _blob(width: int, height: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """A closed curve around somewhere: a circle with waves on it."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 1 + sum(rng.normal(0, 0.25 / k) * np.sin(k * angle + rng.uniform(0, 6.3)) for k in range(1, 6))
    centre, size = rng.uniform(0.1, 0.9, 2) * (width, height), rng.uniform(0.1, 0.5, 2) * (width, height)
    points = centre + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None] * size
    return [(float(x), float(y)) for x, y in points]


def _hatching(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Nearly parallel strokes in any direction, some of them as close and level as lines of text."""
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    direction = rng.uniform(0, np.pi) if rng.random() < 0.7 else rng.normal(0, 0.05)
    along = xs * np.float32(-np.sin(direction)) + ys * np.float32(np.cos(direction))
    along += float(rng.uniform(0, 6)) * np.sin(
        (xs + ys * float(rng.uniform(-1, 1))) / float(rng.uniform(8, 60))
    )
    waves = np.sin(along * np.float32(2 * np.pi / rng.uniform(3, 16)))
    return Image.fromarray(((waves > rng.uniform(-0.2, 0.8)) * 255).astype(np.uint8))


def ornament(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Ink of a row of small figures, all alike, as printers set between chapters."""
    picture = Image.new("L", (width, height))
    figure = engraving(height, height, rng)
    step = int(height * rng.uniform(0.8, 1.6)) + 1
    for x in range(0, width - height + 1, step):
        picture.paste(figure, (x, 0))
    return picture


def chart(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """A strip of grey patches with a ruler and small print, which nobody wants to read (mode L)."""
    ground = int(rng.integers(150, 256)) if rng.random() < 0.7 else int(rng.integers(0, 60))
    ink = 255 if ground < 128 else 0
    # drawn lying, as its print runs along it
    strip = Image.new("L", (height, width), ground)
    pen = ImageDraw.Draw(strip)
    patch = float(rng.uniform(0.5, 1.6)) * width
    x = float(rng.uniform(0, 2)) * patch
    while x < height - patch:
        pen.rectangle(
            (x, 0.1 * width, x + patch, rng.uniform(0.4, 0.95) * width), fill=int(rng.integers(0, 256))
        )
        x += patch * float(rng.uniform(1, 1.2))
    if rng.random() < 0.7:
        tick = float(rng.uniform(4, 20))
        for k in range(int(height / tick)):
            pen.line([(k * tick, width), (k * tick, width * (0.9 if k % 10 else 0.8))], fill=ink)
    size = max(6, int(width * rng.uniform(0.08, 0.2)))
    font = ImageFont.load_default(size)
    for _ in range(int(rng.integers(1, 5))):
        words = str(
            rng.choice(["Colour & Grey Control Chart", "Blue  Cyan  Green  Yellow  Red", "cm 1 2 3 4 5"])
        )
        pen.text(rng.uniform(0, 1, 2) * (height, width - size), words, fill=ink, font=font)
    return strip.transpose(Image.Transpose.ROTATE_90 if rng.random() < 0.5 else Image.Transpose.ROTATE_270)
