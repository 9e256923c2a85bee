"""Speed of vectorisation and reading order (``pytest benches/python``)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kraken.lib.segmentation import reading_order, vectorize_lines, vectorize_regions

PAGE = Path(__file__).resolve().parents[3] / "shared" / "bench" / "page-33-lines.heat.npz"


def page() -> np.ndarray:
    """1800 × 1042 with 33 wavy lines."""
    maps = np.zeros((3, 1800, 1042), dtype=np.float32)
    x = np.arange(120, 920)
    for k in range(33):
        y = (150 + 45 * k + 4 * np.sin(x / 90 + k)).astype(int)
        for offset in range(-6, 7):
            maps[2, y + offset, x] = np.exp(-((offset / 4) ** 2))
        maps[0, y[0] - 8 : y[0] + 8, 112:128] = 1
        maps[1, y[-1] - 8 : y[-1] + 8, 912:928] = 1
    return maps


def test_lines_of_a_drawn_page(benchmark: Any) -> None:
    assert len(benchmark(vectorize_lines, page())) == 33


def test_lines_of_a_real_page(benchmark: Any) -> None:
    if not PAGE.exists():
        pytest.skip("no recorded heatmap")
    maps = np.load(PAGE)["heat"].astype(np.float32) / np.float32(255)
    assert len(benchmark(vectorize_lines, maps)) == 33


def test_regions_of_a_page(benchmark: Any) -> None:
    area = np.zeros((1800, 1042), dtype=np.float32)
    area[100:800, 100:900] = area[850:1700, 100:480] = area[850:1700, 520:900] = 1
    assert len(benchmark(vectorize_regions, area)) == 3


def test_order_of_500_lines(benchmark: Any) -> None:
    corners = np.random.default_rng(0).integers(0, 3000, (500, 2))
    boxes = [SimpleNamespace(id="", bbox=(x, y, x + 400, y + 30)) for x, y in corners.tolist()]
    assert len(benchmark(reading_order, boxes)) == 500
