"""A page with its layout and text as files of every kind that commands read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from kraken.containers import BaselineLine, Region, Segmentation
from kraken.serialization import serialize
from tests.robustness.images import page

TEXTS = ("first <line> & more", "second line", "سطر ثالث", "")
SIZE = (420, 300)


def segmentation(image: str = "page.png") -> Segmentation:
    """Four lines in one region, on the marks of the page."""
    lines = []
    for row, text in enumerate(TEXTS):
        y0, y1 = 46 + 50 * row, 74 + 50 * row
        box = [(36, y0), (380, y0), (380, y1), (36, y1), (36, y0)]
        foot = y1 - 8
        line = BaselineLine(
            f"l{row}", text=text, baseline=[(36, foot), (380, foot)], boundary=box, regions=["r0"]
        )
        lines.append(line)
    outline = [(30, 40), (390, 40), (390, 240), (30, 240), (30, 40)]
    return Segmentation(
        "baselines",
        image,
        "horizontal-lr",
        False,
        lines,
        {"text": [Region("r0", outline, tags={"type": [{"type": "text"}]})]},
    )


def write_all(folder: Path) -> dict[str, Path]:
    """Writes the image and the documents; name of the format -> file."""
    page(SIZE).save(folder / "page.png")
    seg = segmentation(str(folder / "page.png"))
    paths = {name: folder / f"{name}.xml" for name in ("alto", "pagexml")}
    for name, path in paths.items():
        path.write_text(serialize(seg, image_size=SIZE, template=name), encoding="utf-8")
    paths["json"] = folder / "seg.json"
    paths["json"].write_text(json.dumps(dataclasses.asdict(seg)), encoding="utf-8")
    return paths
