"""Scores of regions and of sets of pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kraken.lib.region_score import THRESHOLDS, RegionMatches, average_precision, compare_regions
from kraken.train.page_scores import PageScores


def box(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def matches(confidence: list[float], overlap: list[list[float]]) -> RegionMatches:
    return RegionMatches(np.array(confidence), np.array(overlap, dtype=float))


def test_overlaps_and_confidence_are_those_of_areas() -> None:
    heat = np.zeros((100, 100), np.float32)
    heat[0:50, 0:40] = 0.8
    found = compare_regions([box(0, 0, 39, 49), box(60, 60, 79, 79)], [box(0, 0, 39, 24)], heat)
    assert found.overlap[:, 0] == pytest.approx([0.5, 0])
    assert found.confidence == pytest.approx([0.8, 0])
    assert compare_regions([], [], heat).overlap.shape == (0, 0)
    assert compare_regions([[[1, 1], [2, 2]]], [], heat).confidence.tolist() == [0]
    assert compare_regions([box(-500, -500, -400, -400)], [box(0, 0, 9, 9)], heat).overlap == [[0]]


def test_average_precision_of_worked_examples() -> None:
    right, wrong = [1.0, 0.0], [0.0, 0.0]
    assert average_precision([matches([0.9], [right])], 0.5) == pytest.approx(0.5)
    # a wrong one that is surer halves the precision
    assert average_precision([matches([0.9, 0.8], [wrong, right])], 0.5) == pytest.approx(0.25)
    assert average_precision([matches([0.8, 0.9], [wrong, right])], 0.5) == pytest.approx(0.5)
    # an annotated region is found once only, by the surer one
    twice = matches([0.9, 0.8, 0.7], [[0.6, 0.0], [0.9, 0.0], [0.0, 0.7]])
    assert average_precision([twice], 0.5) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([twice], 0.65) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert average_precision([matches([0.9], [[]])], 0.5) is None
    assert (
        average_precision([RegionMatches(np.zeros(0), np.zeros((0, 0))), matches([0.9], [[1.0]])], 0.95) == 1
    )
    assert average_precision([RegionMatches(np.zeros(0), np.zeros((0, 3)))], 0.5) == 0
    assert THRESHOLDS[0] == 0.5 and THRESHOLDS[-1] == 0.95 and len(THRESHOLDS) == 10


def test_sets_are_folders_below_the_common_one(tmp_path: Path) -> None:
    maps = np.zeros((2, 120, 100), np.float32)
    maps[1, 20:60, 10:90] = 0.9
    lines = [[(10, 30), (90, 30)], [(10, 60), (90, 60)]]
    scores = PageScores({"text": 1})
    for name, found in (("a/deep/1.jpg", lines), ("b/1.jpg", lines[:1]), ("b/2.jpg", lines)):
        scores.add(str(tmp_path / name), found, lines, maps, {1: [box(10, 20, 89, 59)]})
    scores.add(str(tmp_path / "c/3.jpg"), lines, [], maps, {})
    found = scores.by_set()
    assert list(found) == ["a", "b", ""] and [found[name].pages for name in found] == [1, 2, 3]
    assert found["a"].f1 == pytest.approx(1) and found["b"].recall == pytest.approx(0.75, abs=0.05)
    assert found[""].gt == 6 and found[""].pred == 5
    whole, mean = scores.region_precision()["text"]
    # the fourth page's region is as sure as the others, and wrong
    assert 0.75 <= whole <= 1 and 0 < mean <= whole
    one = PageScores({})
    one.add(str(tmp_path / "c/3.jpg"), lines, lines, maps, {})
    assert list(one.by_set()) == ["c", ""] and one.region_precision() == {}
    assert PageScores({}).by_set() == {}
