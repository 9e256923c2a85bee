"""The example page with the lines that a perfect segmenter would find."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from examples import draw_page
from kraken.containers import BaselineLine, BBoxLine, Segmentation

ASSETS = Path(__file__).resolve().parent.parent / "python" / "kraken" / "assets"
RECOGNITION_MODEL = ASSETS / "tiny_recognition.safetensors"
LAYOUT_MODEL = ASSETS / "tiny_layout.safetensors"


@cache
def image() -> Image.Image:
    """The page."""
    return draw_page.draw_page()


def segmentation(kind: str = "baselines") -> Segmentation:
    """Its lines with their texts, as wide as their ink and a little more."""
    dark = np.asarray(image()) < 120
    rows = np.flatnonzero(np.diff(dark.any(axis=1).astype(int))) + 1
    lines: list[Any] = []
    for k, (text, (top, bottom)) in enumerate(zip(draw_page.LINES, rows.reshape(-1, 2), strict=True)):
        columns = np.flatnonzero(dark[top:bottom].any(axis=0))
        x0, x1, y0, y1 = (int(v) for v in (columns[0] - 8, columns[-1] + 8, top - 3, bottom + 3))
        line = BBoxLine(f"line_{k}", text=text, bbox=(x0, y0, x1, y1))
        if kind == "bbox":
            lines.append(line)
            continue
        foot = y1 - 3 - (8 if any(c in text for c in "gjpqy,;") else 0)
        lines.append(
            BaselineLine(
                line.id,
                text=text,
                baseline=[(x0, foot), (x1, foot)],
                boundary=[(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)],
            )
        )
    return Segmentation(kind, "example.png", "horizontal-lr", False, lines)  # type: ignore[arg-type]
