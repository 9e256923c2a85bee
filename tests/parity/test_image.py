"""Image kernels equal their obvious versions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from kraken._rust import image
from kraken.lib.segmentation import boundary_tracing
from tests.reference import contour as slow_contour
from tests.reference import ridge as slow_ridge
from tests.reference import thin as slow_thin

SIZES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
MASKS = hnp.arrays(np.uint8, SIZES, elements=st.integers(0, 1))
EIGHT = np.ones((3, 3))


def blobs(seed: int, shape: tuple[int, int], level: float = 0.5) -> np.ndarray:
    """Smooth random shapes, which thinning needs several passes for."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 2.5)
    return (noise > np.quantile(noise, level)).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70))
def test_ridge(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    data = np.clip(ndimage.gaussian_filter(rng.random(shape), 1.5) * 6 - 2.5, 0, 1).astype(np.float32)
    sigmas = [1.0, 3.0, 5.0, 7.0, 9.0]
    expected = slow_ridge.ridge_strength(data, sigmas)
    np.testing.assert_allclose(image.ridge_strength(data, sigmas), expected, atol=4e-4)
    floored = image.ridge_strength(data, sigmas, 0.17)
    above = expected > 0.171
    np.testing.assert_allclose(floored[above], expected[above], atol=4e-4)
    assert (floored[expected < 0.169] <= 0.17).all()


@pytest.mark.parametrize("at", [(0, 0), (64, 150), (100, 299), (199, 120)])
def test_ridge_of_a_page_sized_map_away_from_and_at_its_border(at: tuple[int, int]) -> None:
    data = np.zeros((200, 300), dtype=np.float32)
    y, x = at
    data[max(0, y - 2) : y + 3, max(0, x - 60) : x + 61] = 1
    sigmas = [1.0, 9.0]
    expected = slow_ridge.ridge_strength(data, sigmas)
    np.testing.assert_allclose(image.ridge_strength(data, sigmas), expected, atol=4e-4)


@settings(max_examples=100, deadline=None)
@given(MASKS)
def test_labels(mask: np.ndarray) -> None:
    for connectivity, structure in ((4, None), (8, EIGHT)):
        labels, count = image.label(mask, connectivity)
        expected, n = ndimage.label(mask, structure)
        assert count == n
        # Same partition; ours is numbered by first pixels in raster order.
        pairs = {(int(a), int(b)) for a, b in zip(labels.ravel(), expected.ravel(), strict=True)}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        firsts = [int(v) for v in dict.fromkeys(labels.ravel().tolist()) if v]
        assert firsts == sorted(firsts)
    assert (image.fill_holes(mask) == ndimage.binary_fill_holes(mask)).all()


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_thinning_noise(mask: np.ndarray) -> None:
    assert (image.thin(mask) == slow_thin.thin(mask)).all()


@pytest.mark.parametrize("seed", range(6))
def test_thinning_blobs(seed: int) -> None:
    mask = blobs(seed, (40, 50))
    skeleton = image.thin(mask)
    assert (skeleton == slow_thin.thin(mask)).all()
    # No part falls apart (a compact one may vanish).
    labels, _ = ndimage.label(mask, EIGHT)
    parts, n = ndimage.label(skeleton, EIGHT)
    owners = [set(labels[parts == k].tolist()) for k in range(1, n + 1)]
    assert len({next(iter(o)) for o in owners}) == n


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float32, SIZES, elements=st.floats(-5, 5, width=32)), st.integers(0, 30), st.integers(0, 30)
)
def test_max_filter(data: np.ndarray, rx: int, ry: int) -> None:
    expected = ndimage.maximum_filter(data, (2 * ry + 1, 2 * rx + 1), mode="constant", cval=-np.inf)
    assert (image.max_filter(data, rx, ry) == expected).all()


class Region:
    def __init__(self, coords: np.ndarray) -> None:
        self.coords = coords


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_boundary(seed: int) -> None:
    labels, n = ndimage.label(blobs(seed, (20, 25)), EIGHT)
    for k in range(1, n + 1):
        coords = np.argwhere(labels == k)
        traced = boundary_tracing(Region(coords))
        assert {(y, x) for y, x in traced.tolist()} == slow_contour.boundary_pixels(labels == k)
        assert traced[0].tolist() == coords[0].tolist()
        steps = np.abs(np.roll(traced, -1, axis=0) - traced)
        assert len(traced) == 1 or (steps.max(axis=1) == 1).all()
