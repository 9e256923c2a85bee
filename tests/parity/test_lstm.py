"""The steps of LSTMs equal their obvious version."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken._rust import nn
from tests.reference import lstm as slow

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def layer(count: int, steps: int, directions: int, units: int, seed: int = 0, scale: float = 1.0) -> Arrays:
    """Sums, weights, cells and states to be found, gradients of states."""
    rng = np.random.default_rng(seed)
    sides = (count, steps, directions)
    sums = rng.normal(0, scale, (*sides, 4 * units)).astype(np.float32)
    weights = rng.normal(0, units**-0.5, (directions, 4 * units, units)).astype(np.float32)
    gradients = rng.normal(0, 1, (*sides, units)).astype(np.float32)
    return (
        sums,
        weights,
        np.empty((*sides, units), np.float32),
        np.empty((*sides, units), np.float32),
        gradients,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 15),
    st.integers(1, 7),
    st.integers(1, 2),
    st.sampled_from([16, 32, 48]),
    st.integers(0, 10**6),
    st.sampled_from([0.01, 1.0, 5.0, 60.0]),
)
def test_steps(count: int, steps: int, directions: int, units: int, seed: int, scale: float) -> None:
    """Also where gates are nearly linear, and where they are shut."""
    gates, weights, cells, states, gradients = layer(count, steps, directions, units, seed, scale)
    wanted = slow.forward(gates, weights)
    nn.lstm_forward(gates, weights, cells, states)
    for found, right in zip((gates, cells, states), wanted, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=2e-6)
    errors = slow.backward(wanted[0], weights, wanted[1], gradients)
    nn.lstm_backward(gates, weights, cells, gradients)
    np.testing.assert_allclose(gates, errors, rtol=1e-4, atol=1e-5)


def test_no_number_stays_in_its_sequence() -> None:
    gates, weights, cells, states, gradients = layer(9, 5, 2, 16)
    gates[3, 2, 0, 20] = np.nan
    nn.lstm_forward(gates, weights, cells, states)
    assert np.isnan(states[3, 3:, 0]).all(), "later steps hear it"
    assert np.isfinite(states[3, :2, 0]).all() and np.isfinite(states[:, :, 1]).all()
    assert np.isfinite(np.delete(states, 3, axis=0)).all()
    nn.lstm_backward(gates, weights, cells, gradients)
    assert np.isnan(gates[3, :3, 0]).any(axis=1).all()
    assert np.isfinite(np.delete(gates, 3, axis=0)).all()


def test_sums_without_bound() -> None:
    gates, weights, cells, states, _ = layer(1, 2, 1, 16)
    gates[:] = np.inf
    gates[..., 16:32] = -np.inf
    nn.lstm_forward(gates, weights, cells, states)
    np.testing.assert_allclose(states, np.tanh(1), rtol=1e-6)
    assert (gates[..., 16:32] < 1e-30).all() and (gates[..., 32:] == 1).all()


def test_arrays_that_dont_fit_are_refused() -> None:
    gates, weights, cells, states, gradients = layer(2, 3, 1, 16)
    with pytest.raises(ValueError, match="states"):
        nn.lstm_forward(gates, weights, cells, states[:, :2].copy())
    with pytest.raises(ValueError, match="weights"):
        nn.lstm_backward(gates, weights[:, :32].copy(), cells, gradients)
    with pytest.raises(ValueError, match="no multiple of 16"):
        nn.lstm_forward(*layer(2, 3, 1, 8)[:4])
    with pytest.raises(ValueError, match="directions"):
        nn.lstm_forward(*layer(2, 3, 3, 16)[:4])
    with pytest.raises(TypeError, match="contiguous"):
        nn.lstm_forward(gates, weights, cells, np.empty((2, 6, 1, 16), np.float32)[:, ::2])
