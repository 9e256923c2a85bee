"""LSTMs over the rows of pages: parts and threads change neither outputs nor gradients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from kraken.lib.vgsl.blocks import TransposedSummarizingRNN, rows
from kraken.lib.vgsl.blocks.threads import in_threads


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def layer(direction: str, columns: bool, summarize: bool = False, units: int = 8) -> TransposedSummarizingRNN:
    """With 16 or 32 units our kernel computes, with 8 torch does."""
    torch.manual_seed(0)
    return TransposedSummarizingRNN(5, units, direction, transpose=columns, summarize=summarize)


def run(net: TransposedSummarizingRNN, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Output, and gradients of the input and the weights."""
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    net.zero_grad()
    y = net(x)[0]
    (y * torch.linspace(0, 1, y.numel()).view(y.shape)).sum().backward()
    return y.detach(), [p.grad.clone() for p in (x, *net.parameters()) if p.grad is not None]


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("direction", ["b", "f"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("summarize", [False, True])
@pytest.mark.parametrize("units", [8, 16, 32])
@pytest.mark.usefixtures("threads")
def test_parts_give_the_same(
    columns: bool,
    direction: str,
    layout: torch.memory_format,
    number: int,
    summarize: bool,
    units: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = layer(direction, columns, summarize, units)
    x = torch.rand(2, 5, 13, 17).contiguous(memory_format=layout)
    assert not rows.suits(net.layer, x)
    wanted, gradients = run(net, x)
    torch.set_num_threads(number)
    monkeypatch.setattr(rows, "_PART", 60)
    assert rows.suits(net.layer, x)
    assert len(rows._parts(rows._sequences(x, columns))) > 4
    found, same = run(net, x)
    assert torch.get_num_threads() == number
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)
    assert len(same) == len(gradients) == 1 + len(list(net.parameters()))
    for a, b in zip(same, gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    with torch.inference_mode():
        torch.testing.assert_close(net(x)[0], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("threads")
def test_results_are_the_same_with_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_PART", 60)
    net, x = layer("b", True), torch.rand(1, 5, 40, 9)
    results = []
    for number in (1, 2, 4):
        torch.set_num_threads(number)
        y, gradients = run(net, x)
        results.append([y, *gradients])
    for other in results[1:]:
        for a, b in zip(other, results[0], strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_frozen_weights_and_images_get_no_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_PART", 60)
    net, x = layer("b", False), torch.rand(1, 5, 40, 9)
    net(x)[0].sum().backward()
    assert x.grad is None
    wanted = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    assert len(wanted) == len(list(net.parameters()))
    net.requires_grad_(False).zero_grad()
    net(x.requires_grad_())[0].sum().backward()
    assert x.grad is not None
    assert all(p.grad is None for p in net.parameters())


def test_half_precision_is_that_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_PART", 60)
    net, x = layer("b", False), torch.rand(1, 5, 40, 9)
    wanted = net(x)[0].detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = net(x)[0]
    assert found.dtype == torch.bfloat16
    found.float().sum().backward()
    torch.testing.assert_close(found.float(), wanted, rtol=0, atol=0.03)


def test_input_of_another_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_PART", 60)
    with pytest.raises(RuntimeError, match="input_size"):
        layer("b", False)(torch.rand(1, 4, 40, 9))


@pytest.mark.usefixtures("threads")
def test_an_error_in_a_thread_comes_out() -> None:
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda part: 1 / part, [0, 1]))
    assert torch.get_num_threads() == 2
