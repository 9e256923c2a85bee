"""Heatmaps that break engines: many lines, combs, noise. Nothing is lost, memory stays bounded."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from kraken.lib.segmentation import vectorize_lines, vectorize_regions


def bars(swap: bool = False) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Six columns of 60 bars with blobs at their starts and ends; (x0, x1, y) of each."""
    rng = np.random.default_rng(0)
    maps = np.zeros((3, 3620, 464), dtype=np.float32)
    drawn = []
    for column in range(6):
        for row in range(60):
            x, y, length = 6 + 74 * column, 5 + 10 * row, int(rng.integers(36, 61))
            maps[2, y : y + 3, x : x + length] = 1
            maps[int(swap), y : y + 3, x : x + 3] = 1
            maps[1 - int(swap), y : y + 3, x + length - 3 : x + length] = 1
            drawn.append((x, x + length - 1, y + 1))
    return maps, drawn


def comb(height: int = 400) -> np.ndarray:
    """One bar with 2,000 teeth: one component."""
    maps = np.zeros((3, height, 16_000), dtype=np.float32)
    maps[2, height - 20 : height - 14] = 1
    for tooth in range(2000):
        maps[2, 40 : height - 20, 8 * tooth : 8 * tooth + 3] = 1
    return maps


@pytest.mark.parametrize("swap", [False, True])
def test_every_bar_is_found(swap: bool) -> None:
    maps, drawn = bars(swap)
    lines = vectorize_lines(maps)
    assert len(lines) == 360
    first, last = (-1, 0) if swap else (0, -1)
    found = sorted((line[first][0], line[last][0], line[0][1]) for line in lines)
    assert np.abs(np.array(found) - np.array(sorted(drawn))).max() <= 3


def test_teeth_of_a_comb() -> None:
    lines = vectorize_lines(comb())
    tall = [line for line in lines if np.ptp([y for _, y in line]) > 300]
    assert len(tall) >= 1990
    assert sum(np.ptp([x for x, _ in line]) > 15_000 for line in lines) == 1


def _memory(field: str) -> float:
    """A size of this process in MB: ``VmRSS`` as it is now, ``VmHWM`` at most."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def _peak(kind: str, queue: multiprocessing.Queue[float]) -> None:
    """Growth of the peak memory of one call in MB."""
    if kind == "noise":
        maps = np.random.default_rng(0).random((3, 1800, 1200), dtype=np.float32)
    else:
        maps = bars()[0] if kind == "bars" else comb(2400 if kind == "tall comb" else 400)
    maps += 0  # Touches every page of the array, so that none counts as growth.
    # Making the maps may have taken more than they do: the peak starts anew here.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory("VmRSS")
    vectorize_lines(maps)
    if kind in ("comb", "noise"):
        vectorize_regions(maps[2])
    queue.put(_memory("VmHWM") - before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is measured the Linux way")
@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        # Lines and regions of 6.4 and 2.2 megapixels.
        ("comb", 300),
        ("noise", 130),
        # Lines alone, of 1.7 and 38 megapixels.
        ("bars", 60),
        ("tall comb", 300),
    ],
)
def test_memory_is_bounded_by_the_pixels(kind: str, limit: float) -> None:
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[float] = context.Queue()
    process = context.Process(target=_peak, args=(kind, queue))
    process.start()
    grown = queue.get(timeout=120)
    process.join()
    assert grown < limit


def test_noise_and_patterns_give_lines_inside_the_map() -> None:
    rng = np.random.default_rng(0)
    height, width = 300, 400
    y, x = np.mgrid[:height, :width]
    patterns = [
        rng.random((height, width)),
        rng.random((height, width)) < 0.05,
        (x + y) % 2,
        np.ones((height, width)),
        (y % 40 < 4) | (x % 40 < 4),
        np.full((height, width), np.inf),
        rng.normal(0, 1e30, (height, width)),
    ]
    for pattern in patterns:
        maps = np.broadcast_to(pattern.astype(np.float32), (3, height, width))
        lines = vectorize_lines(maps)
        assert lines == vectorize_lines(maps)
        assert all(
            len(line) > 1 and 0 <= px < width and 0 <= py < height for line in lines for px, py in line
        )
        for ring in vectorize_regions(maps[0]):
            assert ring[0] == ring[-1] and len(ring) > 3


def test_many_threads_at_once() -> None:
    maps, _ = bars()
    maps = maps[:, :700]
    expected = vectorize_lines(maps)
    results: list[object] = []
    workers = [threading.Thread(target=lambda: results.append(vectorize_lines(maps))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [expected] * 4
