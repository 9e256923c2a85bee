"""Drawing of training maps and scores of lines equal their obvious versions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kraken._rust import image, seg
from tests.reference import draw as slow

POINT = st.tuples(st.integers(-6, 26), st.integers(-6, 22))


@settings(max_examples=60, deadline=None)
@given(st.lists(POINT, min_size=1, max_size=8))
def test_polygons(ring: list[tuple[int, int]]) -> None:
    np.testing.assert_array_equal(image.draw_polygon(ring, 20, 16), slow.polygon(ring, 20, 16))


@settings(max_examples=60, deadline=None)
@example(seed=14601, count=3, line_width=8.0, square=False)
@given(st.integers(0, 10**6), st.integers(2, 6), st.sampled_from([2.0, 3.0, 5.0, 8.0]), st.booleans())
def test_lines(seed: int, count: int, line_width: float, square: bool) -> None:
    """Lines as scribes draw them; sharp bends within a width's length are drawn by another rule."""
    rng = np.random.default_rng(seed)
    step = rng.uniform(12, 25, count)
    points = np.c_[5 + np.cumsum(step), 30 + np.cumsum(rng.normal(0, 3, count))].tolist()
    found = image.draw_line(points, line_width, 120, 60, square)
    wanted = slow.line(points, line_width, 120, 60, "square" if square else "flat")
    other = found != wanted
    # a corner whose coordinate is nearly a whole number may be cut to another pixel, which moves an edge
    border = ndimage.binary_dilation(wanted) & ~ndimage.binary_erosion(wanted)
    assert not (other & ~border).any()
    assert other.sum() <= max(3, 0.01 * wanted.sum(), 0.1 * border.sum())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 80), st.floats(0, 50)), min_size=2, max_size=7))
def test_arbitrary_lines_are_covered(points: list[tuple[float, float]]) -> None:
    """However a line bends, what is drawn follows it, and nothing is drawn far away."""
    found = image.draw_line(points, 7.0, 90, 60).astype(bool)
    if not found.any():
        assert all(np.hypot(*np.subtract(points[0], p)) < 1 for p in points)
        return
    samples = [
        np.add(np.multiply(a, 1 - t), np.multiply(b, t))
        for a, b in itertools.pairwise(points)
        for t in np.linspace(0.02, 0.98, 40)
    ]
    ys, xs = np.nonzero(found)
    for x, y in zip(xs, ys, strict=True):
        assert min(np.hypot(x - p[0], y - p[1]) for p in samples) < 3.5 + 3.5


def scored(a: np.ndarray, b: np.ndarray, tolerance: float) -> float:
    distance = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    means = [np.clip((3 * tolerance - distance.min(axis)) / (2 * tolerance), 0, 1).mean() for axis in (0, 1)]
    return float(np.mean(means))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.sampled_from([2.0, 8.0, 40.0]))
def test_assignments(seed: int, n: int, m: int, tolerance: float) -> None:
    rng = np.random.default_rng(seed)
    sets = [[rng.uniform(0, 60, (rng.integers(1, 6), 2)) for _ in range(size)] for size in (n, m)]
    scores = np.array([[scored(a, b, tolerance) for b in sets[1]] for a in sets[0]])
    if n > m:
        scores = scores.T
    best = max(
        scores[range(len(scores)), list(chosen)].sum()
        for chosen in itertools.permutations(range(scores.shape[1]), len(scores))
    )
    lists = [[line.tolist() for line in lines] for lines in sets]
    assert seg.best_assignment(*lists, tolerance) == pytest.approx(best, abs=1e-9)
