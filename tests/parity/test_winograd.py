"""Convolutions by minimal filtering equal plain ones."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks import winograd


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
