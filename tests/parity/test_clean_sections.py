"""Sections for consumers of boxes, judged by shapely."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kraken.containers.sections import clean_sections

shapely = pytest.importorskip("shapely")

radii = st.lists(st.integers(5, 100), min_size=3, max_size=12)
inner = st.lists(st.tuples(st.integers(-60, 60), st.integers(-30, 30)), min_size=2, max_size=5)
pairs = st.lists(st.tuples(st.floats(-50, 400), st.floats(-50, 400)), min_size=1, max_size=4)


def star(lengths):
    """A simple ring with a point in every direction, integers as in page files."""
    n = len(lengths)
    angles = [2 * math.pi * i / n for i in range(n)]
    return [(round(r * math.cos(a)), round(r * math.sin(a))) for r, a in zip(lengths, angles, strict=True)]


@settings(max_examples=100, deadline=None)
@given(radii, inner, pairs)
def test_sections_are_simple_and_on_the_polygon(lengths, baseline, cuts):
    ring = star(lengths)
    polygon = shapely.Polygon(ring)
    assume(polygon.is_valid and polygon.area > 1)
    try:
        quads = clean_sections(baseline, ring, cuts)
    except ValueError as error:
        # Only a line that doesn't lead through has no sections.
        assert "lead through" in str(error)
        line = shapely.LineString(baseline)
        assert not polygon.contains(line) or line.length == 0
        return
    for quad in quads:
        box = shapely.Polygon(quad)
        assert box.is_valid and box.area > 0
        for corner in quad:
            assert polygon.exterior.distance(shapely.Point(corner)) < 1e-6


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 90), st.floats(0, 90))
def test_sections_of_a_box(a, b):
    (quad,) = clean_sections([(10, 20), (60, 20)], [(0, 0), (100, 0), (100, 40), (0, 40), (0, 0)], [(a, b)])
    lo, hi = min(a, b), max(a, b)
    width = max(hi - lo, 1.0)
    assert shapely.Polygon(quad).area == pytest.approx(40 * width)
    assert quad[0][0] <= lo + 1e-9 and quad[2][0] >= hi - 1e-9


def test_bad_input():
    box = [(0, 0), (100, 0), (100, 40), (0, 40)]
    for args in (
        ([], box, [(1, 2)]),
        ([(5, 5)], box, [(1, 2)]),
        ([(5, 5), (5, 5)], box, [(1, 2)]),
        ([(0, 5), (9, 5)], [(0, 5), (9, 5)], [(1, 2)]),
        ([(0, 5), (9, 5)], box, [(math.nan, 2)]),
        ([(0, 5), (9, 5)], box, [(1, 2, 3)]),
    ):
        with pytest.raises(ValueError):
            clean_sections(*args)
    assert clean_sections([(0, 5), (9, 5)], box, []) == []
