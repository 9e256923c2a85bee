"""Contract of the ordering functions and small helpers."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from shapely.geometry import LineString, Polygon

from kraken.lib.segmentation import (
    is_in_region,
    line_regions,
    neural_reading_order,
    polygonal_reading_order,
    reading_order,
    scale_polygonal_lines,
    scale_regions,
    topsort,
)
from kraken.lib.segmentation.reading_order import decode_order

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


def box(*bbox: Any) -> SimpleNamespace:
    return SimpleNamespace(id="b", bbox=bbox)


def line(*points: tuple[float, float], **more: Any) -> SimpleNamespace:
    return SimpleNamespace(id="line_7", baseline=list(points), **more)


def test_empty() -> None:
    assert reading_order([]) == polygonal_reading_order([]) == topsort([]) == topsort(np.zeros((0, 0))) == []
    assert neural_reading_order([]) is None


def test_right_to_left_columns() -> None:
    boxes = [box(x, y, x + 90, y + 12) for x in (10, 130) for y in (10, 30, 50)]
    assert reading_order(boxes) == reading_order(boxes, "odd value") == [0, 1, 2, 3, 4, 5]
    assert reading_order(boxes, "rl") == [3, 0, 4, 1, 5, 2]
    assert reading_order(boxes, "rl", mirrored=True) == [3, 4, 5, 0, 1, 2]


def test_results_are_plain_ints() -> None:
    boxes = [box(*np.array([0, y, 10, y + 5])) for y in (20, 0)]
    assert [type(i) for i in reading_order(boxes)] == [int, int]


def test_thousands_of_lines_in_reverse() -> None:
    n = 5000
    boxes = [box(10, 10 * (n - i), 500, 10 * (n - i) + 8) for i in range(n)]
    start = time.perf_counter()
    assert reading_order(boxes) == list(range(n))[::-1]
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("bad", [None, (), (1, 2, 3), "text", (0, 0, float("nan"), 1)])
def test_lines_without_boxes_are_named(bad: Any) -> None:
    with pytest.raises(ValueError, match="line_9"):
        reading_order([SimpleNamespace(id="line_9", bbox=bad)])


@pytest.mark.parametrize("bad", [None, [], [(0, float("inf")), (1, 1)], [(1,)], 5])
def test_lines_without_baseline_are_named(bad: Any) -> None:
    with pytest.raises(ValueError, match="line_9"):
        polygonal_reading_order([SimpleNamespace(id="line_9", baseline=bad)])


def test_array_baselines_and_zero_length() -> None:
    lines = [line((5, 30), (5, 30)), SimpleNamespace(id="", baseline=np.array([[0, 10], [9, 10]]))]
    assert polygonal_reading_order(lines) == [1, 0]


def test_bad_regions_are_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    regions = [SimpleNamespace(id="r1", boundary=SQUARE[:2]), SimpleNamespace(id="r2", boundary=None)]
    with caplog.at_level(logging.WARNING, logger="kraken"):
        assert polygonal_reading_order([line((1, 5), (2, 5)), line((1, 1), (2, 1))], regions=regions) == [
            1,
            0,
        ]
    assert "r1" in caplog.text and "r2" in caplog.text


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1, 1)])
def test_order_must_be_square(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="square"):
        topsort(np.ones(shape))


def test_edges_are_outside() -> None:
    assert not is_in_region([(0, 0), (10, 0)], SQUARE)
    assert is_in_region([(0, 1), (10, 1)], SQUARE)
    assert is_in_region(LineString([(0, 1), (10, 1)]), Polygon(SQUARE))
    assert is_in_region(Polygon([(4, 4), (6, 4), (6, 6)]), SQUARE)
    assert not is_in_region(LineString([(4, 5), (6, 5)]), Polygon(SQUARE, [[(5, 4), (7, 4), (7, 6), (5, 6)]]))
    with pytest.raises(ValueError, match="no points"):
        is_in_region([], SQUARE)


def test_regions_of_a_line() -> None:
    far = [(x + 50, y) for x, y in SQUARE]
    assert line_regions([(1, 5), (9, 5)], [far, SQUARE]) == [SQUARE]


def test_scaling() -> None:
    assert scale_regions([[(-3, 5), (2.9, 1)]], 2) == [[[0, 10], [5, 2]]]
    assert scale_regions([[]], (1, 2)) == [[]]
    assert scale_polygonal_lines([([(-1, 1)], None)], np.array([1.5, 2])) == [([[-1, 2]], None)]
    for scale in (float("nan"), (1, 2, 3), [[1, 2]]):
        with pytest.raises(ValueError, match="scale"):
            scale_regions([], scale)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="points"):
        scale_regions([[1, 2, 3]], 1.0)


@pytest.mark.parametrize("n", [2, 5, 17, 60])
def test_decoding_gives_permutations(n: int) -> None:
    rng = np.random.default_rng(n)
    for probabilities in (rng.random((n, n)), np.zeros((n, n)), np.full((n, n), np.nan)):
        assert sorted(decode_order(probabilities.astype(np.float32))) == list(range(n))
    hidden = rng.permutation(n)
    rank = np.argsort(hidden)
    assert decode_order((rank[:, None] < rank[None]).astype(np.float32)) == hidden.tolist()


def test_neural_order() -> None:
    torch = pytest.importorskip("torch")

    class TopDown(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, rows: Any) -> Any:
            size = rows.shape[1] // 2
            return (rows[:, size + size - 5] - rows[:, size - 5])[:, None] * 50

    elements = [line((10, y), (90, y), tags=None) for y in np.random.default_rng(1).permutation(300)]
    order = neural_reading_order(elements, im_size=(100, 300), model=TopDown(), class_mapping={"a": 2})
    assert order is not None
    assert [elements[i].baseline[0][1] for i in order.tolist()] == list(range(300))
    assert neural_reading_order(elements[:1]).tolist() == [0]  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="im_size"):
        neural_reading_order(elements, model=TopDown())
    with pytest.raises(ValueError, match="baselines or regions"):
        neural_reading_order([SimpleNamespace(id="")] * 2, im_size=(9, 9), model=TopDown())
