"""Polygons of a page, features included: ``pytest benches/python/test_bench_polygonise.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kraken.lib.segmentation.polygons import calculate_polygonal_environment, edge_energy

BENCH = Path(__file__).resolve().parents[3] / "shared" / "bench"
NETWORK_HEIGHT = 1800


def _scaled(points: list[list[int]], factor: float) -> list[list[int]]:
    return [[int(x * factor), int(y * factor)] for x, y in points]


@pytest.fixture(scope="module")
def print_page() -> tuple[np.ndarray, list[Any], list[Any]]:
    """A printed page of 33 lines at the size that networks see it in."""
    if not BENCH.exists():
        pytest.skip("no page to measure on: ../shared/bench")
    page = Image.open(BENCH / "page-33-lines.webp").convert("L")
    segmentation = json.loads((BENCH / "page-33-lines.seg.json").read_text(encoding="utf-8"))
    factor = NETWORK_HEIGHT / page.height
    grey = np.asarray(page.resize((int(page.width * factor), NETWORK_HEIGHT), Image.Resampling.LANCZOS))
    lines = [_scaled(line["baseline"], factor) for line in segmentation["lines"]]
    regions = {
        region["id"]: _scaled(region["boundary"], factor)
        for group in segmentation["regions"].values()
        for region in group
    }
    own = [[regions[name] for name in line["regions"]] for line in segmentation["lines"]]
    return grey, lines, own


@pytest.fixture(scope="module")
def dense_page() -> tuple[np.ndarray, list[Any], list[Any]]:
    """Three columns of 100 lines of noise."""
    rng = np.random.default_rng(0)
    grey = np.full((2400, 1800), 255, np.uint8)
    lines = []
    for foot in range(20, 2380, 23):
        for left in (20, 620, 1220):
            grey[foot - 12 : foot, left : left + 550] = rng.integers(0, 256, (12, 550))
            lines.append([[left, foot], [left + 275, foot + 1], [left + 550, foot]])
    return grey, lines, [[] for _ in lines]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["print_page", "dense_page"])
def test_page(benchmark: Any, request: pytest.FixtureRequest, name: str, threads: int) -> None:
    grey, lines, own = request.getfixturevalue(name)

    def run() -> list[Any]:
        energy = edge_energy(grey, num_threads=threads)
        return calculate_polygonal_environment(
            baselines=lines, im_feats=energy, line_suppl_obj=own, num_threads=threads
        )

    rings = benchmark(run)
    assert len(rings) == len(lines)
    assert None not in rings


@pytest.mark.parametrize("count", [500, 2000])
def test_many_lines(benchmark: Any, count: int) -> None:
    """Twenty columns of short, ragged lines: the time per line shouldn't grow with their number."""
    rng = np.random.default_rng(0)
    rows = count // 20
    energy = rng.random((30 * rows + 60, 4040), dtype=np.float32)
    lines = []
    for k in range(count):
        x, y, length = 20 + 200 * (k % 20), 30 + 30 * (k // 20), int(rng.integers(100, 180))
        lines.append([[x, y], [x + length // 2, y + 1], [x + length, y]])
    rings = benchmark(lambda: calculate_polygonal_environment(baselines=lines, im_feats=energy))
    assert None not in rings


@pytest.mark.parametrize("threads", [1, 2])
def test_edge_energy(benchmark: Any, print_page: Any, threads: int) -> None:
    grey = print_page[0]
    assert benchmark(lambda: edge_energy(grey, num_threads=threads)).shape == grey.shape
