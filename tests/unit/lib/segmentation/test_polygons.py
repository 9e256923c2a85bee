"""Polygons around baselines: guarantees on any line, and the interface."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from shapely.geometry import LineString, Polygon, box

from kraken.lib.segmentation.polygons import calculate_polygonal_environment, edge_energy, make_valid

WIDTH, HEIGHT = 460, 340


def _page() -> Image.Image:
    """Six lines of strokes, 50 px apart; feet at y = 50, 100, …"""
    page = Image.new("L", (WIDTH, HEIGHT), 230)
    draw = ImageDraw.Draw(page)
    rng = np.random.default_rng(1)
    for foot in range(50, HEIGHT, 50):
        for x in range(40, WIDTH - 40, 6):
            draw.line([(x, foot), (x + 2, foot - int(rng.integers(17, 21)))], fill=20, width=2)
    return page


PAGE = _page()
ENERGY = edge_energy(PAGE)
LINES = [[[40, foot], [WIDTH - 40, foot]] for foot in range(50, HEIGHT, 50)]


def assert_sound(ring: Any, baseline: Any, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    """The guarantees of a polygon."""
    assert ring is not None
    assert all(type(v) is int for point in ring for v in point)
    assert ring[0] == ring[-1]
    polygon = Polygon(ring)
    assert polygon.is_valid
    assert polygon.area > 0
    frame = box(0, 0, size[0] - 1, size[1] - 1)
    assert frame.covers(polygon)
    assert polygon.buffer(2.01).covers(LineString(baseline).intersection(frame))


def polygons(*lines: Any, **arguments: Any) -> Any:
    return calculate_polygonal_environment(baselines=list(lines), im_feats=ENERGY, **arguments)


# ---- text ----


@pytest.mark.parametrize("topline", [False, True, None])
def test_polygons_hold_the_text(topline: bool | None, caplog: pytest.LogCaptureFixture) -> None:
    shift = {False: 0, True: -20, None: -10}[topline]
    lines = [[[x, y + shift] for x, y in line] for line in LINES]
    with caplog.at_level(logging.WARNING, "kraken"):
        rings = polygons(*lines, topline=topline)
    assert not caplog.records
    for ring, line, (_, (_, foot)) in zip(rings, lines, LINES, strict=True):
        assert_sound(ring, line)
        text = box(42, foot - 17, WIDTH - 42, foot - 2)
        assert Polygon(ring).intersection(text).area > 0.9 * text.area
        assert Polygon(ring).bounds[3] - Polygon(ring).bounds[1] < 48


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(-60, WIDTH + 60), st.integers(-60, HEIGHT + 60)), max_size=6),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([False, True, None]),
)
def test_any_lines(lines: list[Any], topline: bool | None) -> None:
    frame = box(0, 0, WIDTH - 1, HEIGHT - 1)
    for line, ring in zip(lines, polygons(*lines, topline=topline), strict=True):
        if len(set(line)) < 2 or LineString(line).disjoint(frame):
            assert ring is None
        else:
            assert_sound(ring, line)


#: Counter-clockwise turns of a page of (w, h): (x, y) to its new place, and back.
TURNS: dict[Image.Transpose, tuple[Any, Any]] = {
    Image.Transpose.ROTATE_90: (lambda x, y, w, h: [y, w - 1 - x], lambda x, y, w, h: [w - 1 - y, x]),
    Image.Transpose.ROTATE_180: (
        lambda x, y, w, h: [w - 1 - x, h - 1 - y],
        lambda x, y, w, h: [w - 1 - x, h - 1 - y],
    ),
    Image.Transpose.ROTATE_270: (lambda x, y, w, h: [h - 1 - y, x], lambda x, y, w, h: [y, h - 1 - x]),
}


def _turned_overlaps(seed: int, count: int, turn: Image.Transpose) -> list[float]:
    """How far polygons of drawn lines agree with those on the turned page, as IoU."""
    rng = np.random.default_rng(seed)
    there, back = TURNS[turn]
    page = PAGE.transpose(turn)
    overlaps = []
    for k in range(count):
        y, bends = int(rng.integers(80, 260)), rng.integers(-8, 9, size=int(rng.integers(2, 6))).tolist()
        topline = (False, True, None)[k % 3]
        xs = np.linspace(60, 400, len(bends)).astype(int).tolist()
        lines = [[[x, y + bend] for x, bend in zip(xs, bends, strict=True)], [[30, y - 45], [420, y - 45]]]
        straight = calculate_polygonal_environment(PAGE, lines, topline=topline)
        turned_lines = [[there(*point, WIDTH, HEIGHT) for point in line] for line in lines]
        turned = calculate_polygonal_environment(page, turned_lines, topline=topline)
        for one, other in zip(straight, turned, strict=True):
            p, q = Polygon(one), Polygon([back(*point, WIDTH, HEIGHT) for point in other])
            overlaps.append(p.intersection(q).area / p.union(q).area)
    return overlaps


@pytest.mark.parametrize("turn", TURNS)
def test_turning_the_page_turns_the_polygons(turn: Image.Transpose) -> None:
    overlaps = np.array(_turned_overlaps(seed=0, count=60, turn=turn))
    assert np.all(overlaps >= 0.98)


@pytest.mark.parametrize("turn", TURNS)
def test_turning_the_page_turns_the_energy(turn: Image.Transpose) -> None:
    turned = edge_energy(PAGE.transpose(turn))
    assert np.array_equal(turned, np.rot90(ENERGY, list(TURNS).index(turn) + 1))


def test_neighbours_are_not_crossed() -> None:
    lines = [*LINES[:3], [[150, 120], [250, 122]], [[30, 80], [430, 60]]]
    rings = polygons(*lines)
    for i, ring in enumerate(rings):
        assert_sound(ring, lines[i])
        for j, line in enumerate(lines):
            if i != j and not LineString(line).intersects(LineString(lines[i]).buffer(3)):
                assert not LineString(line).crosses(Polygon(ring).buffer(-1))


def test_supplementary_lines_bound_all_or_one() -> None:
    fence = [[0, 92], [WIDTH, 92]]
    free, *_ = polygons(LINES[1])
    assert Polygon(free).bounds[1] < 90
    for arguments in ({"suppl_obj": [fence]}, {"line_suppl_obj": [[fence]]}):
        ring, *_ = polygons(LINES[1], **arguments)
        assert Polygon(ring).bounds[1] >= 92
    fenced, other = polygons(LINES[1], LINES[4], line_suppl_obj=[np.array([fence]), []])
    assert Polygon(fenced).bounds[1] >= 92
    assert other == polygons(LINES[1], LINES[4])[1]


def test_the_line_itself_among_the_obstacles_changes_nothing() -> None:
    assert polygons(LINES[1], suppl_obj=[LINES[1]]) == polygons(LINES[1])


# ---- nasty lines ----

_RING = [[230 + 80 * math.cos(k * math.tau / 39), 170 + 80 * math.sin(k * math.tau / 39)] for k in range(40)]
_SPIRAL = [
    [230 + (20 + 6 * a) * math.cos(a), 170 + (20 + 6 * a) * math.sin(a)] for a in np.arange(0, 15, 0.2)
]
TURNING = {
    "hairpin": [[50, 100], [400, 100], [400, 103], [60, 103]],
    "self-crossing": [[50, 200], [300, 200], [300, 150], [200, 150], [200, 260]],
    "ring": _RING,
    "spiral": _SPIRAL,
    "zigzag": [[100, 200], [110, 230], [120, 200], [130, 230], [140, 200]],
    "repeated points": [[50, 100], [50, 100], [200, 100], [200, 100], [300, 104]],
    "there and back": [[50, 100], [300, 100], [50, 100]],
    "one pixel": [[50, 100], [51, 100]],
    "less than a pixel": [[50.2, 100.1], [50.6, 100.3]],
}
LEAVING = {
    "left": [[-30, 100], [200, 104]],
    "right": [[200, 100], [WIDTH + 50, 100]],
    "top": [[100, -40], [140, 90]],
    "bottom": [[100, 300], [160, HEIGHT + 70]],
    "both sides": [[-10, 150], [WIDTH + 10, 150]],
    "out and in again": [[50, 20], [150, -60], [300, 20]],
    "corner": [[-20, 20], [20, -20]],
    "touching": [[-30, 100], [0, 100]],
    "full width": [[0, 100], [WIDTH, 100]],
    "column 0": [[0, 40], [0, 300]],
    "last column": [[WIDTH - 1, 40], [WIDTH - 1, 300]],
    "row 0": [[40, 0], [400, 0]],
    "last row": [[40, HEIGHT - 1], [400, HEIGHT - 1]],
    "huge": [[-1e9, -1e9], [1e9, 1e9]],
}


@pytest.mark.parametrize("topline", [False, True, None])
@pytest.mark.parametrize("name", [*TURNING, *LEAVING])
def test_nasty_lines_have_polygons(name: str, topline: bool | None) -> None:
    line = (TURNING | LEAVING)[name]
    alone, *_ = polygons(line, topline=topline)
    assert_sound(alone, line)
    among, *others = polygons(line, *LINES, topline=topline)
    assert_sound(among, line)
    for ring, other in zip(others, LINES, strict=True):
        assert_sound(ring, other)


def test_a_ring_around_another_line_stays_off_it() -> None:
    around, within = polygons(_RING[:34], [[200, 170], [260, 170]])
    assert_sound(around, _RING[:34])
    assert not LineString([[200, 170], [260, 170]]).intersects(Polygon(around).buffer(-1))
    assert_sound(within, [[200, 170], [260, 170]])


@pytest.mark.parametrize(
    "line",
    [[], [[5, 5]], [[5, 5], [5, 5], [5, 5]], [[-50, -5], [300, -5]], [[math.nan, 1], [4, 4]], None],
)
def test_hopeless_lines_warn_once(line: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "kraken"):
        rings = polygons(LINES[0], line)
    assert_sound(rings[0], LINES[0])
    assert rings[1] is None
    assert [r.name for r in caplog.records] == ["kraken"]
    assert "line 1:" in caplog.text
    with pytest.raises(ValueError, match="line 1"):
        polygons(LINES[0], line, raise_on_error=True)


def test_lines_without_a_seam_warn_once_and_get_a_band(caplog: pytest.LogCaptureFixture) -> None:
    line = LEAVING["row 0"]
    with caplog.at_level(logging.WARNING, "kraken"):
        rings = polygons(LINES[0], line)
    assert_sound(rings[1], line)
    assert len(caplog.records) == 1
    assert "line 1" in caplog.text
    with pytest.raises(ValueError, match="line 1: there is no room"):
        polygons(LINES[0], line, raise_on_error=True)


def test_absurd_coordinates_do_no_harm() -> None:
    far = [[-1e300, 1e300], [1e300, -1e300], [math.inf, math.nan], [3, 4]]
    for topline in (False, None):
        rings = polygons(LINES[0], far, LINES[1], suppl_obj=[far], topline=topline)
        assert_sound(rings[0], LINES[0])
        assert_sound(rings[2], LINES[1])
    assert make_valid([[-1e12, -1e12], [1e12, -1e12], [1e12, 1e12]], (100, 80)) is not None


# ---- images ----


@pytest.mark.parametrize("size", [(2, 2), (3, 40), (40, 2), (5000, 3)])
def test_tiny_images(size: tuple[int, int]) -> None:
    line = [[0, 1], [size[0] - 1, 0]]
    ring, *_ = calculate_polygonal_environment(Image.new("L", size, 128), [line])
    assert_sound(ring, line, size)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1)])
def test_images_without_area_have_no_polygons(size: tuple[int, int]) -> None:
    assert calculate_polygonal_environment(Image.new("L", size), [[[0, 0], [40, 40]]]) == [None]


def test_empty_images() -> None:
    for shape in [(0, 0), (0, 5), (5, 0)]:
        assert polygons_on(np.zeros(shape)) == [None]
        assert edge_energy(np.zeros(shape, np.uint8)).shape == shape


def polygons_on(features: Any) -> Any:
    return calculate_polygonal_environment(baselines=[[[0, 0], [4, 4]]], im_feats=features)


@pytest.mark.parametrize("mode", ["1", "RGB", "RGBA", "P", "CMYK", "I", "F"])
def test_any_mode(mode: str) -> None:
    assert_sound(calculate_polygonal_environment(PAGE.convert(mode), LINES)[0], LINES[0])


# ---- interface ----


def test_scale_works_on_the_resized_page() -> None:
    full = calculate_polygonal_environment(PAGE, LINES)
    for scale in [(HEIGHT * 2, 0), (0, WIDTH * 2), (HEIGHT * 2, WIDTH * 2), (HEIGHT // 2, 0), (9, 9), (1, 1)]:
        rings = calculate_polygonal_environment(PAGE, LINES, suppl_obj=[[[0, 20], [400, 20]]], scale=scale)
        for ring, reference in zip(rings, full, strict=True):
            if min(scale) > 9 or max(scale) > 9:
                polygon, other = Polygon(ring), Polygon(reference)
                assert polygon.is_valid
                assert box(0, 0, WIDTH - 1, HEIGHT - 1).covers(polygon)
                assert polygon.intersection(other).area > 0.6 * polygon.union(other).area
    for nothing in [(0, 0), None]:
        assert calculate_polygonal_environment(PAGE, LINES, scale=nothing) == full


def test_arguments_stay_as_they_are() -> None:
    lines = tuple(tuple(tuple(p) for p in line) for line in LINES)
    arrays = [np.array(line) for line in LINES]
    before = [list(map(list, line)) for line in LINES]
    assert polygons(*lines) == polygons(*arrays) == polygons(*LINES)
    assert before == LINES
    assert polygons() == []
    assert calculate_polygonal_environment(PAGE, tuple(LINES)) == polygons(*LINES)


def test_image_and_features_are_the_same() -> None:
    assert calculate_polygonal_environment(PAGE, LINES) == polygons(*LINES)
    assert polygons(*LINES) == calculate_polygonal_environment(
        baselines=LINES, im_feats=np.asfortranarray(ENERGY.astype(np.float64))
    )
    assert polygons(*LINES) == polygons(*LINES, num_threads=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"baselines": LINES}, "neither im nor im_feats"),
        ({"baselines": LINES, "im_feats": ENERGY, "scale": (100, 0)}, "scale needs the page image"),
        ({"baselines": LINES, "im": PAGE, "scale": (-1, 0)}, "at least 0"),
        ({"baselines": LINES, "im_feats": ENERGY[0]}, "shape"),
        ({"baselines": LINES, "im_feats": ENERGY * np.nan}, "not finite"),
        ({"baselines": [[[1, 2, 3]]], "im_feats": ENERGY}, "baseline 0"),
        ({"baselines": [[["a", 2]]], "im_feats": ENERGY}, "baseline 0"),
        ({"baselines": LINES, "im_feats": ENERGY, "line_suppl_obj": []}, "0 entries for"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calculate_polygonal_environment(**arguments)


def test_edge_energy_wants_grey_bytes() -> None:
    for array in [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4))]:
        with pytest.raises(ValueError, match="uint8"):
            edge_energy(array)


# ---- make_valid ----

_COORDINATE = st.integers(-40, 140)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(_COORDINATE, _COORDINATE), max_size=12))
def test_make_valid_gives_simple_rings(points: list[Any]) -> None:
    ring = make_valid(points, (100, 80))
    frame = box(0, 0, 99, 79)
    if ring is None:
        # Nothing that winds around anything inside the image.
        assert len(set(points)) < 3 or Polygon(points).buffer(0).intersection(frame).area == 0
        return
    polygon = Polygon(ring)
    assert ring[0] == ring[-1]
    assert polygon.is_valid
    assert polygon.area > 0
    assert frame.covers(polygon)
    given_ring = Polygon(points) if len(points) > 2 else None
    if given_ring is not None and given_ring.is_valid and frame.covers(given_ring):
        assert polygon.equals(given_ring)


def test_make_valid_keeps_good_rings_and_truncates() -> None:
    ring = [[1.9, 1.2], [30.99, 3.0], [20, 25.5]]
    assert make_valid(ring, (100, 80)) == [[1, 1], [30, 3], [20, 25], [1, 1]]


def test_make_valid_of_nothing() -> None:
    for ring in ([], [[1, 1]], [[1, 1], [5, 5], [9, 9]], [[200, 200], [300, 200], [300, 300]]):
        assert make_valid(ring, (100, 80)) is None
    assert make_valid([[0, 0], [9, 0], [9, 9]], (1, 1)) is None
    with pytest.raises(ValueError, match="pairs"):
        make_valid([[1, 2, 3]], (100, 80))
    with pytest.raises(ValueError, match="size"):
        make_valid([[0, 0], [9, 0], [9, 9]], (math.nan, 5))
