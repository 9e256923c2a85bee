"""Joining fragments of lines, and splitting lines at the borders of regions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Polygon

from kraken.lib.segmentation import join_baseline_fragments, split_at_regions
from kraken.lib.segmentation.fragments import distance_to_outline, line_pitch

Line = list[list[int]]
SIDE = 1000


def broken(line: Line, gaps: list[tuple[float, float]]) -> list[Line]:
    """What is left of a line without the stretches from–to."""
    whole, start, parts = LineString(line), 0.0, []
    for a, b in [*gaps, (whole.length, whole.length)]:
        steps = max(2, int((a - start) / 10))
        points = [whole.interpolate(d) for d in np.linspace(start, a, steps)]
        parts.append([[round(p.x), round(p.y)] for p in points])
        start = b
    return parts


def turned(line: Line, quarters: int) -> Line:
    for _ in range(quarters):
        line = [[y, SIDE - 1 - x] for x, y in line]
    return line


def wave(y: int, height: int = 25) -> Line:
    return [[x, round(y + height * math.sin(x / 120))] for x in range(50, 950, 10)]


def arc(radius: int) -> Line:
    angles = np.linspace(math.pi, 1.5 * math.pi, 60)
    return [[round(950 + radius * math.cos(a)), round(950 + radius * math.sin(a))] for a in angles]


PAGES = {
    "straight": [[[50, y], [950, y]] for y in range(100, 900, 60)],
    "slanted": [[[50, y], [950, y + 90]] for y in range(100, 800, 60)],
    "wavy": [wave(y) for y in range(100, 900, 60)],
    "arcs": [arc(r) for r in range(300, 800, 60)],
}


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("name", PAGES)
def test_broken_lines_become_whole(name: str, quarters: int) -> None:
    rng = np.random.default_rng(3)
    lines = [turned(line, quarters) for line in PAGES[name]]
    fragments, owners = [], []
    for k, line in enumerate(lines):
        length = LineString(line).length
        starts = np.sort(rng.uniform(60, length - 100, 3))
        starts = starts[np.diff(starts, prepend=-100) > 60]
        for part in broken(line, [(s, s + rng.uniform(5, 25)) for s in starts]):
            fragments.append(part)
            owners.append(k)
    order = rng.permutation(len(fragments)).tolist()
    joined, chains = join_baseline_fragments([fragments[i] for i in order], 30)
    assert sorted(i for chain in chains for i in chain) == list(range(len(fragments)))
    assert all(len({owners[order[i]] for i in chain}) == 1 for chain in chains), "lines were mixed"
    assert len(joined) == len(lines)
    for line, chain in zip(joined, chains, strict=True):
        true = LineString(lines[owners[order[chain[0]]]])
        assert LineString(line).hausdorff_distance(true) < 4
        assert line[0] == list(true.coords[0]) and line[-1] == list(true.coords[-1])


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("shift", [0, 7, 30])
@pytest.mark.parametrize("heading", [False, True])
def test_columns_are_not_joined(heading: bool, shift: int, quarters: int) -> None:
    lines = [[[50, y], [480, y]] for y in range(200, 900, 60)]
    lines += [[[505, y + shift], [950, y + shift]] for y in range(200, 900, 60)]
    if heading:
        lines.append([[50, 140], [950, 140]])
    lines = [turned(line, quarters) for line in lines]
    joined, chains = join_baseline_fragments(lines, 30)
    assert joined == lines
    assert chains == [[i] for i in range(len(lines))]


def test_a_broken_line_in_a_column_is_joined_without_the_other_column() -> None:
    left = [[[50, y], [480, y]] for y in range(200, 900, 60)]
    right = [[[505, y], [950, y]] for y in range(200, 900, 60)]
    left[3:4] = [[[50, 380], [200, 381]], [[215, 380], [480, 380]]]
    _, chains = join_baseline_fragments(left + right, 30)
    assert [chain for chain in chains if len(chain) > 1] == [[3, 4]]


def test_only_what_continues_is_joined() -> None:
    line = [[100, 100], [300, 100]]
    for other in (
        [[340, 100], [500, 100]],  # too far
        [[310, 115], [500, 115]],  # the next line
        [[310, 100], [310, 300]],  # another direction
        [[500, 100], [310, 100]],  # runs the other way
        [[100, 100], [300, 100]],  # the same
    ):
        assert len(join_baseline_fragments([line, other], 20)[0]) == 2
    near = [[310, 102], [500, 102]]
    assert join_baseline_fragments([line, near], 20)[1] == [[0, 1]]
    assert join_baseline_fragments([near, line], 20)[1] == [[1, 0]]
    assert join_baseline_fragments([line, near], 20, groups=[0, 1])[1] == [[0], [1]]
    assert join_baseline_fragments([line, near], 0)[1] == [[0], [1]]
    assert join_baseline_fragments([line, near], 20, max_offset=1)[1] == [[0], [1]]


def test_overlapping_ends_do_not_run_back() -> None:
    joined, _ = join_baseline_fragments([[[100, 100], [300, 100]], [[297, 101], [299, 101], [500, 101]]], 20)
    assert joined == [[[100, 100], [300, 100], [500, 101]]]


def test_bad_arguments() -> None:
    assert join_baseline_fragments([], 10) == ([], [])
    assert join_baseline_fragments([[], [[1, 1]]], 10)[1] == [[0], [1]]
    for arguments in ({"max_gap": -1}, {"max_gap": math.nan}, {"max_gap": 5, "groups": []}):
        with pytest.raises(ValueError, match=r"max_gap|groups"):
            join_baseline_fragments([[[0, 0], [9, 0]]], **arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="baseline 0"):
        join_baseline_fragments([[[0, 0, 0]]], 5)
    with pytest.raises(ValueError, match="finite"):
        join_baseline_fragments([[[0, math.inf], [1, 1]]], 5)


def test_pitch() -> None:
    assert line_pitch(PAGES["straight"]) == 60
    assert line_pitch([[[0, 0], [9, 0]]]) is None
    assert line_pitch([]) is None


# ---- splitting ----

BOX = [[100, 100], [300, 100], [300, 300], [100, 300], [100, 100]]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (
            [[50, 200], [350, 200]],
            [[[50, 200], [100, 200]], [[100, 200], [300, 200]], [[300, 200], [350, 200]]],
        ),
        ([[120, 200], [280, 200]], [[[120, 200], [280, 200]]]),
        ([[10, 20], [90, 20]], [[[10, 20], [90, 20]]]),
        # overshoots are cut off
        ([[97, 200], [303, 200]], [[[100, 200], [300, 200]]]),
        # along a border, on either side of it
        ([[120, 101], [180, 98], [240, 102], [290, 99]], [[[120, 101], [180, 98], [240, 102], [290, 99]]]),
        # a vertex on the border
        ([[50, 200], [100, 200], [200, 210]], [[[50, 200], [100, 200]], [[100, 200], [200, 210]]]),
        # touching a corner from outside
        ([[50, 150], [100, 100], [150, 50]], [[[50, 150], [100, 100], [150, 50]]]),
        # wholly short: nothing vanishes
        ([[99, 200], [101, 200]], [[[100, 200], [101, 200]]]),
    ],
)
def test_splitting(line: Line, parts: list[Line]) -> None:
    assert split_at_regions(line, [BOX]) == parts
    assert split_at_regions(line, [BOX[:-1]]) == parts
    assert split_at_regions(line, []) == [line]
    assert split_at_regions(line, [[], [[1, 1]]]) == [line]


def test_neighbouring_regions_share_a_line() -> None:
    right = [[300, 100], [500, 100], [500, 300], [300, 300]]
    assert split_at_regions([[150, 200], [450, 210]], [BOX, right]) == [
        [[150, 200], [300, 205]],
        [[300, 205], [450, 210]],
    ]


def test_ends_in_several_short_pieces_count_together() -> None:
    # a spike of the region crosses the end of the line twice: 3 px outside, 4 px inside, 4 px outside again
    spike = [[100, 100], [300, 100], [300, 198], [307, 198], [307, 230], [303, 230], [303, 202], [300, 202]]
    spike += [[300, 300], [100, 300]]
    parts = split_at_regions([[150, 210], [311, 210]], [spike])
    assert parts[-1][-1] == [307, 210], "4 px are too short, 8 px are not"


_XY = st.tuples(st.integers(0, 400), st.integers(0, 400))


@settings(max_examples=60, deadline=None)
@example(line=[(0, 40), (173, 189)], ring=[(23, 0), (54, 46), (197, 221)])
@example(line=[(40, 48), (399, 205)], ring=[(43, 0), (324, 186), (205, 125), (0, 29)])
@given(st.lists(_XY, min_size=2, max_size=6, unique=True), st.lists(_XY, min_size=3, max_size=6, unique=True))
def test_parts_cover_the_line(line: list[Any], ring: list[Any]) -> None:
    parts = split_at_regions(line, [ring], min_length=5, tolerance=3)
    assert parts and all(len(part) > 1 for part in parts)
    whole = LineString(line)
    covered = MultiLineString(parts).buffer(1.5)
    lost = whole.difference(covered)
    # Only ends shorter than the limit are missing.
    assert all(piece.length < 6 for piece in getattr(lost, "geoms", [lost]))
    assert whole.buffer(1.5).covers(MultiLineString(parts))
    polygon = Polygon(ring)
    if polygon.is_valid:
        for part in parts:
            inside = LineString(part).intersection(polygon.buffer(-6)).length
            outside = LineString(part).difference(polygon.buffer(6)).length
            assert inside == 0 or outside == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(_XY, min_size=3, max_size=6, unique=True), _XY)
def test_distance(ring: list[Any], point: Any) -> None:
    polygon = Polygon(ring)
    got = float(distance_to_outline([point], ring)[0])
    expected = LineString([*ring, ring[0]]).distance(LineString([point, point]))
    assert abs(got) == pytest.approx(expected, abs=1e-6)
    if polygon.is_valid and expected > 1e-6:
        assert (got > 0) == polygon.contains(LineString([point, point]).centroid)
