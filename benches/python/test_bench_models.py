"""Speed of model files and networks: ``pytest benches/python/test_bench_models.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks import lstms
from kraken.lib.vgsl.layers import GroupNorm
from kraken.models import load_coreml, load_safetensors, write_coreml, write_safetensors

# the size of a usual page segmentation network: 5 MB of weights
SEGMENTATION = (
    "[1,1800,0,3 Cr7,7,64,2,2 Gn32 Cr3,3,128,2,2 Gn32 Cr3,3,128 Gn32 Cr3,3,256 Gn32 Cr3,3,256 Gn32 "
    "Lbx32 Lby32 Cr1,1,32 Gn32 Lby32 Lbx32 O2l4]"
)
RECOGNITION = "[1,32,0,1 Cr3,3,16 Gn8 Cr3,3,32,2,2 Gn8 Mp2,2 S1(1x0)1,3 Lbx64 Do O1c97]"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    net = TorchVGSLModel(vgsl=SEGMENTATION, model_type=["segmentation"])
    assert write_coreml(net, folder / "net.mlmodel").stat().st_size > 4_900_000
    write_safetensors(net, folder / "net.safetensors")
    return folder


def test_load_coreml(benchmark: Any, files: Path) -> None:
    (model,) = benchmark(load_coreml, files / "net.mlmodel")
    assert model.model_type == ["segmentation"]


def test_load_safetensors(benchmark: Any, files: Path) -> None:
    (model,) = benchmark(load_safetensors, files / "net.safetensors")
    assert model.model_type == ["segmentation"]


@pytest.mark.parametrize("ragged", [False, True])
def test_forward_of_a_batch(benchmark: Any, ragged: bool) -> None:
    model = TorchVGSLModel(vgsl=RECOGNITION).eval()
    x = torch.rand(8, 1, 32, 600)
    lengths = torch.linspace(400, 600, 8).int() if ragged else torch.full((8,), 600)
    with torch.inference_mode():
        y, _ = benchmark(model, x, lengths)
    assert y.shape == (8, 97, 1, 150)


@pytest.mark.parametrize("maker", [lstms._Kernel, None], ids=["kernel", "torch"])
@pytest.mark.parametrize("backward", [False, True])
def test_lstms_of_a_part_of_a_page(benchmark: Any, maker: Any, backward: bool) -> None:
    """24 rows of 312 steps, the first recurrent layer of the default segmentation network."""
    net = torch.nn.LSTM(256, 32, bidirectional=True, batch_first=True).requires_grad_(False)
    weights = [getattr(net, name) for name in net._flat_weights_names]
    run = maker(net, weights) if maker else lstms._Library(net, weights, torch.float32, None)
    x, gradient, found = torch.rand(24, 312, 256), torch.rand(24, 312, 64), torch.empty(24, 312, 256)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        benchmark(*(run.backward, x, gradient, found) if backward else (run.forward, x))
    finally:
        torch.set_num_threads(before)


def test_masked_group_norm(benchmark: Any) -> None:
    layer = GroupNorm(32, 8)
    x = torch.rand(8, 32, 16, 600)
    with torch.inference_mode():
        benchmark(layer, x, torch.linspace(300, 600, 8).int())
