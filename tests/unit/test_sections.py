"""Sections of line polygons."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kraken.containers import compute_polygon_section, precompute_polygon_sections
from kraken.containers.sections import as_points

BASELINE = [(10, 20), (60, 20)]
BOX = [(0, 0), (100, 0), (100, 40), (0, 40)]


def test_upright_and_downward_lines():
    assert compute_polygon_section(BASELINE, BOX, 10, 30) == ([10, 0], [10, 40], [30, 40], [30, 0])
    down = [(50, 5), (50, 35)]
    assert compute_polygon_section(down, BOX, 10, 20) == ([100, 10], [0, 10], [0, 20], [100, 20])


def test_containers_do_not_matter():
    expected = compute_polygon_section(BASELINE, BOX, 3, 4)
    for kind in (
        tuple,
        np.array,
        lambda v: [np.array(p) for p in v],
        lambda v: np.array(v, dtype=np.int16)[::1],
    ):
        assert compute_polygon_section(kind(BASELINE), kind(BOX), np.float32(3), np.int8(4)) == expected
    assert all(type(v) is int for point in expected for v in point)


def test_no_pairs():
    assert precompute_polygon_sections(BASELINE, BOX, []) == ([], {}, 0.0)


def test_cache_maps_clamped_distances_to_rounded_hits():
    _, cache, length = precompute_polygon_sections(BASELINE, BOX, [(0, 30), (99, 1000)])
    assert length == 100.0
    assert sorted(cache) == [2.0**-52, 30.0, 99.0, 100.0]
    assert list(cache[30.0]) == [30, 0, 30, 40]
    _, cache, _ = precompute_polygon_sections(BASELINE, [], [(1, 2)])
    assert cache == {1.0: None, 2.0: None}


@pytest.mark.parametrize("line", [[(10, 20)], [(10, 20), (10, 20)], [(10.4, 19.6)] * 3])
def test_lines_without_length(line):
    assert compute_polygon_section(line, BOX, 0, 5) == ([10, 20],) * 4
    assert precompute_polygon_sections(line, BOX, [(0, 5)])[2] == 0.0


def test_polygon_that_is_missed():
    far = [(500, 500), (510, 500), (510, 510)]
    assert compute_polygon_section(BASELINE, far, 0, 10) == [[10, 20], [20, 20]]
    assert compute_polygon_section(BASELINE, [], 0, 10) == [[10, 20], [20, 20]]


@pytest.mark.parametrize("distance", [math.nan, math.inf, 1e300, 10**18])
def test_distances_beyond_the_end(distance):
    expected = compute_polygon_section(BASELINE, BOX, 50, 100)
    assert compute_polygon_section(BASELINE, BOX, 50, distance) == expected
    assert expected[2][0] == expected[3][0] == 100


@pytest.mark.parametrize(
    ("baseline", "boundary", "distance", "name"),
    [
        ([], BOX, 1, "baseline"),
        ([(math.nan, 1), (2, 3)], BOX, 1, "baseline"),
        (BASELINE, [(math.inf, 0), (1, 1), (2, 2)], 1, "boundary"),
        (BASELINE, [(0, 0), (1,)], 1, "boundary"),
        (BASELINE, [(0, 0, 0)], 1, "boundary"),
        (["ab"], BOX, 1, "baseline"),
        (BASELINE, BOX, -math.inf, "cut_pairs"),
        (BASELINE, BOX, None, "cut_pairs"),
        (BASELINE, BOX, "1", "cut_pairs"),
    ],
)
def test_bad_input_is_named(baseline, boundary, distance, name):
    with pytest.raises(ValueError, match=name):
        compute_polygon_section(baseline, boundary, 0, distance)


def test_huge_coordinates_do_not_overflow():
    big = 2**62
    ring = [(-big, -big), (big, -big), (big, big), (-big, big)]
    assert len(compute_polygon_section([(0, 0), (10, 0)], ring, 0, 5)) == 4
    assert precompute_polygon_sections([(0, 0), (1e300, 0)], [(0, -1e300), (1e300, 1e300)], [(1, 2)])


@pytest.mark.parametrize(
    "points",
    [
        [(1, 2), (3.5, 4)],
        ((1, 2), [3, 4]),
        [[True, 2], [3, 4]],
        [np.array([1, 2]), (3, 4.5)],
        np.array([[1, 2], [3, 4]], dtype=np.uint8),
        [],
        (),
    ],
)
def test_points_of_any_kind(points: Any) -> None:
    array = as_points(points, "points")
    assert array.dtype == np.float64 and array.flags.c_contiguous
    np.testing.assert_array_equal(array, np.asarray(points, dtype=float).reshape(-1, 2))


@pytest.mark.parametrize(
    "points", [[(1, 2, 3)], [(1,)], [("1", "2")], [(None, 1)], [1, 2], "ab", [[(1, 2)]], [(10**30, 1)], 7]
)
def test_what_are_no_points(points: Any) -> None:
    with pytest.raises(ValueError, match="points has to consist of pairs of numbers"):
        as_points(points, "points")
