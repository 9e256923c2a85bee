"""Damaged and hostile model files, all made by code: a clear error, quickly, and nothing is run."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from kraken.lib.exceptions import KrakenInvalidModelException
from kraken.lib.ro import ROMLP
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_coreml, load_models, load_safetensors, write_coreml, write_safetensors
from kraken.models.coreml.protobuf import decode, encode
from tests.robustness.model_files import Bomb, assert_clear, network


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Bytes of a good file of each format."""
    folder = tmp_path_factory.mktemp("good")
    torch.manual_seed(0)
    net = network()
    return {
        "safetensors": write_safetensors(net, folder / "x.safetensors").read_bytes(),
        "coreml": write_coreml(net, folder / "x.mlmodel").read_bytes(),
    }


def load_or_clear_error(path: Path, data: bytes) -> list[Any]:
    path.write_bytes(data)
    try:
        return load_models(path)
    except (ValueError, RuntimeError) as e:
        assert str(path) in str(e)
        return []


@pytest.mark.parametrize("kind", ["safetensors", "coreml"])
def test_truncated_anywhere(good: dict[str, bytes], kind: str, tmp_path: Path) -> None:
    data = good[kind]
    for end in sorted({0, 1, 7, 8, 9, 16, len(data) - 1, *range(20, len(data), max(1, len(data) // 60))}):
        path = tmp_path / "x"
        path.write_bytes(data[:end])
        with pytest.raises(ValueError, match="No loader found"):
            load_models(path)


@pytest.mark.parametrize("kind", ["safetensors", "coreml"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_bytes(good: dict[str, bytes], kind: str, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(good[kind])
    # the descriptions are where changes hurt
    limit = data.draw(st.sampled_from([40, 400, len(content)]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, limit - 1))] = data.draw(st.integers(0, 255))
    load_or_clear_error(tmp_path / "x", bytes(content))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, content: bytes) -> None:
    assert load_or_clear_error(tmp_path / "x", content) == []


# -- pickles ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".mlmodel", ".ckpt"])
def test_pickles_are_refused_and_not_run(tmp_path: Path, suffix: str) -> None:
    trace = tmp_path / "trace"
    for protocol in range(2, 6):
        path = tmp_path / f"pickle{suffix}"
        path.write_bytes(pickle.dumps(Bomb(trace), protocol=protocol))
        with pytest.raises(ValueError, match="pickle"):
            load_models(path)
    path = tmp_path / f"torch{suffix}"
    torch.save({"x": Bomb(trace)}, path)
    with pytest.raises(ValueError, match="pickle"):
        load_models(path)
    assert not trace.exists()


# -- safetensors metadata -----------------------------------------------------

ENTRY = {
    "_kraken_min_version": "5.0.0",
    "_tasks": ["reading_order"],
    "_model": "ROMLP",
    "class_mapping": {},
    "level": "regions",
}
NETWORK = {**ENTRY, "_tasks": ["recognition"], "_model": "TorchVGSLModel", "vgsl": "[1,8,0,1 O1c3]"}
DEEP = "[" * 100_000 + "]" * 100_000


BAD_METADATA: list[tuple[str, str]] = [
    *((text, "kraken_meta") for text in ("", "{", "null", "[]", "3", '"text"', DEEP, '{"p": ' + DEEP + "}")),
    *((json.dumps({"p": entry}), "'p'") for entry in (None, [], "text")),
    (json.dumps({"p": {}}), "_model"),
    *(
        (json.dumps({"p": {**ENTRY, key: value}}), key)
        for key, value in [
            ("_tasks", "reading_order"),
            ("_tasks", [None]),
            ("_tasks", {}),
            ("_tasks", 1),
            ("_model", None),
            ("_model", 3),
            ("_model", ["ROMLP"]),
            ("_kraken_min_version", 5),
            ("_kraken_min_version", "new"),
            ("_kraken_min_version", None),
            ("class_mapping", [1]),
            ("class_mapping", {"a": "b"}),
            ("class_mapping", {"a": 10**12}),
            ("level", None),
        ]
    ),
    (json.dumps({"p": {**ENTRY, "_model": "os.system"}}), "os.system"),
    *(
        (json.dumps({"p": {**NETWORK, key.replace("[Cc]", "c"): value}}), key)
        for key, value in [
            ("vgsl", 3),
            ("vgsl", None),
            ("vgsl", ["[1,8,0,1 O1c3]"]),
            ("[Cc]odec", 3),
            ("[Cc]odec", "aa"),
            ("[Cc]odec", {"a": 1}),
            ("[Cc]odec", {"a": [0]}),
            ("[Cc]odec", {"a": [1], "b": [1]}),
            ("[Cc]odec", {"": [1]}),
            ("[Cc]odec", {"a": ["1"]}),
        ]
    ),
    (json.dumps({"p": {**NETWORK, "vgsl": "[1,1,0,99999 Cr99999,99999,99999]"}}), "vgsl"),
    (json.dumps({"p": {**NETWORK, "vgsl": "[1,8,0,1 X]"}}), "X"),
    (json.dumps({"p": {k: v for k, v in NETWORK.items() if k != "vgsl"}}), "vgsl"),
]


@pytest.mark.parametrize(("meta", "field"), BAD_METADATA, ids=lambda text: text[:70])
def test_safetensors_metadata(tmp_path: Path, meta: str, field: str) -> None:
    state = ROMLP(class_mapping={}, level="regions").state_dict()
    path = tmp_path / "x.safetensors"
    save_file({f"p.{k}": v for k, v in state.items()}, path, metadata={"kraken_meta": meta})
    for load in (load_safetensors, load_models):
        with pytest.raises(ValueError) as info:
            load(path)
        assert_clear(info.value, path, field)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda s: s.pop("p.fc1.bias"), "p.fc1.bias"),
        (lambda s: s.update({"p.fc3.bias": torch.zeros(1)}), "p.fc3.bias"),
        (lambda s: s.update({"q.fc1.bias": torch.zeros(1)}), "q.fc1.bias"),
        (lambda s: s.update({"fc1": torch.zeros(1)}), "fc1"),
        (lambda s: s.update({"p.fc1.bias": torch.zeros(3)}), "fc1.bias"),
        (lambda s: s.update({"p.fc1.weight": torch.zeros(28, 14, 1)}), "fc1.weight"),
    ],
)
def test_safetensors_weights(
    tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], Any], part: str
) -> None:
    state = {f"p.{k}": v for k, v in ROMLP(class_mapping={}, level="regions").state_dict().items()}
    change(state)
    path = tmp_path / "x.safetensors"
    save_file(state, path, metadata={"kraken_meta": json.dumps({"p": ENTRY})})
    with pytest.raises(RuntimeError) as info:
        load_safetensors(path)
    assert_clear(info.value, path, part)


