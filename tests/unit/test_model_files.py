"""Writing and reading of model files."""

from __future__ import annotations

import json
import logging
import sys
import types
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from kraken.lib.ro import ROMLP
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import (
    BaseModel,
    RecognitionBaseModel,
    SegmentationBaseModel,
    convert_models,
    create_model,
    find_weights_archs,
    load_coreml,
    load_models,
    load_safetensors,
    write_coreml,
    write_models,
    write_safetensors,
)
from kraken.registry import registry

MAPPING = {
    "aux": {"_start_separator": 0, "_end_separator": 1},
    "baselines": {"default": 2, "other": 3},
    "regions": {"text": 4},
}
SEG = "[1,0,0,3 Cr3,3,4,2,2 Gn2 Lbx3 Lby3 O2l5]"
ALL_LAYERS = (
    "[1,16,0,1 Clr3,5,4,1,1,1,2 (Cr3,3,4 [CTt3,3,2 Do0.2,2] I) Gn5 Mp2,2 A3,5 Cs3,3,4 Cm1,1,4 "
    "S1(1x0)1,3 Lfx3 Grx3 Lbxc3 Lbxo2 O1ca5]"
)


def segmenter(**kwargs: Any) -> TorchVGSLModel:
    return TorchVGSLModel(vgsl=SEG, model_type=["segmentation"], class_mapping=MAPPING, **kwargs)


def same_weights(a: Any, b: Any) -> bool:
    x, y = a.state_dict(), b.state_dict()
    return list(x) == list(y) and all(torch.equal(x[k], y[k]) and x[k].dtype == y[k].dtype for k in x)


# -- safetensors --------------------------------------------------------------


def test_safetensors_round_trip(tmp_path: Path) -> None:
    order = ROMLP(class_mapping=MAPPING["baselines"], level="baselines")
    net = segmenter(odd={"tuple": (1, 2), 3: np.float32(0.5), "text": "ü"}, legacy_polygons=False)
    path = write_safetensors([net, order], tmp_path / "x.safetensors")
    loaded = load_models(path)
    assert [type(m) for m in loaded] == [TorchVGSLModel, ROMLP]
    assert all(same_weights(a, b) for a, b in zip(loaded, (net, order), strict=True))
    expected = {**net.user_metadata, "odd": {"tuple": [1, 2], "3": 0.5, "text": "ü"}}
    assert loaded[0].user_metadata == expected
    assert loaded[1].user_metadata == {**order.user_metadata, "model_type": ["reading_order"]}
    # and again: nothing is added on the way
    again = load_models(write_safetensors(loaded, tmp_path / "y.safetensors"))
    assert [m.user_metadata for m in again] == [m.user_metadata for m in loaded]
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["x.safetensors", "y.safetensors"]


def test_safetensors_header(tmp_path: Path) -> None:
    path = write_safetensors(segmenter(), tmp_path / "x.safetensors")
    with safe_open(str(path), framework="np") as file:
        ((prefix, entry),) = json.loads(file.metadata()["kraken_meta"]).items()
        assert all(name.startswith(f"{prefix}.nn.") for name in list(file.keys()))
    assert list(entry)[:3] == ["_kraken_min_version", "_tasks", "_model"]
    assert (entry["_kraken_min_version"], entry["_tasks"]) == ("5.0.0", ["segmentation"])
    assert entry["_model"] == "TorchVGSLModel"


def test_half_precision_is_stored_and_read_into_float32(tmp_path: Path) -> None:
    net = segmenter()
    net.nn.C_0.half()
    net.nn.Gn_1.bfloat16()
    path = write_safetensors(net, tmp_path / "x.safetensors")
    kinds = {name.split(".", 1)[1]: t.dtype for name, t in load_file(path).items()}
    assert kinds["nn.C_0.co.weight"] == torch.float16
    assert kinds["nn.Gn_1.layer.bias"] == torch.bfloat16
    assert kinds["nn.l_4.co.bias"] == torch.float32
    assert net.nn.C_0.co.weight.dtype == torch.float16
    (loaded,) = load_safetensors(path)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert torch.equal(loaded.nn.C_0.co.weight, net.nn.C_0.co.weight.float())


class Tied(nn.Module, BaseModel):
    """A third-party model with one weight under two names."""

    _kraken_min_version = "5.0.0"
    model_type: ClassVar = ["recognition"]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.user_metadata = kwargs
        self.a = nn.Linear(2, 2, bias=False)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight

    def prepare_for_inference(self, config: Any) -> None:
        pass


