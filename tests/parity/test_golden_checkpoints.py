"""Checkpoints of trainers, read without them, against recorded outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from kraken.models import convert_models, load_models
from tests.conftest import golden_json, shared_path


def checkpoint(name: str) -> Path:
    return shared_path("golden", "training", "models", f"{name}.ckpt")


def test_recognition() -> None:
    expected = golden_json("training", "models.json")["rec_ckpt"]
    model: Any
    (model,) = load_models(checkpoint("rec"))
    assert model.model_type == ["recognition"]
    assert (model.seg_type, model.one_channel_mode) == (expected["seg_type"], expected["one_channel_mode"])
    assert {text: list(labels) for text, labels in model.codec.c2l.items()} == expected["c2l"]
    assert not model.use_legacy_polygons
    assert model.spec == expected["spec"]
    x = torch.tensor(expected["input"]).reshape(expected["input_shape"])
    with torch.no_grad():
        y, _ = model.eval()(x)
    assert list(y.shape) == expected["output_shape"]
    np.testing.assert_allclose(y.numpy().ravel(), expected["output"], atol=1e-4)


def test_reading_order() -> None:
    expected = golden_json("training", "models.json")["ro_ckpt"]
    model: Any
    (model,) = load_models(checkpoint("ro"))
    assert model.user_metadata["class_mapping"] == expected["class_mapping"]
    with torch.no_grad():
        y = model.eval()(torch.tensor(expected["input"]))
    np.testing.assert_allclose(np.ravel(y.numpy()), expected["output"], atol=1e-4)


def test_segmentation() -> None:
    # the same network, converted by the recorded engine
    (expected,) = load_models(checkpoint("seg").with_suffix(".safetensors"))
    (model,) = load_models(checkpoint("seg"))
    assert model.user_metadata == expected.user_metadata
    assert set(model.state_dict()) == set(expected.state_dict())
    for key, value in expected.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)


@pytest.mark.parametrize("name", ["rec", "seg", "ro"])
def test_conversion_and_filter(name: str, tmp_path: Path) -> None:
    (model,) = load_models(checkpoint(name))
    assert load_models(checkpoint(name), tasks=["nothing"]) == []
    assert len(load_models(checkpoint(name), tasks=model.model_type)) == 1
    out = convert_models([checkpoint(name)], tmp_path / "model.safetensors")
    with safe_open(str(out), framework="np") as file:
        assert len(list(file.keys())) == len(model.state_dict())
    (again,) = load_models(out)
    for key, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)
