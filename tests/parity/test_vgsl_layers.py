"""Layers equal their slow versions; a batch equals its single lines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks.init import initialise
from kraken.lib.vgsl.layers import (
    ActConv2D,
    Addition,
    GroupNorm,
    MaxPool,
    Reshape,
    TransposedSummarizingRNN,
)
from tests.reference import vgsl_layers as slow

SEEDS = st.integers(0, 2**31)


def tensor(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 9), st.data(), SEEDS)
def test_group_norm(groups: int, size: int, h: int, w: int, data: st.DataObject, seed: int) -> None:
    lengths = data.draw(st.lists(st.integers(0, w + 2), min_size=1, max_size=4))
    layer = GroupNorm(groups * size, groups)
    with torch.no_grad():
        layer.layer.weight.copy_(tensor(seed, groups * size))
        layer.layer.bias.copy_(tensor(seed + 1, groups * size))
        x = 3 * tensor(seed + 2, len(lengths), groups * size, h, w) + 1
        y, out = layer(x, torch.tensor(lengths))
    expected = slow.group_norm(
        x.numpy(), groups, lengths, layer.layer.weight.detach().numpy(), layer.layer.bias.detach().numpy()
    )
    np.testing.assert_allclose(y.numpy(), expected, atol=2e-5)
    assert out.tolist() == lengths


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from("frb"),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "clstm", "ocropy"]),
    st.data(),
    SEEDS,
)
def test_rnn(
    direction: str, transpose: bool, summarize: bool, legacy: str | None, data: st.DataObject, seed: int
) -> None:
    c, n, w = (data.draw(st.integers(1, m)) for m in (3, 3, 7))
    h = data.draw(st.integers(1, 4)) if transpose else 1
    lengths = data.draw(st.lists(st.integers(1, w), min_size=n, max_size=n))
    layer = TransposedSummarizingRNN(c, 3, direction, transpose, summarize, legacy)
    initialise(layer)
    x = tensor(seed, n, c, h, w)
    with torch.no_grad():
        y, out = layer(x, torch.tensor(lengths))
        alone, _ = layer(x)
    expected = slow.rnn(layer, x.double().numpy(), lengths)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(alone.numpy(), slow.rnn(layer, x.double().numpy(), [w] * n), atol=1e-5)
    assert out.tolist() == ([1] * n if summarize and not transpose else lengths)


@settings(max_examples=100, deadline=None)
@given(st.data(), SEEDS)
def test_reshape(data: st.DataObject, seed: int) -> None:
    a, b = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    shape = [data.draw(st.integers(1, 3)) for _ in range(4)]
    src, other = data.draw(st.permutations(range(4)))[:2]
    high, low = data.draw(st.sampled_from([(src, other), (other, src), (src, src)]))
    shape[src] = a * b
    part_a, part_b = data.draw(st.sampled_from([(a, b), (-1, b), (a, -1)]))
    x = tensor(seed, *shape)
    layer = Reshape(src, part_a, part_b, high, low)
    y, _ = layer(x)
    np.testing.assert_array_equal(y.numpy(), slow.reshape(x.numpy(), src, part_a, part_b, high, low))
    if 0 not in (src, other):
        assert layer.get_shape(tuple(shape)) == tuple(y.shape)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 3), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3), SEEDS)
def test_addition(dim: int, chunk: int, rest: int, chunks: int, seed: int) -> None:
    shape = [2, 2, 2, 2]
    shape[dim] = chunk * chunks + min(rest, chunk - 1)
    x = tensor(seed, *shape)
    y, _ = Addition(dim, chunk)(x)
    np.testing.assert_allclose(y.numpy(), slow.addition(x.double().numpy(), dim, chunk), atol=1e-6)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))
def test_conv_lengths(width: int, kernel: int, stride: int, dilation: int) -> None:
    layer = ActConv2D(1, 1, (1, kernel), (1, stride), "l", (1, dilation))
    expected = slow.conv_length(width, kernel, stride, dilation)
    assert layer.get_shape((1, 1, 1, width))[3] == expected
    if width + 2 * (dilation * (kernel - 1) // 2) > dilation * (kernel - 1):
        y, lengths = layer(torch.zeros(1, 1, 1, width), torch.tensor([width]))
        assert y.shape[3] == int(lengths[0]) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3))
def test_transposed_lengths(width: int, kernel: int, stride: int, dilation: int) -> None:
    layer = ActConv2D(1, 1, (1, kernel), (1, stride), "l", (1, dilation), transposed=True)
    nominal = layer.get_shape((1, 1, 1, width))[3]
    padding = dilation * (kernel - 1) // 2
    real = (width - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
    assert nominal == max(1, real)
    if real > 0:
        for extra in range(stride):
            y, lengths = layer(torch.zeros(1, 1, 1, width), torch.tensor([width]), (1, real + extra))
            assert y.shape[3] == int(lengths[0]) == real + extra
            assert layer.get_shape((1, 1, 1, width), (1, real + extra))[3] == real + extra
        y, _ = layer(torch.zeros(1, 1, 1, width), None, (1, real + stride))
        assert y.shape[3] == real


NETS = [
    "[1,12,0,1 Cr3,3,4 Cl3,5,4,1,2 Ct2,4,3 S1(1x0)1,3 Lbx4 O1c5]",
    "[1,12,0,1 Cr3,3,4,2,2 Gn2 Mp2,2 Cs3,3,4 Clr1,5,4,1,1,1,2 Gn4 S1(1x0)1,3 Lfx4 Lbx3 O1ca5]",
    "[1,12,0,1 Cr3,7,4 Mp3,3,2,2 Cm3,3,4 Do0.3,2 Mp2,2 S1(1x0)1,3 Lrx4 O1c5]",
    "[1,8,0,2 CTr3,4,3,2,2 Cr3,3,2,2,2 CTl1,3,2,1,3 Cr3,3,2 S1(1x0)1,3 O1s4]",
    "[1,8,0,2 Cr3,3,4,2,2 (CTr2,2,3,2,2 CTl3,3,2,2,2) Cr3,3,4 S1(1x0)1,3 O1s4]",
    "[1,8,0,2 Cr3,3,4,2,2 ([Cr3,3,2 CTr2,2,3,2,2] [Gn2 (CTl3,3,2,2,2 CTl2,2,1,2,2)]) Cr3,3,4 O2l4]",
    "[1,8,0,2 ([Cr3,3,4 Do Cr3,3,2] [Cr5,5,2 Cr3,3,2] I) Gn2 Cr3,3,2 S1(1x0)1,3 Lbxc3 O1c4]",
    "[1,8,0,4 Cr3,3,4 S3(2x0)2,3 Cr3,3,2 S3(0x2)3,2 Cr3,3,2 O2s4]",
    "[1,8,0,4 Cr3,3,4 S3(2x0)2,3 A3,1 Lbys3 Cr1,3,3 Lbx3 O1c3]",
    "[1,1,0,6 Lbx4 A2,3 Cr1,3,4 O1c4]",
    "[1,1,0,6 Cr1,3,4 Lbxo3 Cr1,3,4 Lbxs3 O1c4]",
    "[1,8,0,1 Cr4,4,3,2,3 Cl2,6,3 Mp2,3,1,2 S1(1x0)1,3 Lbx3 O1c4]",
]


@pytest.mark.parametrize("spec", NETS)
@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(16, 45), min_size=1, max_size=5), SEEDS)
def test_batch_equals_single(spec: str, widths: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    model = TorchVGSLModel(vgsl=spec).eval()
    # large biases, as trained networks have them: they are what leaks into the padding
    with torch.no_grad():
        for name, param in model.named_parameters():
            if name.endswith("co.bias"):
                param.add_(1)
    lines = [tensor(seed + i, 1, model.input[1], model.input[2], w) for i, w in enumerate(widths)]
    full = max(widths) + 3
    # garbage instead of zeros right of the lines must not matter
    batch = torch.cat([F.pad(x, (0, full - x.shape[3]), value=7.0) for x in lines])
    with torch.no_grad():
        y, lengths = model(batch, torch.tensor(widths))
        for i, line in enumerate(lines):
            single, none = model(line)
            same, length = model(line, torch.tensor([widths[i]]))
            assert none is None
            assert int(lengths[i]) == int(length[0]) == single.shape[3]
            np.testing.assert_allclose(same.numpy(), single.numpy(), atol=1e-6)
            np.testing.assert_allclose(
                y[i : i + 1, ..., : single.shape[3]].numpy(), single.numpy(), atol=1e-5
            )


def test_widths_that_become_channels_fit_no_batch() -> None:
    model = TorchVGSLModel(vgsl="[1,1,0,3 S2(2x0)2,3]").eval()
    model(torch.zeros(2, 3, 1, 8), torch.tensor([8, 8]))
    with pytest.raises(KrakenInputException, match="batch"):
        model(torch.zeros(2, 3, 1, 8), torch.tensor([8, 4]))


def test_row_wise_rnn_needs_height_one_with_lengths() -> None:
    layer = TransposedSummarizingRNN(2, 3, "b", transpose=False, summarize=False)
    layer(torch.zeros(1, 2, 4, 5))
    with pytest.raises(KrakenInputException, match="Height"):
        layer(torch.zeros(1, 2, 4, 5), torch.tensor([5]))


def test_half_precision_norm_computes_in_float32() -> None:
    layer = GroupNorm(2, 1).to(torch.float16)
    x = torch.full((1, 2, 1, 600), 100.0, dtype=torch.float16)
    x[..., ::2] = -100  # the sum of squares is beyond float16
    with torch.no_grad():
        y, _ = layer(x, torch.tensor([500]))
    assert y.dtype == torch.float16
    np.testing.assert_allclose(y[0, 0, 0, :2].float().numpy(), [-1, 1], atol=1e-3)


def test_pool_rejects_inputs_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="larger"):
        MaxPool((3, 3), (3, 3)).get_shape((1, 1, 2, 0))


@pytest.mark.parametrize("legacy", [None, "clstm"])
@pytest.mark.parametrize("direction", ["f", "b"])
def test_rnn_learns_from_ragged_batches_as_from_packed_ones(direction: str, legacy: str | None) -> None:
    layer = TransposedSummarizingRNN(3, 4, direction, transpose=False, summarize=False, legacy=legacy)
    x, lengths = tensor(1, 3, 3, 1, 9), torch.tensor([9, 4, 6])
    layer(x, lengths)[0].square().sum().backward()
    gradients = [p.grad.clone() for p in layer.parameters()]
    layer.zero_grad()
    sequences = x[:, :, 0].transpose(1, 2)
    if legacy is not None:
        sequences = torch.cat([torch.ones(3, 9, 1), sequences], dim=2)
    packed = pack_padded_sequence(sequences, lengths, batch_first=True, enforce_sorted=False)
    layer.layer(packed)[0].data.square().sum().backward()
    for param, gradient in zip(layer.parameters(), gradients, strict=True):
        torch.testing.assert_close(param.grad, gradient, atol=1e-5, rtol=1e-4)
