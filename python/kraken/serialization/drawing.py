"""Half-transparent shapes, lines and labels on pictures of pages."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]


def fill(page: Image.Image, outline: Points, colour: Colour, alpha: int) -> None:
    """Fills a polygon on an RGBA image; only its box of the page is touched."""
    if len(outline) < 3:
        return
    xs, ys = [x for x, _ in outline], [y for _, y in outline]
    x0, y0 = max(0, int(min(xs))), max(0, int(min(ys)))
    x1, y1 = min(page.width, int(max(xs)) + 2), min(page.height, int(max(ys)) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    mask = Image.new("L", (x1 - x0, y1 - y0), 0)
    ImageDraw.Draw(mask).polygon([(x - x0, y - y0) for x, y in outline], fill=alpha)
    page.paste((*colour, 255), (x0, y0), mask)


def trace(draw: ImageDraw.ImageDraw, points: Points, colour: Colour, width: int) -> None:
    """Draws a line through points."""
    if len(points) > 1:
        draw.line(points, fill=(*colour, 255), width=width, joint="curve")


def label(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, font: Any, colour: Colour) -> None:
    """Writes on white, so that it can be read over anything; inside of the picture."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 4, bottom - top + 4
    x = min(max(0, at[0] - width), max(0, draw.im.size[0] - width))
    y = min(max(0, at[1] - height / 2), max(0, draw.im.size[1] - height))
    draw.rectangle((x, y, x + width, y + height), fill=(255, 255, 255, 255), outline=(*colour, 255))
    draw.text((x + 2 - left, y + 2 - top), text, font=font, fill=(*colour, 255))


def fitted(image: Image.Image, max_height: int) -> tuple[Image.Image, float]:
    """The image with a limited height, and the factor for coordinates."""
    if image.height <= max_height:
        return image, 1.0
    scale = max_height / image.height
    return image.resize((max(1, round(image.width * scale)), max_height), Image.Resampling.LANCZOS), scale