def test_weights_of_skipped_models_are_not_unexpected(tmp_path: Path) -> None:
    state = {f"p.{k}": v for k, v in ROMLP(class_mapping={}, level="regions").state_dict().items()}
    path = tmp_path / "x.safetensors"
    save_file(
        state, path, metadata={"kraken_meta": json.dumps({"p": {**ENTRY, "_kraken_min_version": "99.0"}})}
    )
    assert load_safetensors(path) == []
    save_file({**state, "q.x": torch.zeros(1)}, path, metadata={"kraken_meta": json.dumps({"p": ENTRY})})
    with pytest.raises(RuntimeError, match=r"q\.x"):
        load_safetensors(path, tasks=["recognition"])


def test_safetensors_header_lengths(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for size in (0, 1, 2**20, 2**40, 2**63, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", size) + b'{"a": 1}')
        with pytest.raises(ValueError) as info:
            load_safetensors(path)
        assert_clear(info.value, path, "isn't a safetensors file.*header")


# -- CoreML -------------------------------------------------------------------

Message = dict[str, Any]


def texts(message: Message) -> dict[str, Message]:
    return {pair["key"]: pair for pair in message["description"]["metadata"]["userDefined"]}


def set_text(key: str, value: str | None) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        pairs = message["description"]["metadata"]["userDefined"]
        pairs[:] = [pair for pair in pairs if pair["key"] != key]
        if value is not None:
            pairs.append({"key": key, "value": value})

    return change


def layer(message: Message, name: str) -> Message:
    found: Message = next(x for x in message["neuralNetwork"]["layers"] if x["name"] == name)
    return found


def on_layer(name: str, change: Callable[[Message], Any]) -> Callable[[Message], None]:
    return lambda message: change(layer(message, name))


def without_layer(name: str) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        message["neuralNetwork"]["layers"].remove(layer(message, name))

    return change


def shorter(weights: Message) -> None:
    weights["floatValue"] = weights["floatValue"][1:]


BAD_COREML: list[tuple[Callable[[Message], Any], str]] = [
    (set_text("kraken_meta", "{"), "kraken_meta"),
    (set_text("kraken_meta", "[]"), "kraken_meta"),
    (set_text("kraken_meta", DEEP), "kraken_meta"),
    (set_text("kraken_meta", "{}"), "model_type"),
    (set_text("kraken_meta", '{"model_type": ""}'), "model_type"),
    (set_text("kraken_meta", '{"model_type": 3}'), "model_type"),
    (set_text("kraken_meta", '{"model_type": ["recognition"]}'), "model_type"),
    (set_text("kraken_meta", '{"model_type": null}'), "model_type"),
    (set_text("codec", "{"), "codec"),
    (set_text("aux_layers", "{"), "aux_layers"),
    (set_text("aux_layers", "[1]"), "aux_layers"),
    (set_text("aux_layers", '{"ro_model": "x"}'), "ro_model_mlp_lin_0"),
    (set_text("vgsl", "[1,8,0,1 X]"), "X"),
    (set_text("vgsl", "[1,8,0,1 Cr3,3,2]"), "Gn_1"),
    (without_layer("C_0_conv"), "C_0.co"),
    (without_layer("L_3"), "L_3.layer"),
    (without_layer("Gn_1"), "Gn_1.layer"),
    (without_layer("O_7_lin"), "O_7.lin"),
    (lambda m: m["neuralNetwork"].pop("layers"), "missing"),
    (lambda m: m.pop("neuralNetwork"), "missing"),
    (on_layer("C_0_conv", lambda x: x.update(name="C_9_conv")), "C_9_conv"),
    (on_layer("C_0_conv", lambda x: x.pop("name")), "''"),
    (on_layer("C_0_conv", lambda x: shorter(x["convolution"]["weights"])), "C_0_conv.*weights"),
    (on_layer("C_0_conv", lambda x: shorter(x["convolution"]["bias"])), "C_0_conv.*biases"),
    (on_layer("C_0_conv", lambda x: x["convolution"].pop("weights")), "C_0_conv.*no weights"),
    (on_layer("C_0_conv", lambda x: x["convolution"].update(outputChannels=2**60)), "C_0_conv"),
    (on_layer("C_0_conv", lambda x: x["convolution"].update(kernelSize=[3])), "C_0_conv.*kernel"),
    (on_layer("C_0_conv", lambda x: x["convolution"].update(kernelSize=[0, 3])), "C_0_conv.*kernel"),
    (on_layer("C_0_conv", lambda x: x["convolution"].update(nGroups=2)), "C_0_conv.*grouped"),
    (on_layer("C_0_conv", lambda x: x["convolution"].update(kernelSize=[1, 9])), "C_0.co.weight"),
    (on_layer("C_6_conv", lambda x: x["convolution"].pop("outputChannels")), "C_6_conv.*outputChannels"),
    (on_layer("Gn_1", lambda x: x["custom"]["weights"].pop()), "Gn_1"),
    (on_layer("Gn_1", lambda x: x["custom"].pop("parameters")), "Gn_1"),
    (on_layer("Gn_1", lambda x: shorter(x["custom"]["weights"][0])), "Gn_1.*scales"),
    (on_layer("L_3", lambda x: x["biDirectionalLSTM"]["weightParams"].pop()), "L_3.*1 directions"),
    (
        on_layer("L_3", lambda x: shorter(x["biDirectionalLSTM"]["weightParams"][1]["blockInputBiasVector"])),
        "L_3.*blockInputBiasVector",
    ),
    (
        on_layer(
            "L_4_transposed", lambda x: x["uniDirectionalLSTM"]["weightParams"].pop("forgetGateWeightMatrix")
        ),
        "L_4_transposed.*forgetGateWeightMatrix",
    ),
    (on_layer("L_4_transposed", lambda x: x["uniDirectionalLSTM"].pop("params")), "bias_hh_l0"),
    (on_layer("O_7_lin", lambda x: x["innerProduct"].pop("inputChannels")), "O_7_lin.*inputChannels"),
    (on_layer("O_7_lin", lambda x: x["innerProduct"]["weights"].update(rawValue=b"x")), "O_7_lin.*quantised"),
    (on_layer("O_7_lin", lambda x: x["innerProduct"]["weights"].update(quantization={})), "quantised CoreML"),
    (on_layer("O_7_lin", lambda x: x["innerProduct"]["weights"].update(float16Value=b"abc")), "O_7_lin"),
]


@pytest.mark.parametrize("index", range(len(BAD_COREML)))
def test_coreml_damage_is_named(good: dict[str, bytes], tmp_path: Path, index: int) -> None:
    change, part = BAD_COREML[index]
    message = decode(memoryview(good["coreml"]), "Model")
    change(message)
    path = tmp_path / "x.mlmodel"
    path.write_bytes(encode(message, "Model"))
    for load in (load_coreml, load_models):
        with pytest.raises(ValueError) as info:
            load(path)
        assert_clear(info.value, path, part)


def changed(good: dict[str, bytes], path: Path, *changes: Callable[[Message], Any]) -> Path:
    message = decode(memoryview(good["coreml"]), "Model")
    for change in changes:
        change(message)
    path.write_bytes(encode(message, "Model"))
    return path


def test_coreml_tolerance(good: dict[str, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.mlmodel"
    (expected,) = load_coreml(changed(good, path))
    # the spec of the metadata steps in
    (model,) = load_coreml(changed(good, path, set_text("vgsl", None)))
    assert model.user_metadata["vgsl"] == expected.user_metadata["vgsl"]
    (model,) = load_coreml(changed(good, path, set_text("kraken_meta", None)))
    assert model.model_type == ["recognition"]
    assert "no metadata" in caplog.text
    (model,) = load_coreml(changed(good, path, set_text("aux_layers", '{"other": "x"}')))
    assert "'other'" in caplog.text
    with pytest.raises(ValueError, match="no VGSL"):
        load_coreml(changed(good, path, set_text("vgsl", None), set_text("kraken_meta", None)))
    with pytest.warns(DeprecationWarning), pytest.raises(KrakenInvalidModelException, match=r"x\.mlmodel"):
        TorchVGSLModel.load_model(path)
    with pytest.warns(DeprecationWarning), pytest.raises(KrakenInvalidModelException):
        TorchVGSLModel.load_model(tmp_path / "nothing")


def test_coreml_half_precision_weights(good: dict[str, bytes], tmp_path: Path) -> None:
    def halve(message: Message) -> None:
        weights = layer(message, "C_0_conv")["convolution"]["weights"]
        weights["float16Value"] = np.asarray(weights.pop("floatValue"), "<f2").tobytes()

    (expected,) = load_coreml(changed(good, tmp_path / "x.mlmodel"))
    (model,) = load_coreml(changed(good, tmp_path / "x.mlmodel", halve))
    assert torch.equal(model.nn.C_0.co.weight, expected.nn.C_0.co.weight.half().float())


def test_null_model_type_with_codec_is_recognition(
    good: dict[str, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("kraken.lib.codec")
    codec = '{"a": [1], "b": [2]}'
    path = tmp_path / "x.mlmodel"
    for changes in (
        (set_text("kraken_meta", '{"model_type": null}'), set_text("codec", codec)),
        (set_text("kraken_meta", f'{{"model_type": null, "codec": {codec}}}'), set_text("codec", None)),
    ):
        caplog.clear()
        (model,) = load_coreml(changed(good, path, *changes))
        assert model.model_type == ["recognition"]
        assert model.codec is not None
        assert "null" in caplog.text
