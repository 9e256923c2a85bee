"""Line images as the line extractor of the engine would cut them from a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from kraken.containers import BaselineLine, Segmentation
from kraken.lib.segmentation import extract_polygons

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
    polygon = outline(line_ink, rng, size, foot, leading)
    masked, box = cut_out(picture, polygon, float(rng.normal(0, 0.3)) if rng.random() < 0.5 else 0)
    ends = left + np.array([font.getlength(text[: i + 1]) for i in range(len(text))])
    middles = (np.concatenate([[left], ends[:-1]]) + ends) / 2
    return Line(masked.crop(box), text, middles - box[0])


def outline(
    ink: np.ndarray, rng: np.random.Generator, size: int, foot: int, leading: float
) -> list[tuple[float, float]]:
    """Returns an outline around the ink, like the seams that the engine runs through the white."""
    rows, columns = np.nonzero(ink > 60)
    if columns.size == 0:
        return [(0, foot - size), (ink.shape[1], foot - size), (ink.shape[1], foot + 1), (0, foot + 1)]
    x0 = columns.min() - float(rng.uniform(-0.04, 0.45)) * size
    x1 = columns.max() + 1 + float(rng.uniform(-0.04, 0.45)) * size
    # seams are simplified on the way to polygons: straight for long stretches
    spacing = size * float(np.exp(rng.uniform(np.log(0.8), np.log(20))))
    knots = np.linspace(x0, x1, max(2, int((x1 - x0) / spacing)))
    top, bottom = _seams(rows, columns, knots, rng, size, foot)
    top, bottom = np.maximum(top, foot - leading), np.minimum(bottom, foot + leading * 0.75)
    bottom = np.maximum(bottom, top + 0.6 * size)
    if rng.random() < 0.7:
        # the engine's polygons pass through the ends of the baseline and leave them a little aslant
        inset = float(rng.uniform(0, 2))
        knots[0], knots[-1] = x0 + inset, x1 - inset
        left, right = [(x0, float(foot))], [(x1, float(foot))]
    else:
        left, right = [], []
    upper, lower = (list(zip(knots.tolist(), y.tolist(), strict=True)) for y in (top, bottom))
    return [*left, *upper, *right, *reversed(lower)]


def _seams(
    rows: np.ndarray, columns: np.ndarray, knots: np.ndarray, rng: np.random.Generator, size: int, foot: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns y above and below the ink (pixels at `rows`, `columns`) for every x of `knots`."""
    follow = rng.random() < 0.6
    top = np.full(len(knots), foot - rng.uniform(0.72, 0.95) * size)
    bottom = np.full(len(knots), foot + rng.uniform(0.22, 0.35) * size)
    reach = (knots[1] - knots[0]) + 2
    for i, x in enumerate(knots):
        near = rows[np.abs(columns - x) <= reach]
        if near.size:
            top[i] = near.min() if follow else min(top[i], near.min())
            bottom[i] = near.max() + 1 if follow else max(bottom[i], near.max() + 1)
    if follow:
        # seams stay within a deviation of their mean, so a lone x-height stretch doesn't pull them down fully
        blend = float(rng.uniform(0, 0.8))
        top, bottom = top + blend * (top.min() - top), bottom + blend * (bottom.max() - bottom)
    # mostly close to the ink, now and then through it
    loose, wavy = 0.06 if rng.random() < 0.5 else 0.25, float(rng.uniform(0, 0.15))
    top -= rng.uniform(-0.04, loose) * size + rng.random(len(knots)) * wavy * size
    bottom += rng.uniform(-0.04, loose) * size + rng.random(len(knots)) * wavy * size
    return top, bottom


def cut_out(
    picture: Image.Image, polygon: list[tuple[float, float]], degrees: float
) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """Returns the picture, black outside the polygon and turned by some degrees, and the polygon's box."""
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).polygon(polygon, fill=255)
    out = Image.new("L", picture.size)
    out.paste(picture, mask=mask)
    if degrees:  # a line is turned level after it was cut out, which leaves black slivers at the edges
        out = out.rotate(degrees, Image.Resampling.BILINEAR)
    return out, out.getbbox() or (0, 0, *picture.size)


def engine_cut(page: Image.Image, line: BaselineLine) -> Image.Image | None:
    """Returns a line with its polygon as the engine's line extractor cuts it; None if it can't."""
    alone = Segmentation("baselines", "", "horizontal-lr", script_detection=False, lines=[line])
    try:
        cut, _ = next(iter(extract_polygons(page, alone)))
    except (StopIteration, ValueError):
        return None
    return cut


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
