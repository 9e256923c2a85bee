"""Pictures of a segmentation over its page, as images and as pages for the browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from kraken.containers import BBoxLine, Segmentation
from kraken.lib.image_modes import to_mode8, to_rgb
from kraken.serialization.drawing import Colour, Points, fill, fitted, label, trace

__all__ = ["Layers", "to_html", "to_image"]

_RED: Colour = (205, 45, 45)
_GREEN: Colour = (25, 140, 60)
_BLUE: Colour = (20, 70, 220)
# Regions by type; after the last one it begins anew. Told apart by people with colour blindness.
_REGION_COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (204, 121, 167),
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
)
_FILL = 60
_REGION_FILL = 28


@dataclass(frozen=True)
class Layers:
    """What is drawn."""

    regions: bool = True
    lines: bool = True
    baselines: bool = True
    numbers: bool = True


@dataclass(frozen=True)
class _Line:
    number: int
    id: str
    outline: Points
    baseline: Points
    colour: Colour
    text: str
    kind: str
    confidence: float | None

    @property
    def start(self) -> tuple[float, float] | None:
        """Where the line's number stands."""
        if self.baseline:
            return self.baseline[0]
        return min(self.outline, key=sum) if self.outline else None


@dataclass(frozen=True)
class _Region:
    id: str
    kind: str
    outline: Points
    colour: Colour


def to_image(
    image: Image.Image,
    segmentation: Segmentation,
    confidences: Mapping[str, float | None] | None = None,
    max_height: int = 1800,
    layers: Layers | None = None,
) -> Image.Image:
    """Draws a segmentation over its page.

    Args:
        image: The page in any mode; it isn't changed.
        segmentation: Regions and lines in pixels of the page.
        confidences: Confidence of lines between 0 and 1 by their ids; that of records is known.
        max_height: Height of the picture in pixels at most.
        layers: What to draw, by default everything.

    Returns:
        An image of mode ``RGB``.
    """
    layers = layers or Layers()
    small, scale = fitted(to_rgb(image), max_height)
    page = small.convert("RGBA")
    regions, lines = _described(segmentation, confidences or {}, scale)
    if layers.regions:
        for region in regions:
            fill(page, region.outline, region.colour, _REGION_FILL)
    if layers.lines:
        for line in lines:
            fill(page, line.outline, line.colour, _FILL)
    draw = ImageDraw.Draw(page)
    if layers.regions:
        for region in regions:
            trace(draw, [*region.outline, *region.outline[:1]], region.colour, 3)
    if layers.baselines:
        for line in lines:
            trace(draw, line.baseline, _BLUE, 2)
    font: Any = ImageFont.load_default(max(10, round(small.height / 110)))
    if layers.regions:
        for region in regions:
            label(draw, region.outline[0], f"{region.kind}", font, region.colour)
    if layers.numbers:
        for line in lines:
            if line.start is not None:
                label(draw, line.start, str(line.number), font, line.colour)
    return page.convert("RGB")


def to_html(
    image: Image.Image,
    segmentation: Segmentation,
    confidences: Mapping[str, float | None] | None = None,
    max_height: int = 1800,
    layers: Layers | None = None,
) -> str:
    """Writes a page for the browser that shows a segmentation and needs no other file.

    Takes the arguments of :func:`to_image`; layers that aren't chosen can be switched on.

    Returns:
        HTML, in which the image is a JPEG.
    """
    # Templates are only compiled where one is used.
    from kraken._version import version
    from kraken.serialization.environment import native

    small, scale = fitted(to_mode8(image), max_height)
    data = io.BytesIO()
    small.save(data, "JPEG", quality=80, optimize=True)
    regions, lines = _described(segmentation, confidences or {}, scale)
    return (
        native()
        .get_template("overlay.html")
        .render(
            version=version(),
            name=str(segmentation.imagename),
            width=small.width,
            height=small.height,
            image=base64.b64encode(data.getvalue()).decode("ascii"),
            layers=layers or Layers(),
            regions=regions,
            lines=lines,
            points=_svg_points,
            colour=_css,
        )
    )


def _described(
    segmentation: Segmentation, confidences: Mapping[str, float | None], scale: float
) -> tuple[list[_Region], list[_Line]]:
    regions = []
    for k, (kind, group) in enumerate(sorted((segmentation.regions or {}).items())):
        colour = _REGION_COLOURS[k % len(_REGION_COLOURS)]
        for region in group:
            outline = _scaled(region.boundary, scale)
            if outline:
                regions.append(_Region(region.id, str(kind), outline, colour))
    lines = [
        _described_line(line, number, confidences, scale)
        for number, line in enumerate(segmentation.lines or (), 1)
    ]
    return regions, lines


def _described_line(line: Any, number: int, confidences: Mapping[str, float | None], scale: float) -> _Line:
    if isinstance(line, BBoxLine):
        x0, y0, x1, y1 = line.bbox or (0, 0, 0, 0)
        outline, baseline = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)] if line.bbox else [], None
    else:
        outline, baseline = line.boundary, line.baseline
    own = [float(value) for value in getattr(line, "confidences", ())]
    confidence = sum(own) / len(own) if own else confidences.get(line.id)
    types = (line.tags or {}).get("type") or [{}]
    text = getattr(line, "prediction", None) or line.text or ""
    return _Line(
        number=number,
        id=line.id,
        outline=_scaled(outline, scale),
        baseline=_scaled(baseline, scale),
        colour=(_RED, _GREEN)[number % 2] if confidence is None else _graded(confidence),
        text=text,
        kind=str(types[0].get("type", "")) if isinstance(types[0], Mapping) else str(types[0]),
        confidence=confidence,
    )


def _graded(confidence: float) -> Colour:
    """From red for 0.5 and below to green for 1."""
    share = min(1.0, max(0.0, 2 * confidence - 1))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(_RED, _GREEN, strict=True))
    return red, green, blue


def _scaled(points: Sequence[Sequence[float]] | None, scale: float) -> Points:
    return [] if points is None else [(float(x) * scale, float(y) * scale) for x, y in points]


def _svg_points(points: Points) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _css(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
