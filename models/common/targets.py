"""What a layout network shall answer for a page: separators, baselines and text blocks as maps."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .pages import Page, Point

#: Channels of the maps, in the form that layout models store.
CLASS_MAPPING = {
    "aux": {"_start_separator": 0, "_end_separator": 1},
    "baselines": {"default": 2},
    "regions": {"text": 3},
}


def draw_targets(page: Page, line_width: float = 6, overhang: float = 2) -> np.ndarray:
    """Draws the maps of a page with straight lines.

    A baseline is a bar of `line_width` pixels; a separator is the first (last) 5 pixels of it, thickened
    by `line_width` to all sides, without the bar.

    Args:
        page: Page at the scale of the network's input.
        line_width: Thickness of the bars in pixels.
        overhang: Pixels by which a bar exceeds the text at both ends: polygons are cut off at the ends of
            the baseline, so a baseline that ended a little early would cost letters.

    Returns:
        uint8 array (4, height, width) of 0 and 1.
    """
    maps = [Image.new("1", page.image.size) for _ in range(4)]
    start, end, body, text = (ImageDraw.Draw(m) for m in maps)
    for first, last, _ in page.lines:
        a, b = np.array(first), np.array(last)
        length = float(np.hypot(*(b - a)))
        if length < 1:
            continue
        along = (b - a) / length
        a, b = a - along * overhang, b + along * overhang
        reach = along * min(5.0, length / 2)
        shape = bar(a, b, line_width / 2, 0)
        body.polygon(shape, fill=1)
        start.polygon(bar(a, a + reach, line_width, line_width), fill=1)
        end.polygon(bar(b - reach, b, line_width, line_width), fill=1)
        start.polygon(shape, fill=0)
        end.polygon(shape, fill=0)
    for outline in page.regions:
        text.polygon(outline, fill=1)
    return np.stack([np.asarray(m, dtype=np.uint8) for m in maps])


def bar(a: np.ndarray, b: np.ndarray, half: float, caps: float) -> list[Point]:
    """Returns the rectangle of thickness 2 `half` around a segment, made longer by `caps` at both ends."""
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    side = np.array([-along[1], along[0]]) * half
    a, b = a - along * caps, b + along * caps
    return [(float(p[0]), float(p[1])) for p in (a + side, b + side, b - side, a - side)]
