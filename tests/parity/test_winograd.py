"""Convolutions by minimal filtering equal plain ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from kraken._rust import nn as native
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks import winograd
from tests.reference import winograd as reference


@settings(max_examples=25)
@given(
    size=st.tuples(*[st.integers(1, 30)] * 2),
    channels=st.tuples(*[st.integers(1, 20)] * 2),
    batch=st.integers(1, 3),
    band=st.sampled_from([1, 20_000, 4_000_000]),
    biased=st.booleans(),
    last=st.booleans(),
)
def test_values_and_gradients(
    size: tuple[int, int], channels: tuple[int, int], batch: int, band: int, biased: bool, last: bool
) -> None:
    torch.manual_seed(sum(size))
    layout = torch.channels_last if last else torch.contiguous_format
    x = torch.randn(batch, channels[0], *size).to(memory_format=layout).requires_grad_()
    weight = torch.randn(channels[1], channels[0], 3, 3).requires_grad_()
    bias = torch.randn(channels[1]).requires_grad_() if biased else None
    grad = torch.randn(batch, channels[1], *size)
    parameters = [p for p in (x, weight, bias) if p is not None]
    before, winograd._BAND = winograd._BAND, band
    try:
        found = winograd.convolve(x, weight, bias)
        gradients = torch.autograd.grad(found, parameters, grad)
    finally:
        winograd._BAND = before
    wanted = F.conv2d(x.double(), weight.double(), None if bias is None else bias.double(), padding=1)
    exact = torch.autograd.grad(wanted, parameters, grad.double())
    assert found.is_contiguous(memory_format=torch.channels_last)
    for value, right in zip((found, *gradients), (wanted, *exact), strict=True):
        error, largest = (value - right).detach().abs().max(), right.detach().abs().max()
        assert float(error) <= 3e-5 * float(largest) + 1e-6


@settings(max_examples=30)
@given(
    size=st.tuples(*[st.integers(1, 14)] * 2),
    channels=st.sampled_from([1, 3, 8, 16, 17, 64]),
    threads=st.integers(1, 3),
    cut=st.floats(0, 1),
    biased=st.booleans(),
)
def test_transforms(size: tuple[int, int], channels: int, threads: int, cut: float, biased: bool) -> None:
    rng = np.random.default_rng(channels + size[0])
    image = rng.standard_normal((*size, channels), dtype=np.float32)
    rows, columns = -(-size[0] // 4), -(-size[1] // 4)
    products = rng.standard_normal((36, rows, columns, channels), dtype=np.float32)
    bias = rng.standard_normal(channels if biased else 0, dtype=np.float32)
    wanted = reference.outputs(products, *size) + (bias if biased else 0)
    found = np.full_like(image, np.nan)
    first = round(cut * rows)
    for band in (slice(0, first), slice(first, rows)):
        tiles = np.full((36, band.stop - band.start, columns, channels), np.nan, dtype=np.float32)
        native.winograd_inputs(image, band.start, tiles, threads)
        np.testing.assert_allclose(tiles, reference.inputs(image)[:, band], atol=1e-4)
        native.winograd_gradients(image, band.start, tiles, threads)
        np.testing.assert_allclose(tiles, reference.gradients(image)[:, band], atol=2e-4)
        native.winograd_outputs(np.ascontiguousarray(products[:, band]), bias, band.start, found, threads)
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_arrays_that_dont_fit_are_refused() -> None:
    image, bias = np.zeros((7, 5, 3), np.float32), np.zeros(3, np.float32)
    tiles = np.zeros((36, 2, 2, 3), np.float32)
    for transform in (native.winograd_inputs, native.winograd_gradients):
        for wrong in (tiles[:35].copy(), tiles[:, :, :1].copy(), tiles[..., :2].copy()):
            with pytest.raises(ValueError, match="tiles"):
                transform(image, 0, wrong, 1)
        with pytest.raises(ValueError, match="rows of tiles"):
            transform(image, 1, tiles, 1)
        with pytest.raises(TypeError):
            transform(image.astype(float), 0, tiles, 1)  # type: ignore[arg-type]
        with pytest.raises((ValueError, TypeError)):
            transform(image[:, ::-1], 0, tiles, 1)
    with pytest.raises(ValueError, match="bias"):
        native.winograd_outputs(tiles, bias[:2].copy(), 0, image, 1)
    with pytest.raises(ValueError, match="rows of tiles"):
        native.winograd_outputs(tiles, bias, 2**63, image, 1)
    empty = np.zeros((0, 5, 3), np.float32)
    native.winograd_inputs(empty, 0, np.zeros((36, 0, 2, 3), np.float32), 1)


def test_not_a_number_stays_in_its_tiles() -> None:
    image = np.zeros((12, 12, 2), np.float32)
    image[5, 5, 1] = np.nan
    tiles = np.empty((36, 3, 3, 2), np.float32)
    native.winograd_inputs(image, 0, tiles, 1)
    assert np.argwhere(np.isnan(tiles).any(0)).tolist() == [[1, 1, 1]]


def test_where_it_is_used() -> None:
    net = TorchVGSLModel(vgsl="[1,64,0,3 Cr3,3,64 Cr3,3,64 O2l3]", model_type="segmentation")
    conv = net.nn[1].co
    x = torch.rand(1, 64, 40, 40)
    assert winograd.suits(conv.train(), x)
    assert not winograd.suits(conv, x[..., :10])
    assert not winograd.suits(conv, x.double())
    assert not winograd.suits(net.nn[0].co.train(), torch.rand(1, 3, 64, 64))
    with torch.no_grad():
        assert not winograd.suits(conv, x)
    with torch.autocast("cpu"):
        assert not winograd.suits(conv, x)
    assert not winograd.suits(conv.eval(), x)


def test_networks_learn_the_same_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = TorchVGSLModel(vgsl="[1,64,0,3 Cr3,3,64 Gn8 Cr3,3,64 Gn8 O2l3]", model_type="segmentation").train()
    x, target = torch.rand(1, 3, 64, 40), torch.rand(1, 3, 64, 40).round()
    gradients = []
    for fast in (True, False):
        if not fast:
            monkeypatch.setattr(winograd, "suits", lambda *args: False)
        net.zero_grad()
        F.binary_cross_entropy_with_logits(net(x)[0], target).backward()
        gradients.append([p.grad.clone() for p in net.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(list(net.parameters()))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, atol=2e-5 * float(b.abs().max()), rtol=1e-3)
