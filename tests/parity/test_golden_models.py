"""Networks and model files against recorded behaviour."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models
from tests.conftest import golden_json, shared_path


def keys(model: torch.nn.Module) -> list[list[Any]]:
    return [[key, list(value.shape)] for key, value in model.state_dict().items()]


def state(file: str) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    tensors = load_file(shared_path("golden", "models", file))
    return {key.partition(".")[2]: value for key, value in tensors.items()}


def test_forward() -> None:
    arrays = np.load(shared_path("golden", "models", "vgsl_forward.npz"))
    for case in golden_json("models", "vgsl_forward.json"):
        model = TorchVGSLModel(vgsl=case["spec"]).eval()
        assert model.user_metadata["vgsl"] == case["stored"]
        assert [list(model.input), list(model.output)] == [case["input"], case["output"]]
        assert keys(model) == case["keys"]
        model.load_state_dict(state(case["net"]))
        inputs = [torch.from_numpy(arrays[f"{case['id']}_in{j}"]) for j in range(case["n_inputs"])]
        outputs = [arrays[f"{case['id']}_out{j}"] for j in range(case["n_inputs"])]
        with torch.no_grad():
            for x, expected in zip(inputs, outputs, strict=True):
                np.testing.assert_allclose(model(x)[0].numpy(), expected, rtol=2e-5, atol=2e-5)
            if not case["olens"]:
                continue
            width = max(x.shape[3] for x in inputs)
            batch = torch.cat([F.pad(x, (0, width - x.shape[3])) for x in inputs])
            y, lengths = model(batch, torch.tensor(case["widths"]))
        assert lengths.tolist() == case["olens"]
        for row, n, expected in zip(y, case["olens"], outputs, strict=True):
            np.testing.assert_allclose(row[None, ..., :n].numpy(), expected[..., :n], rtol=2e-5, atol=2e-5)


def test_parse() -> None:
    for case in golden_json("models", "vgsl_parse.json")["parse"]:
        if not case["ok"]:
            with pytest.raises(ValueError):
                TorchVGSLModel(vgsl=case["spec"])
            continue
        for text in (case["spec"], case["stored"]):
            model = TorchVGSLModel(vgsl=text)
            assert model.spec == text
            assert model.user_metadata["vgsl"] == case["stored"]
            assert [list(model.input), list(model.output)] == [case["input"], case["output"]]
            assert keys(model) == case["keys"]
            assert type(model.criterion).__name__ == case["criterion"]


def test_edit() -> None:
    for case in golden_json("models", "vgsl_parse.json")["edit"]:
        model = TorchVGSLModel(vgsl=case["base"])
        for step in case["steps"]:
            edit = model.append if step["op"] == "append" else model.resize_output
            if "error" in step:
                with pytest.raises(ValueError):
                    edit(step["a"], step["b"])
                continue
            edit(step["a"], step["b"])
            assert model.spec == step["spec"]
            assert model.user_metadata["vgsl"] == step["meta"]
            assert keys(model) == step["keys"]
            again = TorchVGSLModel(vgsl=model.spec)
            assert (again.output, keys(again)) == (model.output, keys(model))


def assert_weights(model: torch.nn.Module, expected: list[list[Any]]) -> None:
    got = []
    for key, value in model.state_dict().items():
        assert value.dtype == torch.float32
        data = value.numpy().astype("<f4").tobytes()
        got.append([key, list(value.shape), hashlib.sha256(data).hexdigest()])
    assert got == [x[:3] for x in expected]


def place(entry: dict[str, Any]) -> Any:
    if entry["where"] == "models":
        return shared_path("reference-models", entry["file"])
    return shared_path("golden", "models", entry["file"])


def test_weights() -> None:
    pytest.importorskip("kraken.lib.codec")
    for entry in golden_json("models", "weights.json")["files"]:
        models = load_models(place(entry))
        assert len(models) == len(entry["models"])
        for model, expected in zip(models, entry["models"], strict=True):
            assert type(model).__name__ == expected["cls"]
            assert model.model_type == expected["model_type"]
            assert model.seg_type == expected["seg_type"]
            assert model.one_channel_mode == expected["one_channel_mode"]
            assert model.use_legacy_polygons == expected["legacy"]
            if expected["metadata"]:
                assert json.loads(json.dumps(model.user_metadata)) == expected["metadata"]
            if expected["codec"] is not None:
                assert {text: list(labels) for text, labels in model.codec.c2l.items()} == expected["codec"]
            assert_weights(model, expected["weights"])


def test_task_filter() -> None:
    pytest.importorskip("kraken.lib.codec")
    path = shared_path("golden", "models", "nets", "multi.safetensors")
    for tasks, classes in golden_json("models", "weights.json")["filter"]:
        assert [type(m).__name__ for m in load_models(path, tasks=tasks)] == classes


def test_legacy_interface() -> None:
    pytest.importorskip("kraken.lib.codec")
    for entry in golden_json("models", "weights.json")["legacy"]:
        with pytest.warns(DeprecationWarning, match="kraken 8"):
            model = TorchVGSLModel.load_model(place(entry))
        assert model.user_metadata["vgsl"] == entry["vgsl"]
        assert {text: list(labels) for text, labels in model.codec.c2l.items()} == entry["codec"]
        assert_weights(model, entry["weights"])


def test_bad_files() -> None:
    pytest.importorskip("kraken.lib.codec")
    # what the damaged files were made of
    (model,) = load_models(shared_path("golden", "models", "nets", "b.safetensors"))
    assert (model.model_type, len(model.codec)) == (["recognition"], 4)
    for entry in golden_json("models", "bad_files.json"):
        path = shared_path("golden", "models", entry["file"])
        if entry["expect"].startswith("ok"):
            assert f"ok {len(load_models(path))}" == entry["expect"]
            continue
        with pytest.raises((ValueError, RuntimeError)) as info:
            load_models(path)
        assert entry["expect"] in {c.__name__ for c in type(info.value).__mro__}, entry["file"]


def test_configurations_in_checkpoints() -> None:
    for name in (
        "kraken.lib.ctc_decoder",
        "kraken.lib.segmentation",
        "kraken.containers",
        "kraken.lib.codec",
    ):
        pytest.importorskip(name)
    import kraken.configs as configs
    from kraken.models import find_checkpoint_module, load_checkpoint_config
    from kraken.registry import registry

    class Trainer:
        _config_class = configs.TrainingConfig

    class Pretrainer:
        _config_class = configs.VGSLPreTrainingConfig

    class Recogniser:
        _config_class = configs.VGSLRecognitionTrainingConfig

    for name, cls, trainer in (
        ("rec", configs.VGSLRecognitionTrainingConfig, Recogniser),
        ("seg", configs.BLLASegmentationTrainingConfig, Trainer),
        ("ro", configs.ROTrainingConfig, Trainer),
    ):
        path = shared_path("golden", "training", "models", f"{name}.ckpt")
        config = load_checkpoint_config(path)
        assert type(config) is cls
        assert set(vars(config)) >= set(vars(cls()))
        with pytest.MonkeyPatch.context() as patch:
            found = [("a", Trainer), ("b", Pretrainer), ("c", Recogniser)]
            patch.setattr(registry, "items", lambda _, found=found: iter(found))
            assert find_checkpoint_module(path) is trainer
            patch.setattr(registry, "items", lambda _: iter([("b", Pretrainer)]))
            with pytest.raises(ValueError, match="No trainer found"):
                find_checkpoint_module(path)
            patch.setattr(registry, "items", lambda _: iter([]))
            with pytest.raises(ValueError, match=r"kraken\.train is missing"):
                find_checkpoint_module(path)
