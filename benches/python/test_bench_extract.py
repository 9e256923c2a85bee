"""Speed of line extraction: the page that speed is quoted on, and a drawn page of bent lines."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kraken.lib.lineest import CenterNormalizer, dewarp
from kraken.lib.segmentation.extraction import extract_lines, extract_polygons
from tests.conftest import shared_path


def _quoted() -> tuple[Image.Image, Any]:
    data = json.loads(shared_path("bench", "page-33-lines.seg.json").read_text(encoding="utf-8"))
    data["lines"] = [SimpleNamespace(**line) for line in data["lines"]]
    page = Image.open(shared_path("bench", "page-33-lines.webp"))
    page.load()
    return page, SimpleNamespace(**data)


def _drawn() -> tuple[Image.Image, Any]:
    """60 waves of 12 points over a grey page of 2000×3000 pixels."""
    page = Image.fromarray(np.random.default_rng(0).integers(1, 255, (3000, 2000), dtype=np.uint8))
    xs = np.linspace(50, 1950, 12)
    lines = []
    for k in range(60):
        ys = 60 + 48 * k + 12 * np.sin(xs / 300 + k)
        above, below = (np.stack([xs, ys + d], axis=1).tolist() for d in (-30, 14))
        ring = [*above, *below[::-1]]
        lines.append(
            SimpleNamespace(
                id=str(k), type="baselines", baseline=np.stack([xs, ys], axis=1).tolist(), boundary=ring
            )
        )
    return page, SimpleNamespace(type="baselines", text_direction="horizontal-lr", lines=lines)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("page", ["quoted", "drawn"])
def test_one_by_one(benchmark: Any, page: str, legacy: bool) -> None:
    im, bounds = _quoted() if page == "quoted" else _drawn()
    found = benchmark(lambda: list(extract_polygons(im, bounds, legacy)))
    assert len(found) == len(bounds.lines)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("page", ["quoted", "drawn"])
def test_all_at_once(benchmark: Any, page: str, legacy: bool, threads: int) -> None:
    im, bounds = _quoted() if page == "quoted" else _drawn()
    found = benchmark(lambda: extract_lines(im, bounds.lines, legacy=legacy, num_threads=threads))
    assert all(isinstance(image, np.ndarray) for image in found)


def test_centre_normalisation(benchmark: Any) -> None:
    values = np.random.default_rng(0).integers(0, 255, (80, 1500), dtype=np.uint8)
    values[:25] = values[60:] = 255
    image = Image.fromarray(values)
    assert benchmark(lambda: dewarp(CenterNormalizer(48), image)).height == 48
