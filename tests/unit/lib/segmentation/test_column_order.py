"""Column-aware reading order of drawn layouts, in every text direction."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.segmentation import column_reading_order

# Lines of a layout are (u0, u1, v): extent along the text and position across it, listed in reading order.
Line = tuple[float, float, float]
PITCH = 40.0
COLUMN, GUTTER = 300.0, 40.0

DIRECTIONS = ["horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl"]
PLACE = {
    "horizontal-lr": lambda u, v: (u, v),
    "horizontal-rl": lambda u, v: (4000 - u, v),
    "vertical-lr": lambda u, v: (v, u),
    "vertical-rl": lambda u, v: (4000 - v, u),
}


def column(index: int, rows: range, seed: int = 0, indent: float = 0.0) -> list[Line]:
    """Lines of a ragged column."""
    rng = random.Random(seed + 31 * index)
    left = 100 + index * (COLUMN + GUTTER)
    return [
        (left + indent, left + COLUMN * rng.uniform(0.75, 1.0), 100 + PITCH * row + rng.uniform(-3, 3))
        for row in rows
    ]


def across(first: int, last: int, row: float) -> Line:
    """A heading from column `first` to column `last`."""
    left = 100 + first * (COLUMN + GUTTER)
    return left + 60, 100 + last * (COLUMN + GUTTER) + COLUMN - 60, 100 + PITCH * row


def check(layout: list[Line], direction: str, regions: list[Any] | None = None, boxes: bool = False) -> None:
    """Shuffled lines come out in the order of the layout."""
    place = PLACE[direction]
    order = list(range(len(layout)))
    random.Random(7).shuffle(order)
    lines = []
    for i in order:
        u0, u1, v = layout[i]
        a, b = place(u0, v), place(u1, v)
        if boxes:
            (x0, y0), (x1, y1) = place(u0, v - 13), place(u1, v + 13)
            lines.append(SimpleNamespace(bbox=(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))))
        else:
            lines.append(SimpleNamespace(baseline=[a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), b]))
    found = column_reading_order(lines, direction, regions)
    assert [order[i] for i in found] == list(range(len(layout)))
    # the orientation shows in the lines
    assert column_reading_order(lines, direction[-2:], regions) == found


@pytest.mark.parametrize("boxes", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_columns(n: int, direction: str, boxes: bool) -> None:
    layout = [line for k in range(n) for line in column(k, range(30 - 3 * k))]
    check(layout, direction, boxes=boxes)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_headings_across_all_columns(n: int, direction: str) -> None:
    layout = [across(0, n - 1, -2)]
    for part in (range(10), range(12, 30)):
        layout += [line for k in range(n) for line in column(k, part)]
        layout.append(across(0, n - 1, part.stop + 0.5))
    check(layout, direction)
    check(layout, direction, boxes=True)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_heading_across_some_columns(direction: str) -> None:
    layout = column(0, range(30))
    for part in (range(12), range(14, 30)):
        layout += column(1, part) + column(2, part)
        if part.start == 0:
            layout.append(across(1, 2, 12.5))
    check([*layout, *column(3, range(30))], direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_notes_in_the_margins_follow_the_column(direction: str) -> None:
    text = [(300.0, 1200.0, 100 + PITCH * row) for row in range(30)]
    before = [(100.0, 250.0 - 9 * (row % 3), 103 + PITCH * row) for row in (2, 3, 4, 17, 18)]
    after = [(1240.0, 1390.0, 98 + PITCH * row) for row in (6, 7, 25)]
    check(text + before + after, direction)
    check(text + before, direction)
    check(text + after, direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_notes_beside_two_columns(direction: str) -> None:
    notes = [(-60.0, 60.0, 101 + PITCH * row) for row in (5, 6, 7, 20)]
    check([across(0, 1, -2), *column(0, range(30)), *notes, *column(1, range(30))], direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_running_head_and_page_number(direction: str) -> None:
    head, foot = (460.0, 700.0, -100.0), (120.0, 150.0, 1500.0)
    check([head, *column(0, range(30)), *column(1, range(30)), foot], direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_initial_comes_before_its_lines(direction: str) -> None:
    text = [(100.0 + (120 if row < 3 else 0), 900.0, 100 + PITCH * row) for row in range(12)]
    check([(100.0, 190.0, 100 + PITCH * 1.2), *text], direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_tables_are_read_row_by_row(direction: str) -> None:
    cells = [(100.0, 700.0), (800.0, 880.0), (960.0, 1040.0)]
    rng = random.Random(1)
    table = [
        (a, b - rng.uniform(0, 0.3) * (b - a), 100 + PITCH * row + rng.uniform(-4, 4))
        for row in range(8)
        for a, b in cells
    ]
    check(table, direction)
    above = [(100.0, 1040.0 - 30 * row, -200 + PITCH * row) for row in range(5)]
    below = [(100.0, 1040.0, 500 + PITCH * row) for row in range(5)]
    check(above + table + below, direction)
    check(above + table + below, direction, boxes=True)


def region(u0: float, v0: float, u1: float, v1: float, direction: str, kind: str = "text") -> SimpleNamespace:
    corners = [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]
    outline = [PLACE[direction](u, v) for u, v in corners]
    return SimpleNamespace(id="r", boundary=outline, tags={"type": [{"type": kind}]})


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_region_marked_as_table(direction: str) -> None:
    rows = [(x, x + 270, 100 + PITCH * row) for row in range(6) for x in (100.0, 400.0)]
    columns = sorted(rows)
    check(columns, direction)
    check(rows, direction, [region(50, 50, 700, 400, direction, "TableZone")])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_lines_of_a_region_stay_together(direction: str) -> None:
    """Two columns in two regions, one of which encloses lines that would otherwise follow the heading."""
    layout = [*column(0, range(20)), across(0, 1, 24), *column(0, range(26, 30)), *column(1, range(26, 30))]
    upper = [(450.0, 730.0, 100 + PITCH * row) for row in range(20)]
    layout = [*layout[:20], *upper, *layout[20:]]
    check(layout, direction)
    whole = [region(440, 50, 745, 920, direction), region(90, 50, 420, 920, direction)]
    check(layout, direction, whole)
    # A region that holds the second halves of both columns keeps them before what is to their right.
    check(layout, direction, [region(90, 1100, 745, 1400, direction)])


def test_a_page_askew() -> None:
    layout = [across(0, 2, -2), *(line for k in range(3) for line in column(k, range(50)))]
    lines = []
    for u0, u1, v in layout:
        points = [(u0, v), (u1, v)]
        lines.append(SimpleNamespace(baseline=[(x - 0.06 * y, y + 0.06 * x) for x, y in points]))
    assert column_reading_order(lines) == list(range(len(lines)))


def test_empty_and_bad() -> None:
    assert column_reading_order([]) == []
    assert column_reading_order([SimpleNamespace(baseline=[(5, 5)])]) == [0]
    with pytest.raises(ValueError, match="text_direction"):
        column_reading_order([], "up")
    with pytest.raises(ValueError, match="line_3"):
        column_reading_order([SimpleNamespace(id="line_3", baseline=[(float("nan"), 5)])])
    with pytest.raises(ValueError, match="line_4"):
        column_reading_order([SimpleNamespace(id="line_4", bbox=None)])


NUMBER = st.one_of(st.integers(0, 40), st.floats(-1e6, 1e6), st.sampled_from([1e300, -1e300, 0.0]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER), max_size=25), st.sampled_from(DIRECTIONS))
def test_every_line_comes_once(ends: list[tuple[float, float, float, float]], direction: str) -> None:
    lines = [SimpleNamespace(baseline=[e[:2], e[2:]]) for e in ends]
    assert sorted(column_reading_order(lines, direction)) == list(range(len(lines)))
    boxes = [SimpleNamespace(bbox=e) for e in ends]
    assert sorted(column_reading_order(boxes, direction)) == list(range(len(lines)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(0, 400)), max_size=25))
def test_directions_follow_one_rule(layout: list[tuple[int, int, int]]) -> None:
    """Mirrored and turned pages are read alike."""
    orders = []
    for direction in DIRECTIONS:
        place = PLACE[direction]
        lines = [
            SimpleNamespace(baseline=[place(10 * u, 7 * v), place(10 * (u + n), 7 * v)]) for u, n, v in layout
        ]
        orders.append(column_reading_order(lines, direction))
    assert orders[1:] == orders[:1] * 3


def test_time_of_hostile_pages() -> None:
    rng = random.Random(3)
    steps = [SimpleNamespace(baseline=[(9 * k, 9 * k), (9 * k + 8, 9 * k)]) for k in range(10_000)]
    noise = [(rng.random() * 4000, rng.random() * 5000) for _ in range(10_000)]
    scattered = [SimpleNamespace(baseline=[(x, y), (x + 60, y)]) for x, y in noise]
    start = time.process_time()
    assert sorted(column_reading_order(steps)) == sorted(column_reading_order(scattered))
    assert time.process_time() - start < 10
