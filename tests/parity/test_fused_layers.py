"""Layers that run as one in training equal the single layers: results, gradients, random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from kraken._rust import nn as _nn
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks import ActConv2D, Dropout, MaxPool, MultiParamSequential, fused, groups

pytestmark = pytest.mark.skipif(not _nn.accelerated(), reason="the machine lacks vector instructions")

SPEC = (
    "[1,24,0,1 Cr3,13,16 Do0.2,2 Mp2,2 Cr3,9,32 Do0.2,2 Mp2,2 Cr3,9,32 Do0.2,2 S1(1x0)1,3 Lbx16 Do0.1,2 O1c7]"
)


@contextmanager
def single_layers() -> Iterator[None]:
    """Nothing runs as one inside."""
    before = groups.fusible
    groups.fusible = lambda layers: None  # type: ignore[assignment]
    try:
        yield
    finally:
        groups.fusible = before


@contextmanager
def spectra_always() -> Iterator[None]:
    """Also images so narrow that spectra don't pay are treated by them."""
    before = fused._GAIN
    fused._GAIN = 0.0
    try:
        yield
    finally:
        fused._GAIN = before


def block(
    inputs: int, outputs: int, kernel: tuple[int, int], p: float | None, pool: bool
) -> MultiParamSequential:
    series = MultiParamSequential()
    series.add_module("conv", ActConv2D(inputs, outputs, kernel, (1, 1), "r"))
    if p is not None:
        series.add_module("dropout", Dropout(p, 2))
    if pool:
        series.add_module("pool", MaxPool((2, 2), (2, 2)))
    return series.train()


def run(series: torch.nn.Module, x: Tensor, lengths: Tensor | None, seed: int) -> dict[str, Any]:
    """Output, lengths and gradients."""
    x = x.detach().clone().requires_grad_(x.requires_grad)
    series.zero_grad()
    torch.manual_seed(seed)
    y, ends = series(x, lengths)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed))
    (y * weights).sum().backward()
    found = {name: parameter.grad.clone() for name, parameter in series.named_parameters()}
    return {"y": y.detach(), "lengths": ends, "x": x.grad, **found}


