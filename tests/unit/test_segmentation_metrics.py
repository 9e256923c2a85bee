"""Scores of regions and lines."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from kraken.lib.segmentation_metrics import (
    average_precision,
    compute_detection_metrics,
    interpolate_polyline,
    mean_average_precision,
    polygon_iou,
    region_iou,
)

SQUARE = [(0, 0), (9, 0), (9, 9), (0, 9)]


def moved(x: float, y: float = 0) -> list[tuple[float, float]]:
    return [(a + x, b + y) for a, b in SQUARE]


def test_overlaps() -> None:
    assert region_iou(np.zeros((3, 3)), np.zeros((3, 3))) == 1
    assert region_iou([[1, 1, 0]], [[0, 1, 1]]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="shapes"):
        region_iou([[1]], [[1, 1]])
    assert polygon_iou(SQUARE, SQUARE) == 1
    assert polygon_iou(SQUARE, moved(5)) == pytest.approx(50 / 150)
    assert polygon_iou(moved(-1e6), moved(1e6)) == 0
    with pytest.raises(ValueError, match="no points"):
        polygon_iou([], SQUARE)


def test_average_precision() -> None:
    gt = [[SQUARE, moved(50)], [SQUARE]]
    perfect = [[(moved(50), 0.3), (SQUARE, 0.9)], [(SQUARE, 0.5)]]
    assert average_precision(perfect, gt) == 1
    assert average_precision([[], []], gt) == 0
    assert average_precision([[]], [[]]) == 1
    assert average_precision([[(SQUARE, 1.0)]], [[]]) == 0
    # two of three found, a wrong one in between: recall 1/3 at 1, 2/3 at 2/3
    mixed = [[(SQUARE, 0.9), (moved(200), 0.8), (moved(50), 0.7)], []]
    assert average_precision(mixed, gt, [0.5]) == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    # the same region twice counts once
    assert average_precision([[(SQUARE, 0.9), (SQUARE, 0.8)]], [[SQUARE, moved(50)]], [0.5]) == pytest.approx(
        51 / 101
    )
    assert average_precision([[(moved(1), 1.0)]], [[SQUARE]]) == pytest.approx(0.7)
    assert mean_average_precision({"a": perfect}, {"a": gt, "b": gt}) == 0.5
    with pytest.raises(ValueError, match="pages"):
        average_precision([[]], [[], []])
    with pytest.raises(ValueError, match="classes"):
        mean_average_precision({}, {})


def test_polylines() -> None:
    line = torch.tensor([[0.0, 0.0], [0.0, 0.0], [10.0, 0.0], [10.0, 5.0]])
    assert interpolate_polyline(line, 5).tolist() == [[0, 0], [7.5, 0], [10, 5]]
    assert interpolate_polyline(line[:1]).tolist() == [[0, 0]]
    assert interpolate_polyline(line[:2]).tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="spacing"):
        interpolate_polyline(line, 0)
    with pytest.raises(ValueError, match="tolerance"):
        compute_detection_metrics([line], [line], 0)


def test_many_lines_take_little_time() -> None:
    x = torch.arange(0, 1000, 5.0)
    lines = [torch.stack([x, torch.full_like(x, 30.0 * k)], dim=1) for k in range(500)]
    start = time.process_time()
    found = compute_detection_metrics(lines, [line + 3 for line in lines], 10.0)
    assert time.process_time() - start < 5
    assert found["f1"] == 1
