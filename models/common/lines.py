"""Line images as the line extractor of the engine would cut them from a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .fonts import Face, choose
from .text import TextSource
from .wear import ink_on_paper


@dataclass
class Line:
    """A line picture (mode L, 0 outside the line's polygon), its text, and x of each character's middle."""

    image: Image.Image
    text: str
    centres: np.ndarray


def draw_line(source: TextSource, available: list[Face], length: int) -> Line:
    """Draws a random line of at most `length` characters in a random face, size and state."""
    rng = source.rng
    face = choose(rng, available)
    text = source.line(length)
    while not face.covers(text):
        text = " ".join("".join(c for c in text if face.covers(c)).split()) or source.line(length)
    size = int(np.exp(rng.uniform(np.log(16), np.log(40))))
    leading = size * float(rng.uniform(1.1, 1.6))
    left = size
    foot = round(1.6 * size)  # y of the baseline
    font = face.at(size)
    width = round(font.getlength(text)) + 2 * left
    canvas = Image.new("L", (width, round(2.8 * size)))
    pen = ImageDraw.Draw(canvas)
    pen.text((left, foot), text, fill=255, font=font, anchor="ls")
    slope, slant = float(rng.normal(0, 0.003)), float(rng.normal(0, 0.03))
    warp = (1, slant, -slant * foot, slope, 1, -slope * width / 2)
    line_ink = np.asarray(
        canvas.transform(canvas.size, Image.Transform.AFFINE, warp, Image.Resampling.BILINEAR)
    )
    if rng.random() < 0.7:
        for y in (foot - leading, foot + leading):
            pen.text((rng.integers(0, left), y), source.line(length + 5), fill=255, font=font, anchor="ls")
    coverage = canvas.transform(canvas.size, Image.Transform.AFFINE, warp, Image.Resampling.BILINEAR)
    picture = ink_on_paper(coverage, rng, strength=0.7)
    polygon = _polygon(line_ink, rng, size, foot, leading)
    masked, box = _masked(picture, polygon)
    ends = left + np.array([font.getlength(text[: i + 1]) for i in range(len(text))])
    middles = (np.concatenate([[left], ends[:-1]]) + ends) / 2
    return Line(masked.crop(box), text, middles - box[0])


def _polygon(
    ink: np.ndarray, rng: np.random.Generator, size: int, foot: int, leading: float
) -> list[tuple[float, float]]:
    """Returns a wavy outline around the ink, like the seams that the engine runs through the white."""
    rows, columns = np.nonzero(ink > 60)
    if columns.size == 0:
        return [(0, foot - size), (ink.shape[1], foot - size), (ink.shape[1], foot + 1), (0, foot + 1)]
    x0 = columns.min() - float(rng.uniform(-0.04, 0.45)) * size
    x1 = columns.max() + 1 + float(rng.uniform(-0.04, 0.45)) * size
    knots = np.linspace(x0, x1, max(2, int((x1 - x0) / (size * rng.uniform(0.6, 3)))))
    follow = rng.random() < 0.6
    top = np.full(len(knots), foot - rng.uniform(0.72, 0.95) * size)
    bottom = np.full(len(knots), foot + rng.uniform(0.22, 0.35) * size)
    reach = (knots[1] - knots[0]) + 2
    for i, x in enumerate(knots):
        near = rows[np.abs(columns - x) <= reach]
        if near.size and follow:
            top[i], bottom[i] = near.min(), near.max() + 1
        elif near.size:
            top[i], bottom[i] = min(top[i], near.min()), max(bottom[i], near.max() + 1)
    if follow:
        # seams stay within a deviation of their mean, so a lone x-height stretch doesn't pull them down fully
        blend = float(rng.uniform(0, 0.8))
        top, bottom = top + blend * (top.min() - top), bottom + blend * (bottom.max() - bottom)
    top -= rng.uniform(-0.03, 0.25) * size + rng.random(len(knots)) * 0.15 * size
    bottom += rng.uniform(-0.03, 0.25) * size + rng.random(len(knots)) * 0.15 * size
    top, bottom = np.maximum(top, foot - leading), np.minimum(bottom, foot + leading * 0.75)
    bottom = np.maximum(bottom, top + 0.6 * size)
    upper = [(float(x), float(y)) for x, y in zip(knots, top, strict=True)]
    lower = [(float(x), float(y)) for x, y in zip(knots, bottom, strict=True)]
    if rng.random() < 0.7:  # the engine's polygons pass through the baseline's two ends
        upper, lower = [(float(x0), float(foot)), *upper[1:-1], (float(x1), float(foot))], lower[1:-1]
        if len(upper) > 3:
            upper[1], upper[-2] = (float(x0 + 2), upper[1][1]), (float(x1 - 2), upper[-2][1])
            lower[0], lower[-1] = (float(x0 + 2), lower[0][1]), (float(x1 - 2), lower[-1][1])
        else:
            return [(x0, top.min()), (x1, top.min()), (x1, bottom.max()), (x0, bottom.max())]
    return [*upper, *reversed(lower)]


def _masked(
    picture: Image.Image, polygon: list[tuple[float, float]]
) -> tuple[Image.Image, tuple[int, int, int, int]]:
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).polygon(polygon, fill=255)
    out = Image.new("L", picture.size)
    out.paste(picture, mask=mask)
    return out, out.getbbox() or (0, 0, *picture.size)


def network_input(image: Image.Image, height: int, padding: int = 16) -> np.ndarray:
    """Returns the picture as the engine feeds it to a network: scaled, padded with white, inverted.

    Args:
        image: Line picture.
        height: Input height of the network.
        padding: White pixels added left and right after scaling.

    Returns:
        float32 array (height, width), 0 = brightest.
    """
    grey = image.convert("L")
    width = max(1, int(grey.width * height / grey.height))
    scaled = np.asarray(grey.resize((width, height), Image.Resampling.LANCZOS), dtype=np.float32) / 255
    padded = np.pad(scaled, ((0, 0), (padding, padding)), constant_values=1.0)
    return np.asarray(padded.max() - padded, dtype=np.float32)
