"""The kernel that joins fragments against its slow version."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kraken._rust import seg
from tests.reference import join as reference

_POINT = st.tuples(st.integers(0, 60), st.integers(0, 12))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(_POINT, max_size=4), min_size=1, max_size=3),
    st.integers(0, 40),
    st.integers(0, 10),
    st.sampled_from([0.3, 0.7, 2.0, 3.2]),
    st.lists(st.integers(0, 1), min_size=3, max_size=3),
)
def test_chains(lines: list[Any], gap: int, offset: int, turn: float, groups: list[int]) -> None:
    # A gutter takes a line to its left and another to its right beside the two fragments: four lines.
    plain = [[[float(x), float(y)] for x, y in line] for line in lines]
    own = groups[: len(plain)]
    assert seg.fragment_chains(plain, own, gap, offset, turn) == reference.chains(
        plain, own, gap, offset, turn
    )