@pytest.fixture
def tied(monkeypatch: pytest.MonkeyPatch) -> type[Tied]:
    module = types.ModuleType("tied_model")
    module.Tied = Tied  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tied_model", module)
    monkeypatch.setitem(registry._builtins["kraken.models"], "Tied", "tied_model:Tied")
    return Tied


def test_tied_weights_are_written_once(tmp_path: Path, tied: type[Tied]) -> None:
    model = tied()
    path = write_safetensors(model, tmp_path / "x.safetensors")
    tensors = load_file(path)
    assert [name.split(".", 1)[1] for name in tensors] == ["a.weight"]
    (loaded,) = load_safetensors(path)
    assert torch.equal(loaded.a.weight, model.a.weight)
    assert loaded.a.weight is loaded.b.weight


def test_tied_weights_without_alias(tmp_path: Path, tied: type[Tied]) -> None:
    entry = {"_model": "Tied", "_tasks": None, "_kraken_min_version": "5.0.0"}
    path = tmp_path / "x.safetensors"
    save_file({"p.b.weight": torch.eye(2)}, path, metadata={"kraken_meta": json.dumps({"p": entry})})
    (loaded,) = load_safetensors(path)
    assert torch.equal(loaded.a.weight, torch.eye(2))


def test_alias_in_metadata(tmp_path: Path) -> None:
    net = TorchVGSLModel(vgsl="[1,1,0,2 Cr1,1,2 Cr1,1,2]")
    state = {f"p.{k}": v for k, v in net.state_dict().items() if "C_1.co.weight" not in k}
    meta = {"p": {"_model": "TorchVGSLModel", "_tasks": None, "vgsl": net.spec}}
    path = tmp_path / "x.safetensors"
    alias = {"p.nn.C_1.co.weight": "p.nn.C_0.co.weight"}
    save_file(state, path, metadata={"kraken_meta": json.dumps(meta), **alias})
    (loaded,) = load_safetensors(path)
    assert torch.equal(loaded.nn.C_1.co.weight, net.nn.C_0.co.weight)


def test_models_that_need_a_newer_engine_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_safetensors(
        [segmenter(), ROMLP(class_mapping={}, level="regions")], tmp_path / "x.safetensors"
    )
    for version, count in (("5.0.0", 2), ("5.0", 2), ("7.2.0.dev0", 2), ("4.9.99", 0)):
        monkeypatch.setattr(metadata, "version", lambda _, v=version: v)
        with caplog.at_level(logging.WARNING):
            assert len(load_safetensors(path)) == count
    assert "5.0.0" in caplog.text


def test_auxiliary_models_become_entries(tmp_path: Path) -> None:
    order = ROMLP(class_mapping=MAPPING["baselines"], level="baselines")
    net = segmenter()
    net.aux_layers = {"ro_model": order}
    for objs in (net, [net, order]):
        loaded = load_models(write_safetensors(objs, tmp_path / "x.safetensors"))
        assert [type(m) for m in loaded] == [TorchVGSLModel, ROMLP]
        assert same_weights(loaded[1], order)


def test_metadata_without_json_form(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="metadata"):
        write_safetensors(segmenter(odd=object()), tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="no model"):
        write_safetensors([], tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="no model"):
        write_safetensors([nn.Linear(1, 1)], tmp_path / "x.safetensors")  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())


def test_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_safetensors(segmenter(), tmp_path / "x.safetensors")
    before = path.read_bytes()

    def fail(_: Any, target: Path, **__: Any) -> None:
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("kraken.models.writers.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        write_safetensors(segmenter(), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


# -- CoreML -------------------------------------------------------------------


@pytest.mark.parametrize("spec", [ALL_LAYERS, SEG, "[1,1,0,4 Lbx3 W{w}4,4,0.5,3 O1c4]"])
def test_coreml_round_trip(tmp_path: Path, spec: str) -> None:
    net = TorchVGSLModel(vgsl=spec, model_type="recognition", mine=[1, "ü"], one_channel_mode="L").eval()
    path = write_coreml([net], tmp_path / "x.bin")
    assert path == tmp_path / "x.mlmodel"
    (loaded,) = load_coreml(path)
    loaded.eval()
    assert loaded.user_metadata["mine"] == [1, "ü"]
    assert (loaded.model_type, loaded.one_channel_mode, loaded.codec) == (["recognition"], "L", None)
    expected, got = net.state_dict(), loaded.state_dict()
    assert list(expected) == list(got)
    for key, value in expected.items():
        if "bias_ih" in key:
            assert not got[key].any()
        elif "bias_hh" in key:
            merged = value + expected[key.replace("bias_hh", "bias_ih")]
            torch.testing.assert_close(got[key], merged)
        else:
            assert torch.equal(got[key], value)
    x = torch.rand(2, net.input[1], net.input[2] or 12, 21)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x)[0], net(x)[0], atol=1e-5, rtol=0)


