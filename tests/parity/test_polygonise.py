"""The polygoniser's kernels equal their slow versions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kraken._rust import image, seg
from tests.reference import polygonise as reference


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)),
    st.integers(1, 3),
)
def test_edge_energy(im: np.ndarray, threads: int) -> None:
    got = image.edge_energy(im, threads)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, reference.edge_energy(im), atol=2e-6)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_edge_energy_over_several_bands(threads: int) -> None:
    im = np.random.default_rng(0).integers(0, 256, (700, 90), dtype=np.uint8)
    np.testing.assert_allclose(image.edge_energy(im, threads), reference.edge_energy(im), atol=2e-6)


@settings(max_examples=80, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
        elements=st.integers(0, 50).map(float),
    )
)
def test_minimal_seam(cost: np.ndarray) -> None:
    path = seg.minimal_seam(cost)
    assert len(path) == len(cost)
    assert np.all(np.abs(np.diff(path)) <= 1)
    assert cost[np.arange(len(path)), path].sum() == reference.seam_cost(cost)


_WHOLE = st.integers(0, 200)


@settings(max_examples=80, deadline=None)
@given(
    x0=st.integers(5, 60),
    length=st.integers(2, 120),
    y=st.integers(20, 130),
    # Outlines that keep off the line, above or below: a ray of the kernel meets
    # them in the same place as one of the reference.
    others=st.lists(
        st.tuples(st.booleans(), _WHOLE, _WHOLE, st.floats(0.05, 1), st.floats(0.05, 1)), max_size=5
    ),
)
def test_region_of_interest(x0: int, length: int, y: int, others: list[tuple]) -> None:
    height = 150
    line = [[float(x0), float(y)], [float(x0 + length), float(y)]]
    obstacles = []
    for above, xa, xb, fa, fb in others:
        room = y if above else height - 1 - y
        ya, yb = (y + (-f if above else f) * (room - 3) + (-3 if above else 3) for f in (fa, fb))
        # Upright pieces end in a cap, whose side the kernel squares off by less than a pixel.
        if abs(xb - xa) > abs(yb - ya):
            # Half pixels: whether a ray along a cap's tangent hits is nobody's rule.
            obstacles.append([[xa + 0.5, ya], [xb + 0.5, yb]])
    above_ref, below_ref = reference.region_of_interest(line, obstacles, (220, height))
    above, below = seg.region_of_interest(line, obstacles, (220, height))
    np.testing.assert_allclose(above, above_ref, atol=1.0)
    np.testing.assert_allclose(below, below_ref, atol=1.0)
    if not obstacles:
        assert above == [-y] * (length + 1)
        assert below == [height - 1 - y] * (length + 1)
