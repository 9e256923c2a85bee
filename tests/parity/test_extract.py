"""The line extractor equals its slow version."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kraken._rust import image as kernels
from kraken.lib.segmentation.extraction import extract_lines, extract_polygons
from tests.reference import extract as reference

W, H = 90, 60


def _page(seed: int, channels: int = 1) -> np.ndarray[Any, Any]:
    """Smooth enough that a rounding error of a position can't change a value by much."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 255, (H // 5, W // 5, channels), dtype=np.uint8)
    planes = [
        np.asarray(
            Image.fromarray(small[..., k])
            .resize((W, H), Image.Resampling.BICUBIC)
            .point(lambda v: max(v, 30))
        )
        for k in range(channels)
    ]
    return planes[0].copy() if channels == 1 else np.stack(planes, axis=-1)


def _extract(page: np.ndarray[Any, Any], line: SimpleNamespace, legacy: bool = False) -> np.ndarray[Any, Any]:
    bounds: Any = SimpleNamespace(type="baselines", text_direction="horizontal-lr", lines=[line])
    [(image, found)] = extract_polygons(Image.fromarray(page), bounds, legacy)
    assert found is line
    return np.asarray(image)


def _assert_same(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any], share: float = 0.01) -> None:
    assert ours.shape == theirs.shape
    far = np.abs(ours.astype(int) - theirs) > 1
    assert far.mean() <= share, f"{far.mean():.2%} differ"


@st.composite
def lines(draw: st.DrawFn, points: tuple[int, int]) -> SimpleNamespace:
    """Lines that run forward, with a ring around them."""
    n = draw(st.integers(*points))
    xs = sorted(draw(st.lists(st.integers(8, W - 16), min_size=n, max_size=n, unique=True)))
    xs[-1] = max(xs[-1], xs[0] + 12)
    ys = [draw(st.integers(22, 32)) for _ in xs]
    up, down = draw(st.integers(5, 14)), draw(st.integers(4, 10))
    upper = [(x, y - up) for x, y in zip(xs, ys, strict=True)]
    lower = [(x, y + down) for x, y in zip(xs, ys, strict=True)]
    ring = [*upper, *lower[::-1], upper[0]] if draw(st.booleans()) else [*upper, *lower[::-1]]
    return SimpleNamespace(id="x", baseline=list(zip(xs, ys, strict=True)), boundary=ring)


@given(
    st.lists(st.tuples(st.integers(-20, 100), st.integers(-20, 80)), min_size=2, max_size=12),
    st.integers(1, 80),
    st.integers(1, 60),
)
@settings(max_examples=100, deadline=None)
def test_mask_equals_pillow(ring: list[tuple[int, int]], width: int, height: int) -> None:
    expected = Image.new("L", (width, height))
    ImageDraw.Draw(expected).polygon(ring, fill=255)
    found = kernels.polygon_mask(ring, width, height)
    perimeter = np.hypot(*np.diff([*ring, ring[0]], axis=0).T).sum()
    assert (found != np.asarray(expected)).sum() <= max(2, 0.01 * perimeter)


@given(lines((2, 2)), st.integers(0, 9), st.booleans(), st.sampled_from([1, 3]))
@settings(max_examples=30, deadline=None)
def test_straight(line: SimpleNamespace, seed: int, legacy: bool, channels: int) -> None:
    page = _page(seed, channels)
    theirs = reference.straight(page, np.array(line.baseline, float), np.array(line.boundary, float), legacy)
    ours = _extract(page, line, legacy)
    # Nearest neighbours at exactly half a pixel may go either way.
    _assert_same(ours, theirs, 0.03 if legacy else 0.01)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("legacy", [False, True])
def test_axis_parallel(turn: int, legacy: bool) -> None:
    page = _page(turn)
    start, end = [((10, 30), (60, 30)), ((30, 50), (30, 10)), ((60, 30), (10, 30)), ((30, 10), (30, 50))][
        turn
    ]
    line = SimpleNamespace(id="x", baseline=[start, end], boundary=[(10, 10), (60, 10), (60, 50), (10, 50)])
    ours = _extract(page, line, legacy)
    patch = np.rot90(page[10:51, 10:61], -turn)
    # Turned canvases are placed by the centres of their corners: the outermost row or column may be lost.
    window = [
        np.array_equal(ours, patch[y : y + ours.shape[0], x : x + ours.shape[1]])
        for y in range(patch.shape[0] - ours.shape[0] + 1)
        for x in range(patch.shape[1] - ours.shape[1] + 1)
    ]
    assert any(window)
    assert np.subtract(patch.shape, ours.shape).max() <= (0 if turn == 0 or legacy else 1)


@given(lines((3, 6)), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_curved(line: SimpleNamespace, seed: int) -> None:
    page = _page(seed)
    theirs = reference.curved(page, np.array(line.baseline, float), np.array(line.boundary, float))
    _assert_same(_extract(page, line), theirs)


@given(lines((3, 5)).filter(lambda line: np.diff(line.baseline, axis=0)[:, 0].min() >= 12), st.integers(0, 9))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_legacy_curved(line: SimpleNamespace, seed: int) -> None:
    page = _page(seed)
    theirs = reference.legacy_curved(page, np.array(line.baseline, float), np.array(line.boundary, float))
    ours = _extract(page, line, legacy=True)
    assert np.abs(np.subtract(ours.shape, theirs.shape)).max() <= 1
    # A value of 1 at the edge decides whether a row is cropped; and where four points lie on a
    # circle, either diagonal is a Delaunay triangulation.
    h, w = np.minimum(ours.shape, theirs.shape) - 1
    padded, wanted = np.pad(ours.astype(int), 1), theirs[:h, :w]
    means = [np.abs(padded[y : y + h, x : x + w] - wanted).mean() for y in range(3) for x in range(3)]
    assert min(means) <= 12  # as spec chapter geometry §5.5 allows


@given(st.lists(lines((2, 5)), min_size=1, max_size=6), st.booleans(), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_batches_equal_single_lines(found: list[SimpleNamespace], legacy: bool, threads: int) -> None:
    page = _page(1, 3)
    broken = SimpleNamespace(id="bad", baseline=[(0, 0), (1, 1)], boundary=[(0, 0), (5, 5)])
    batch = extract_lines(Image.fromarray(page), [*found, broken], legacy=legacy, num_threads=threads)
    assert isinstance(batch[-1], str) and "(line bad)" in batch[-1]
    for line, image in zip(found, batch, strict=False):
        np.testing.assert_array_equal(image, _extract(page, line, legacy))
