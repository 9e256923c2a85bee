"""Native sections equal the reference implementation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.containers import compute_polygon_section, precompute_polygon_sections
from tests.reference import sections as reference

# A small grid makes collinear edges, repeated points and exact hits frequent.
coordinate = st.integers(0, 12) | st.integers(-300, 300)
point = st.tuples(coordinate, coordinate)
float_point = st.tuples(st.floats(-50, 50), st.floats(-50, 50))
distance = st.integers(-20, 60) | st.floats(-30, 700)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(point, min_size=1, max_size=5) | st.lists(float_point, min_size=1, max_size=4),
    st.lists(point, max_size=8),
    st.lists(st.tuples(distance, distance), min_size=1, max_size=4),
)
def test_sections_equal_the_reference(baseline, boundary, cuts):
    polygons, _, length = precompute_polygon_sections(baseline, boundary, cuts)
    for polygon, (dist1, dist2) in zip(polygons, cuts, strict=True):
        expected, expected_length = reference.section(baseline, boundary, dist1, dist2)
        assert length == pytest.approx(expected_length, rel=1e-12, abs=1e-12)
        assert polygon == expected
        assert compute_polygon_section(baseline, boundary, dist1, dist2) == polygon
