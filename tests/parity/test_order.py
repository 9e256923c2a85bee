"""Reading order equals its obvious version."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from shapely.geometry import LineString, Point, Polygon

from kraken._rust import seg
from kraken.lib.segmentation import is_in_region, polygonal_reading_order, topsort
from tests.reference import order as slow

# Few distinct coordinates, so that boxes touch, coincide and have no height.
EDGE = st.integers(0, 9)
BOX = st.tuples(EDGE, EDGE, EDGE, EDGE).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
BOXES = st.lists(BOX, max_size=14)


@settings(max_examples=100, deadline=None)
@given(BOXES)
def test_boxes(boxes: list[slow.Box]) -> None:
    assert seg.order_boxes(boxes, "lr") == slow.order_boxes(boxes)
    assert seg.order_boxes(boxes, "mirrored") == slow.order_boxes(boxes, right_to_left=True)
    assert seg.order_boxes(boxes, "rl") == slow.topsort(slow.partial_order_rl(boxes))


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.bool_, st.integers(0, 90).map(lambda n: (n, n))))
def test_topsort(order: np.ndarray) -> None:
    assert topsort(order) == slow.topsort(order.tolist())


def test_topsort_of_sparse_orders() -> None:
    rng = np.random.default_rng(0)
    for n in (5, 63, 64, 65, 200):
        order = rng.random((n, n)) < 1.5 / n
        assert topsort(order) == slow.topsort(order.tolist())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=5).filter(
        lambda p: len(set(p)) > 1
    ),
    st.integers(0, 2**31),
)
def test_middle_in_region(line: list[tuple[int, int]], seed: int) -> None:
    angles = np.sort(np.random.default_rng(seed).random(8)) * 2 * np.pi
    ring = (30 + 25 * np.c_[np.cos(angles), np.sin(angles)]).tolist()
    polygon, middle = Polygon(ring), LineString(line).interpolate(0.5, normalized=True)
    if polygon.exterior.distance(middle) > 1e-9:
        assert is_in_region(line, ring) == polygon.contains(middle)
    assert is_in_region(LineString(line), polygon) == is_in_region(line, ring)
    other = Polygon([(x / 2, y / 2) for x, y in ring])
    assert is_in_region(other, polygon) == polygon.contains(Point(other.centroid))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(EDGE, EDGE, EDGE, EDGE), max_size=12))
def test_lines_with_regions(ends: list[tuple[int, int, int, int]]) -> None:
    outlines = [[(-1, -1), (4, -1), (4, 12), (-1, 12)], [(3, -1), (12, -1), (12, 5), (3, 5)]]
    lines = [SimpleNamespace(id=str(i), baseline=[e[:2], e[2:]]) for i, e in enumerate(ends)]
    regions = [SimpleNamespace(id=str(i), boundary=o) for i, o in enumerate(outlines)]
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in ends]
    owner = [next((r for r, o in enumerate(outlines) if is_in_region(x.baseline, o)), None) for x in lines]
    items = [(boxes[i], [i]) for i, r in enumerate(owner) if r is None]
    for r, outline in enumerate(outlines):
        members = [i for i, o in enumerate(owner) if o == r]
        if members:
            inner = [members[k] for k in slow.order_boxes([boxes[i] for i in members])]
            xs, ys = zip(*outline, strict=True)
            items.append(((min(xs), min(ys), max(xs), max(ys)), inner))
    expected = [i for k in slow.order_boxes([b for b, _ in items]) for i in items[k][1]]
    assert polygonal_reading_order(lines, regions=regions) == expected