def test_coreml_wiring_and_header() -> None:
    from kraken.models.coreml.protobuf import decode
    from kraken.models.coreml.writer import serialise

    net = TorchVGSLModel(vgsl="[1,4,0,1 Cr3,3,2 ([Lby2 Do] Cl1,1,3) O2s3]")
    message = decode(memoryview(serialise(net)), "Model")
    assert message["specificationVersion"] == 2
    wires = [(x["name"], x["input"], x["output"]) for x in message["neuralNetwork"]["layers"]]
    assert wires == [
        ("C_0_conv", ["input"], ["C_0_conv"]),
        ("C_0_act", ["C_0_conv"], ["C_0_act"]),
        ("L_1", ["C_0_act"], ["L_1"]),
        ("L_1_transposed", ["L_1"], ["L_1_transposed"]),
        ("Do_2", ["L_1_transposed"], ["Do_2"]),
        ("C_3_conv", ["C_0_act"], ["C_3_conv"]),
        ("C_3_act", ["C_3_conv"], ["C_3_act"]),
        ("s_4_conv", ["Do_2", "C_3_act"], ["s_4_conv"]),
        ("s_4_act", ["s_4_conv"], ["output"]),
    ]
    (feature,) = message["description"]["input"]
    assert feature["type"]["multiArrayType"] == {"shape": [1, 1, 4, 0], "dataType": 65600}
    simple = decode(memoryview(serialise(TorchVGSLModel(vgsl="[1,4,0,1 Cr3,3,2]"))), "Model")
    assert simple["specificationVersion"] == 1


def test_coreml_reading_orders(tmp_path: Path) -> None:
    net = segmenter()
    lines = ROMLP(class_mapping=MAPPING["baselines"], level="baselines")
    regions = ROMLP(class_mapping=MAPPING["regions"], level="regions")
    net.aux_layers = {"ro_model": lines, "ro_model_regions": regions}
    path = write_coreml(net, tmp_path / "x.mlmodel")
    loaded = load_coreml(path)
    assert [type(m) for m in loaded] == [TorchVGSLModel, ROMLP, ROMLP]
    assert [(m.level, m.class_mapping) for m in loaded[1:]] == [
        ("baselines", MAPPING["baselines"]),
        ("regions", MAPPING["regions"]),
    ]
    assert all(same_weights(a, b) for a, b in zip(loaded[1:], (lines, regions), strict=True))
    assert [type(m) for m in load_coreml(path, tasks=["segmentation"])] == [TorchVGSLModel]
    assert [type(m) for m in load_coreml(path, tasks=["reading_order"])] == [ROMLP, ROMLP]
    assert load_coreml(path, tasks=["recognition"]) == []
    net.aux_layers["ro_model"] = ROMLP(class_mapping={"x": 9}, level="baselines")
    path = write_coreml(net, tmp_path / "y.mlmodel")
    with pytest.raises(ValueError, match="features"):
        load_coreml(path)


def test_coreml_half_precision_is_written_as_float32(tmp_path: Path) -> None:
    net = segmenter().half()
    (loaded,) = load_coreml(write_coreml(net, tmp_path / "x.mlmodel"))
    assert torch.equal(loaded.nn.C_0.co.weight, net.nn.C_0.co.weight.float())


def test_coreml_refuses_what_it_cant_hold(tmp_path: Path) -> None:
    order = ROMLP(class_mapping={}, level="regions")
    for objs in ([], [segmenter(), segmenter()], [order]):
        with pytest.raises(ValueError):
            write_coreml(objs, tmp_path / "x.mlmodel")
    write_coreml(segmenter(), tmp_path / "x.mlmodel")
    with pytest.raises(ValueError, match="exists"):
        write_coreml(segmenter(), tmp_path / "x")


