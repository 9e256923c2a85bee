from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraken.lib.xml.points import alto_points, page_points, truncated

integers = st.lists(st.tuples(st.integers(-99_999, 99_999), st.integers(-99_999, 99_999)), min_size=1)


def merged(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]


@given(integers, st.sampled_from([" ", "  ", "\n", "\t "]))
def test_page_points_come_back(points: list[tuple[int, int]], gap: str) -> None:
    text = gap.join(f"{x},{y}" for x, y in points)
    assert page_points(text) == merged(points)


@given(integers, st.sampled_from([" ", ",", ";", ") ("]), st.sampled_from([" ", ","]))
def test_alto_points_come_back(points: list[tuple[int, int]], outer: str, inner: str) -> None:
    text = outer.join(f"{x}{inner}{y}" for x, y in points)
    assert alto_points(text) == merged(points)


@given(st.text(alphabet="0123456789.,- +eE()_\nx", max_size=30))
def test_alto_fast_path_equals_the_rule(text: str) -> None:
    numbers = [float(n) for n in re.findall(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", text)]
    found = alto_points(text)
    if not numbers or len(numbers) % 2 or float("inf") in map(abs, numbers):
        assert found is None
    else:
        values = [int(n) for n in numbers]
        assert found == merged(list(zip(values[::2], values[1::2], strict=True)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("7", None),
        ("1,2 3", [(1, 2)]),
        ("1,2,3 4,5", [(1, 2), (3, 4)]),
        ("007,08 1,1", [(7, 8), (1, 1)]),
        ("1.9,-1.9 +3,4", [(1, -1), (3, 4)]),
        ("1,2 x,3", None),
        ("1,,2", None),
        ("inf,2", None),
        ("nan,2", None),
        ("1e400,2", None),
        ("1,2] 3,4", None),
        ("true,false", None),
    ],
)
def test_page_points(text: str | None, expected: object) -> None:
    assert page_points(text) == expected


def test_numbers_beyond_the_integer_limit_are_unusable() -> None:
    digits = "9" * 5_000
    assert page_points(f"{digits},1") is None
    assert alto_points(f"{digits} 1") is None
    assert truncated(digits) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        (" 12 ", 12),
        ("-3.9", -3),
        ("1e2", 100),
        ("inf", None),
        ("nan", None),
        ("x", None),
    ],
)
def test_truncated(text: str | None, expected: int | None) -> None:
    assert truncated(text) == expected
