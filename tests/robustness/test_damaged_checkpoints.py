"""Damaged and hostile checkpoints: a clear error, and nothing is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from kraken.models import load_models
from tests.robustness.model_files import SPEC, Bomb, assert_clear, network


def test_checkpoints_with_foreign_objects_are_refused_and_not_run(tmp_path: Path) -> None:
    for name in (
        "kraken.lib.ctc_decoder",
        "kraken.lib.segmentation",
        "kraken.containers",
        "kraken.lib.codec",
    ):
        pytest.importorskip(name)
    from kraken.models import load_checkpoint_config

    path, trace = tmp_path / "x.ckpt", tmp_path / "trace"
    torch.save({"_module_config": Bomb(trace)}, path)
    with pytest.raises(ValueError, match="isn't a readable checkpoint"):
        load_checkpoint_config(path)
    assert not trace.exists()
    for content in ({"state_dict": {}}, {"hyper_parameters": {}}, [1], {"hyper_parameters": 3}):
        torch.save(content, path)
        with pytest.raises(ValueError, match=r"checkpoint|configuration"):
            load_checkpoint_config(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="isn't a readable checkpoint"):
        load_checkpoint_config(path)


def checkpoint(**changes: Any) -> dict[str, Any]:
    """What the trainer of a recogniser stores, with some changes."""
    configs = pytest.importorskip("kraken.configs")
    codec = pytest.importorskip("kraken.lib.codec").PytorchCodec("ab")
    data = configs.VGSLRecognitionTrainingDataConfig(codec=codec)
    content = {
        "_module_config": configs.VGSLRecognitionTrainingConfig(spec=SPEC),
        "datamodule_hyper_parameters": {"data_config": data},
        "state_dict": {f"net.{key}": value for key, value in network().state_dict().items()},
        **changes,
    }
    return {key: value for key, value in content.items() if value is not None}


def test_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    content = checkpoint()
    torch.save(content, path)
    model: Any
    (model,) = load_models(path)
    assert (model.codec.c2l, model.base_dir) == ({"a": [1], "b": [2]}, None)
    content["datamodule_hyper_parameters"]["data_config"].bidi_reordering = "R"
    torch.save({**content, "_metrics": [[1, {"val_metric": 0.5}]]}, path)
    (model,) = load_models(path)
    assert model.base_dir == "R"
    assert model.user_metadata["metrics"] == [[1, {"val_metric": 0.5}]]


def without(name: str, value: Any = None) -> dict[str, Any]:
    """Weights of which one has gone, or is another."""
    state = checkpoint()["state_dict"]
    del state[f"net.{name}"]
    return state if value is None else {**state, f"net.{name}": value}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"_module_config": None}, "_module_config"),
        ({"_module_config": 3}, "configuration int"),
        ({"datamodule_hyper_parameters": None}, "datamodule_hyper_parameters"),
        ({"datamodule_hyper_parameters": {}}, "data_config"),
        ({"datamodule_hyper_parameters": {"data_config": 3}}, "bidi_reordering|legacy_polygons|codec"),
        ({"state_dict": None}, "state_dict"),
        ({"state_dict": [1]}, "state_dict"),
        ({"state_dict": {1: 2}}, "state_dict"),
        ({"state_dict": {}}, "nn.C_0.co.weight"),
        ({"state_dict": lambda: without("nn.L_3.layer.bias_hh_l0")}, "nn.L_3.layer.bias_hh_l0"),
        ({"state_dict": lambda: without("nn.O_7.lin.bias", torch.zeros(9))}, "nn.O_7.lin.bias"),
        ({"state_dict": lambda: without("nn.O_7.lin.bias", "text")}, "nn.O_7.lin.bias"),
        ({"state_dict": lambda: {**without("nn.O_7.lin.bias"), "net.x": torch.zeros(1)}}, "nn.O_7.lin.bias"),
    ],
    ids=str,
)
def test_checkpoint_damage_is_named(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    content = checkpoint(**{key: value() if callable(value) else value for key, value in change.items()})
    path = tmp_path / "x.ckpt"
    torch.save(content, path)
    with pytest.raises((ValueError, RuntimeError)) as info:
        load_models(path)
    assert_clear(info.value, path, field)


def test_truncated_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    torch.save(checkpoint(), path)
    data = path.read_bytes()
    for end in (4, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:end])
        with pytest.raises(ValueError) as info:
            load_models(path)
        assert_clear(info.value, path, "isn't a readable checkpoint")
