"""Multiply-adds of networks, against what a hand would count and what a run shows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from kraken.lib.vgsl import TorchVGSLModel, multiply_adds
from kraken.lib.vgsl.cost import nominal_size, weights


def network(spec: str, kind: str = "recognition") -> TorchVGSLModel:
    return TorchVGSLModel(vgsl=spec, model_type=kind)


@pytest.mark.parametrize(
    ("spec", "size", "expected"),
    [
        ("[1,8,0,1 Cr3,3,4]", (8, 10), 8 * 10 * 9 * 4),
        ("[1,8,0,3 Cr3,5,4,2,2]", (8, 10), 4 * 5 * 15 * 3 * 4),
        ("[1,8,0,1 Mp2,2 Cr3,3,4]", (8, 10), 4 * 5 * 9 * 4),
        ("[1,8,0,1 Cr3,3,4 Gn2 Do0.5]", (8, 10), 8 * 10 * 9 * 4),
        ("[1,1,0,8 Lfx5]", (1, 10), 10 * 4 * 5 * (8 + 5)),
        ("[1,1,0,8 Lbx5]", (1, 10), 2 * 10 * 4 * 5 * (8 + 5)),
        ("[1,6,0,8 Lfys5]", (6, 10), 60 * 4 * 5 * (8 + 5)),
        ("[1,1,0,8 O1c7]", (1, 10), 10 * 8 * 7),
        ("[1,8,0,2 O2l3]", (8, 10), 80 * 2 * 3),
        ("[1,8,0,1 (Cr3,3,2 Cr1,1,3)]", (8, 10), 80 * (9 * 2 + 3)),
    ],
)
def test_layers(spec: str, size: tuple[int, int], expected: int) -> None:
    assert multiply_adds(network(spec), *size) == expected


@pytest.mark.parametrize(
    "spec",
    [
        "[1,40,0,1 Cr5,5,6,2,2 Gn6 Cr3,3,8,1,2 Mp2,1 S1(1x0)1,3 Lbx7 O1c9]",
        "[1,40,0,3 Cr3,3,4 Cr3,3,4,1,1,2,2 (Cr1,1,3 I) Lby5 O2l4]",
    ],
)
def test_it_is_what_a_run_computes(spec: str) -> None:
    model = network(spec).eval()
    total = 0

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += inputs[0].numel() * module.out_features
        elif isinstance(module, nn.LSTM):
            matrices = sum(weight.numel() for weight in module.parameters() if weight.dim() == 2)
            total += inputs[0].shape[0] * inputs[0].shape[1] * matrices

    for module in model.modules():
        module.register_forward_hook(count)
    with torch.inference_mode():
        model(torch.zeros(1, model.input[1], 40, 61))
    before = [getattr(module, "output_shape", None) for module in model.nn.modules()]
    assert multiply_adds(model, 40, 61) == total
    assert [getattr(module, "output_shape", None) for module in model.nn.modules()] == before


def test_nominal_sizes() -> None:
    assert nominal_size(network("[1,40,0,1 O1c3]")) == (40, 480)
    assert nominal_size(network("[1,1800,0,3 O2l3]", "segmentation")) == (1800, 1273)
    assert nominal_size(network("[1,0,0,3 O2l3]", "segmentation")) == (1800, 1273)
    assert nominal_size(network("[1,0,120,1 O1c3]")) == (10, 120)
    assert weights(network("[1,8,0,1 Cr3,3,4]")) == 40


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="2x10"):
        multiply_adds(network("[1,0,0,1 Mp4,4 O2l3]", "segmentation"), 2, 10)