def assert_equal(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if value is None:
            assert found[name] is None
            continue
        assert found[name].shape == value.shape
        if not value.is_floating_point():
            assert torch.equal(found[name], value)
            continue
        size = max(1e-6, float(value.abs().max()))
        # a maximum may be another pixel's if two differ by less than rounding: then single gradients move
        differing = ((found[name] - value).abs() > 2e-5 * size).float().mean()
        assert differing <= 1e-3, (name, float(differing))
        assert float((found[name] - value).norm()) <= 2e-3 * max(1e-6, float(value.norm())), name


@settings(max_examples=30)
@given(
    inputs=st.sampled_from((1, 16, 32)),
    outputs=st.sampled_from((16, 48)),
    kernel=st.tuples(st.sampled_from((1, 3, 5)), st.sampled_from((1, 5, 9, 13, 15))),
    count=st.integers(1, 3),
    height=st.integers(2, 9),
    width=st.integers(2, 150),
    p=st.sampled_from((None, 0.0, 0.4)),
    pool=st.booleans(),
    lines=st.booleans(),
    channels_last=st.booleans(),
    seed=st.integers(0, 99),
)
@example(16, 16, (3, 13), 1, 2, 52, 0.4, True, False, True, 0)
@example(32, 16, (3, 31), 2, 5, 64, 0.4, True, True, True, 0)
@example(16, 16, (3, 9), 1, 3, 1, None, False, False, False, 0)
def test_blocks_equal_single_layers(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int],
    count: int,
    height: int,
    width: int,
    p: float | None,
    pool: bool,
    lines: bool,
    channels_last: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    series = block(inputs, outputs, kernel, p, pool)
    x = torch.randn(count, inputs, height, width)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    lengths = torch.randint(1, width + 1, (count,)) if lines else None
    x.requires_grad_(inputs > 1)
    with single_layers():
        wanted = run(series, x, lengths, seed)
    with spectra_always():
        found = run(series, x, lengths, seed)
    assert_equal(found, wanted)


@pytest.mark.parametrize("count", [1, 3])
def test_networks_equal_single_layers(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    net = TorchVGSLModel(vgsl=SPEC).train()
    used = []
    monkeypatch.setattr(fused.Fused, "__call__", _counted(fused.Fused.__call__, used))
    x = torch.rand(count, 1, 24, 700)
    lengths = torch.tensor([700, 600, 333][:count])
    with single_layers():
        wanted = run(net, x, lengths, 5)
    assert not used
    assert_equal(run(net, x, lengths, 5), wanted)
    assert [layer.conv.in_channels for layer in used] == [1, 16, 32]


def _counted(call: Any, used: list[Any]) -> Any:
    def counted(self: Any, *args: Any) -> Any:
        used.append(self)
        return call(self, *args)

    return counted


def test_results_dont_depend_on_threads() -> None:
    series = block(16, 16, (3, 9), 0.3, True)
    first = block(1, 16, (3, 9), 0.3, True)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            x = torch.randn(2, 16, 11, 130, generator=torch.Generator().manual_seed(1)).requires_grad_()
            single = torch.randn(2, 1, 11, 130, generator=torch.Generator().manual_seed(2))
            found.append((run(series, x, None, 3), run(first, single, None, 3)))
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        assert_equal(other, one)


def test_what_is_no_number_stays_so() -> None:
    series = block(16, 16, (3, 9), None, True)
    x = torch.full((1, 16, 4, 200), float("nan"))
    assert torch.isnan(series(x)[0]).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda series: series.eval(),
        lambda series: series[0].register_forward_hook(lambda *_: None),
        lambda series: series.double(),
        lambda series: series.bfloat16(),
    ],
)
def test_single_layers_run_where_they_have_to(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    monkeypatch.setattr(fused.Fused, "__call__", _counted(fused.Fused.__call__, used))
    series = block(16, 16, (3, 9), 0.1, True)
    change(series)
    series(torch.randn(1, 16, 4, 200).to(next(series.parameters()).dtype))
    with torch.no_grad():
        block(16, 16, (3, 9), 0.1, True)(torch.randn(1, 16, 4, 200))
    with torch.autocast("cpu", torch.bfloat16):
        block(16, 16, (3, 9), 0.1, True)(torch.randn(1, 16, 4, 200))
    for other in (
        ActConv2D(16, 16, (3, 9), (1, 2), "r"),
        ActConv2D(16, 16, (3, 9), (1, 1), "t"),
        ActConv2D(16, 16, (3, 9), (1, 1), "r", dilation=(1, 2)),
        ActConv2D(16, 20, (3, 9), (1, 1), "r"),
    ):
        MultiParamSequential(other).train()(torch.randn(1, 16, 4, 200))
    assert not used


def test_frozen_weights_get_no_gradient() -> None:
    series = block(16, 16, (3, 9), None, True)
    series[0].co.weight.requires_grad_(False)
    x = torch.randn(1, 16, 4, 200).requires_grad_()
    series(x)[0].sum().backward()
    assert series[0].co.weight.grad is None
    assert series[0].co.bias.grad is not None and x.grad is not None


def test_spectra_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 120, 16)).astype(np.float32)
    step = _nn.step(9)
    assert step == 56
    spectra = np.empty((2, 3, 3, 64, 16), np.float32)
    _nn.analyse_images(x, 9, spectra, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (4, 64), (0, 0)))
    for tile in range(3):
        wanted = np.fft.rfft(padded[:, :, tile * step : tile * step + 64], axis=2)
        np.testing.assert_allclose(spectra[:, :, tile, ::2], wanted.real[:, :, :32], atol=2e-5)
        np.testing.assert_allclose(spectra[:, :, tile, 3::2], wanted.imag[:, :, 1:32], atol=2e-5)
        np.testing.assert_allclose(spectra[:, :, tile, 1], wanted.real[:, :, 32], atol=2e-5)


def floats(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda: _nn.step(4),
        lambda: _nn.step(33),
        lambda: _nn.analyse_images(floats(1, 2, 9, 8), 9, floats(1, 2, 1, 64, 8), 1),
        lambda: _nn.analyse_images(floats(1, 2, 9, 16), 9, floats(1, 2, 2, 64, 16), 1),
        lambda: _nn.analyse_images(floats(1, 2, 9, 16), 8, floats(1, 2, 1, 64, 16), 1),
        lambda: _nn.synthesise_gradients(floats(1, 2, 1, 64, 16), 9, floats(1, 2, 99, 16), 1),
        lambda: _nn.synthesise_images(
            floats(1, 2, 1, 64, 16),
            floats(16),
            floats(1, 16),
            9,
            9,
            3,
            floats(1, 1, 4, 16),
            np.zeros((1, 1, 4, 16), np.uint8),
            1,
        ),
        lambda: _nn.analyse_gradients(
            floats(1, 1, 4, 16),
            np.zeros((1, 1, 4, 16), np.uint8),
            floats(2, 16),
            9,
            9,
            2,
            floats(1, 2, 1, 64, 16),
            1,
        ),
        lambda: _nn.sum_products(floats(1, 2, 1, 64, 16), floats(1, 3, 1, 64, 16), floats(32, 3, 32, 32), 1),
        lambda: _nn.sum_products(floats(1, 2, 1, 64, 16), floats(1, 2, 1, 64, 16), floats(32, 2, 32, 32), 1),
        lambda: _nn.first_gradients(
            floats(1, 4, 9), floats(1, 2, 4, 16), np.zeros((1, 2, 4, 16), np.uint8), floats(1, 16), (3, 17), 1
        ),
        lambda: _nn.convolve_first(
            floats(1, 4, 9),
            floats(3, 5, 16),
            floats(15),
            floats(1, 16),
            floats(1, 2, 4, 16),
            np.zeros((1, 2, 4, 16), np.uint8),
            1,
        ),
    ],
)
def test_faulty_arrays_are_refused(call: Any) -> None:
    with pytest.raises(ValueError):
        call()