def test_deprecated_methods(tmp_path: Path) -> None:
    net = segmenter()
    net.aux_layers = {"ro_model": ROMLP(class_mapping=MAPPING["baselines"], level="baselines")}
    path = tmp_path / "exactly.this"
    with pytest.warns(DeprecationWarning, match="kraken 8"):
        net.save_model(path)
    with pytest.warns(DeprecationWarning, match="kraken 8"):
        loaded = TorchVGSLModel.load_model(path)
    assert loaded.spec == net.user_metadata["vgsl"]
    assert same_weights(loaded.aux_layers["ro_model"], net.aux_layers["ro_model"])


# -- choice of format, conversion, names ---------------------------------------


def test_format_follows_the_suffix(tmp_path: Path) -> None:
    for name in ("x.mlmodel", "x.safetensors", "x.bin"):
        path = write_models([segmenter()], tmp_path / name)
        assert path.name == name
        start = path.read_bytes()[:9]
        assert start[:1] == b"\x08" if name == "x.mlmodel" else start[8:] == b"{"
        assert len(load_models(path)) == 1
        with pytest.raises(ValueError, match="already exists"):
            write_models([segmenter()], path)
    with pytest.raises(ValueError, match="exactly one"):
        write_models([segmenter(), segmenter()], tmp_path / "two.mlmodel")
    # the content decides on reading, whatever the name
    (tmp_path / "x.mlmodel").rename(tmp_path / "y.safetensors")
    assert len(load_models(tmp_path / "y.safetensors")) == 1


def test_load_models_errors(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ValueError, match="is not a regular file"):
            load_models(path)
    path = tmp_path / "text"
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"No loader found for .*coreml.*safetensors"):
        load_models(path)


def test_convert(tmp_path: Path) -> None:
    a = write_models(segmenter(), tmp_path / "a.mlmodel")
    b = write_models(ROMLP(class_mapping={}, level="regions"), tmp_path / "b.safetensors")
    out = convert_models([a, b], tmp_path / "c.safetensors")
    assert [type(m) for m in load_models(out)] == [TorchVGSLModel, ROMLP]
    assert convert_models([a], tmp_path / "d", weights_format="coreml") == tmp_path / "d.mlmodel"
    with pytest.raises(ValueError, match="No writer for format clay found"):
        convert_models([a], tmp_path / "e", weights_format="clay")


def test_create_model() -> None:
    assert isinstance(create_model("TorchVGSLModel", vgsl=SEG, name="a field"), TorchVGSLModel)
    assert isinstance(create_model(ROMLP, class_mapping={}, level="regions"), ROMLP)
    with pytest.raises(ValueError, match="`3` is neither type nor string"):
        create_model(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`Nope` is not in model registry"):
        create_model("Nope")
    with pytest.raises(ValueError, match="Invalid input spec"):
        create_model("TorchVGSLModel", vgsl="[I]")
    from kraken import registry as module

    assert module.create_model is create_model


def test_architectures_of_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_models(segmenter(), tmp_path / "a.safetensors")

    class Trainer:
        _model_class = TorchVGSLModel

    class Other:
        _model_class = ROMLP

    groups: dict[str, list[tuple[str, type]]] = {}
    monkeypatch.setattr(registry, "items", lambda group: iter(groups.get(group, [])))
    assert find_weights_archs(path) is None
    groups |= {
        "kraken.archs.recognition": [("vgsl", Trainer)],
        "kraken.archs.segmentation": [("blla", Trainer), ("ro", Other)],
    }
    assert find_weights_archs(path) == {"vgsl", "blla"}
    assert find_weights_archs(path, task="segmentation") == {"blla"}
    (tmp_path / "text").write_text("hello")
    assert find_weights_archs(tmp_path / "text") is None


def test_base_classes() -> None:
    assert issubclass(TorchVGSLModel, SegmentationBaseModel)
    assert issubclass(TorchVGSLModel, RecognitionBaseModel)
    order = ROMLP(class_mapping={}, level="regions")
    assert (order.seg_type, order.use_legacy_polygons, order.one_channel_mode) == (None, None, None)
    with pytest.raises(TypeError, match="abstract"):
        BaseModel()  # type: ignore[abstract]
    with pytest.raises(AttributeError, match="nothing"):
        import kraken.models

        kraken.models.nothing  # noqa: B018
