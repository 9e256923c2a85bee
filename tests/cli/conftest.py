"""A runner for the command inside this process, and tiny networks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from kraken.kraken import cli
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import write_models


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs ``kraken ARGS…``."""

    def run_command(*args: object) -> Result:
        return CliRunner().invoke(cli, [str(arg) for arg in args])

    return run_command


@pytest.fixture(scope="session")
def layout_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout network that marks dark rows as baselines: its weights are set, not trained."""
    model = TorchVGSLModel(
        vgsl="[1,0,0,1 O2l4]",
        model_type="segmentation",
        class_mapping={
            "aux": {"_start_separator": 0, "_end_separator": 1},
            "baselines": {"default": 2},
            "regions": {"text": 3},
        },
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight"):
                parameter.copy_(torch.tensor([0.0, 0.0, 40.0, 0.0]).reshape(parameter.shape))
            else:
                parameter.copy_(torch.tensor([-20.0, -20.0, -20.0, -20.0]))
    return Path(write_models([model], tmp_path_factory.mktemp("models") / "layout.safetensors"))


@pytest.fixture(scope="session")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recognition network with random weights."""
    torch.manual_seed(0)
    model = TorchVGSLModel(
        vgsl="[1,12,0,1 Cr3,3,4 S1(1x0)1,3 Lbx8 O1c5]",
        model_type="recognition",
        codec={"a": [1], "b": [2], "c": [3], " ": [4]},
        seg_type="baselines",
        legacy_polygons=False,
    )
    return Path(write_models([model], tmp_path_factory.mktemp("models") / "text.safetensors"))
