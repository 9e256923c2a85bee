"""A runner for the command inside this process, and tiny networks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from kraken.ketos import cli as ketos_cli
from kraken.kraken import cli
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import write_models
from tests.cli.model_repository import Model, Repository, served


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs ``kraken ARGS…``."""

    def run_command(*args: object) -> Result:
        return CliRunner().invoke(cli, [str(arg) for arg in args])

    return run_command


@pytest.fixture
def ketos() -> Callable[..., Result]:
    """Runs ``ketos ARGS…``."""

    def run_command(*args: object, **kwargs: Any) -> Result:
        return CliRunner().invoke(ketos_cli, [str(arg) for arg in args], **kwargs)

    return run_command


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A local server with five records of four concepts, one for other software."""
    client: Any = pytest.importorskip("htrmopo.repo", reason="htrmopo isn't installed")
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    models = [
        Model(11, 10, "2025-01-01T00:00:00Z", "Latin print, first"),
        Model(12, 10, "2025-06-01T00:00:00Z", "Latin print, second"),
        Model(21, 20, "2025-03-01T00:00:00Z", "Layout [any]", kind="segmentation", language="fra"),
        Model(31, 30, "2025-04-01T00:00:00Z", "Order", kind="reading order", script="Arab"),
        Model(41, 40, "2025-05-01T00:00:00Z", "Other engine", software="other"),
    ]
    with served(Repository(models)) as repository:
        monkeypatch.setenv("MODEL_REPO_OAI_URL", f"{repository.base}/oai2d")
        monkeypatch.setenv("MODEL_REPO_URL", f"{repository.base}/api/")
        # The package reads the address when it is imported.
        monkeypatch.setattr(client.sickle, "endpoint", f"{repository.base}/oai2d")
        yield repository


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
