"""Contract of the vectorisation façade."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from shapely.geometry import Polygon

from kraken.lib.segmentation import boundary_tracing, vectorize_lines, vectorize_regions


def heatmap(width: int = 200, height: int = 80) -> np.ndarray:
    return np.zeros((3, height, width), dtype=np.float32)


def with_bar(x0: int = 20, x1: int = 180, y: int = 40, thickness: int = 5) -> np.ndarray:
    maps = heatmap()
    maps[2, y : y + thickness, x0:x1] = 1
    return maps


@pytest.mark.parametrize("direction", ["horizontal-lr", "", "up"])
def test_text_direction_is_checked(direction: str) -> None:
    with pytest.raises(ValueError, match="text direction"):
        vectorize_lines(heatmap(), text_direction=direction)


@pytest.mark.parametrize("shape", [(80, 200), (2, 80, 200), (1, 3, 80, 200), (0,)])
def test_shape_is_checked(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"im |shape"):
        vectorize_lines(np.zeros(shape, dtype=np.float32))
    if len(shape) != 2:
        with pytest.raises(ValueError, match="shape"):
            vectorize_regions(np.zeros(shape, dtype=np.float32))


def test_types_of_maps_agree() -> None:
    maps = with_bar()
    expected = vectorize_lines(maps)
    assert len(expected) == 1
    assert vectorize_lines((maps * 255).astype(np.uint8)) == expected
    assert vectorize_lines(maps.astype(np.float64)) == expected
    assert vectorize_lines(np.asfortranarray(maps)) == expected
    with pytest.raises(ValueError, match="type"):
        vectorize_lines(maps.astype(complex))


def test_nothing_is_found_in_nothing() -> None:
    assert vectorize_lines(heatmap()) == []
    assert vectorize_lines(np.zeros((3, 0, 0), dtype=np.float32)) == []
    assert vectorize_regions(np.zeros((0, 7), dtype=np.float32)) == []
    assert vectorize_lines(np.full((3, 50, 50), np.nan, dtype=np.float32)) == []


def test_nan_counts_as_zero() -> None:
    maps = with_bar()
    expected = vectorize_lines(maps)
    maps[:, 60:, :] = np.nan
    assert vectorize_lines(maps) == expected


def test_direction_of_lines() -> None:
    maps = with_bar()
    line = vectorize_lines(maps)[0]
    assert line[0][0] < line[-1][0]
    # Evidence at one end only doesn't count.
    maps[0, 35:50, 170:190] = 1
    assert vectorize_lines(maps)[0] == line
    maps[1, 35:50, 10:30] = 1
    assert vectorize_lines(maps)[0] == line[::-1]
    assert vectorize_lines(maps.transpose(0, 2, 1), text_direction="vertical")[0][0][1] > 150


@pytest.mark.parametrize("text_direction", ["horizontal", "vertical"])
def test_weak_separators_leave_the_direction_of_the_text(text_direction: str) -> None:
    maps = with_bar()
    maps[0, 35:50, 170:190] = 0.15
    maps[1, 35:50, 10:30] = 0.15
    if text_direction == "vertical":
        maps = maps.transpose(0, 2, 1)
    axis = int(text_direction == "vertical")
    line = vectorize_lines(maps, text_direction=text_direction)[0]
    assert line[0][axis] < line[-1][axis]


def test_strokes_of_crossing_lines() -> None:
    maps = heatmap()
    maps[2, 38:42, 10:190] = 1
    maps[2, 5:75, 98:102] = 1
    lines = vectorize_lines(maps)
    assert len(lines) == 2
    spans = sorted(np.ptp(np.array(line), axis=0).tolist() for line in lines)
    assert spans[0][0] < 8 and spans[0][1] > 60
    assert spans[1][0] > 170 and spans[1][1] < 8


def test_a_ring_is_one_line() -> None:
    y, x = np.mgrid[:200, :200]
    maps = heatmap(200, 200)
    maps[2] = np.abs(np.hypot(y - 100, x - 100) - 60) < 3
    lines = vectorize_lines(maps)
    assert len(lines) == 1
    length = np.hypot(*np.diff(np.array(lines[0]), axis=0).T).sum()
    assert length == pytest.approx(2 * np.pi * 60, rel=0.05)


def test_lines_at_the_border() -> None:
    maps = heatmap()
    maps[2, 0:4] = 1
    maps[2, 76:80] = 1
    lines = vectorize_lines(maps)
    assert len(lines) == 2
    assert all(0 <= x < 200 and 0 <= y < 80 for line in lines for x, y in line)


def test_short_lines() -> None:
    assert vectorize_lines(with_bar(20, 24, thickness=3)) == []
    assert len(vectorize_lines(with_bar(20, 30, thickness=3))) == 1
    assert vectorize_lines(with_bar(), min_length=500) == []


def test_regions_are_strictly_above_the_threshold() -> None:
    area = np.zeros((40, 40), dtype=np.float32)
    area[10:30, 10:30] = 0.5
    assert vectorize_regions(area) == []
    assert len(vectorize_regions(area, 0.49)) == 1
    with pytest.raises(ValueError, match="threshold"):
        vectorize_regions(area, float("nan"))


def test_one_hot_pixel_loses_nothing_else() -> None:
    area = np.zeros((60, 60), dtype=np.float32)
    area[10:50, 10:50] = 1
    area[3, 3] = 1
    (ring,) = vectorize_regions(area)
    assert ring[0] == ring[-1]
    assert Polygon(ring).area == 39 * 39


@pytest.mark.parametrize("seed", range(20))
def test_rings_are_valid_and_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.random((12, 12))
    area = np.kron(coarse > 0.5, np.ones((int(rng.integers(1, 9)),) * 2)).astype(np.float32)
    rings = [Polygon(ring) for ring in vectorize_regions(area)]
    assert all(ring.is_valid and ring.area > 0 for ring in rings)
    assert all(a.intersection(b).area == 0 for i, a in enumerate(rings) for b in rings[:i])


def test_boundary_of_unusual_regions() -> None:
    def trace(coords: list[tuple[int, int]]) -> list[list[int]]:
        return boundary_tracing(SimpleNamespace(coords=np.array(coords))).tolist()

    assert trace([(5, 7)]) == [[5, 7]]
    assert trace([(0, 0), (5, 5), (5, 6)]) == [[5, 5], [5, 6]]
    assert trace([(0, 0), (2**60, 2**60)]) == [[0, 0]]
    with pytest.raises(ValueError, match="coords"):
        boundary_tracing(SimpleNamespace(coords=np.zeros((0, 2))))
