"""Heatmaps that break engines: many lines, combs, noise. Nothing is lost, memory stays bounded."""

from __future__ import annotations

import multiprocessing
import sys
import threading

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


def comb() -> np.ndarray:
    """One bar with 2,000 teeth: one component."""
    maps = np.zeros((3, 400, 16_000), dtype=np.float32)
    maps[2, 380:386] = 1
    for tooth in range(2000):
        maps[2, 40:380, 8 * tooth : 8 * tooth + 3] = 1
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


def _peak(kind: str, queue: multiprocessing.Queue[float]) -> None:
    """Growth of the peak memory of one call in MB."""
    import resource

    rng = np.random.default_rng(0)
    maps = comb() if kind == "comb" else rng.random((3, 1800, 1200), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    vectorize_lines(maps)
    vectorize_regions(maps[2])
    queue.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is measured the Linux way")
@pytest.mark.parametrize("kind", ["comb", "noise"])
def test_memory_is_bounded_by_the_pixels(kind: str) -> None:
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[float] = context.Queue()
    process = context.Process(target=_peak, args=(kind, queue))
    process.start()
    grown = queue.get(timeout=120)
    process.join()
    # 6.4 and 2.2 megapixels: some 40 bytes for each.
    assert grown < (400 if kind == "comb" else 160)


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
