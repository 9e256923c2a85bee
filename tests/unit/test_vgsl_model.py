"""The network class: metadata, editing, initial weights."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch
from torch import nn

from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks.init import without_initialisation

REC = "[1,16,0,1 Cr3,3,4 Gn2 S1(1x0)1,3 Lbx6 Do O1c5]"


def test_vgsl_keyword_is_mandatory() -> None:
    with pytest.raises(ValueError, match="vgsl specification argument is missing"):
        TorchVGSLModel(codec={})


def test_metadata_starts_with_defaults_and_keeps_unknown_fields() -> None:
    model = TorchVGSLModel(vgsl=REC, model_type="recognition", mine={"a": 1})
    assert list(model.user_metadata)[:5] == [
        "accuracy",
        "metrics",
        "seg_type",
        "one_channel_mode",
        "model_type",
    ]
    assert model.user_metadata["mine"] == {"a": 1}
    assert model.user_metadata["vgsl"].startswith("[1,16,0,1 Cr{C_0}3,3,4")
    assert model.model_type == ["recognition"]
    assert (model.codec, model.hyper_params, model.use_legacy_polygons) == (None, {}, True)
    assert (model.seg_type, model.one_channel_mode) == (None, None)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("one_channel_mode", ["1", "L", None], "RGB"),
        ("seg_type", ["bbox", "baselines", None], "boxes"),
        ("model_type", [["recognition"], ["segmentation", "recognition"], []], ["reading_order"]),
    ],
)
def test_setters_check(name: str, good: list[object], bad: object) -> None:
    model = TorchVGSLModel(vgsl=REC)
    for value in good:
        setattr(model, name, value)
        assert getattr(model, name) == model.user_metadata[name] == value
    with pytest.raises(ValueError):
        setattr(model, name, bad)


def test_other_setters() -> None:
    model = TorchVGSLModel(vgsl=REC)
    model.hyper_params = {"a": 1}
    model.hyper_params = {"b": 2}
    assert model.user_metadata["hyper_params"] == {"a": 1, "b": 2}
    model.use_legacy_polygons = False
    assert model.user_metadata["legacy_polygons"] is False
    model.aux_layers = nn.ModuleDict({"ro_model": nn.Linear(2, 1)})
    model.aux_layers = {"ro_model_regions": nn.Linear(2, 1)}
    assert list(model.aux_layers) == ["ro_model", "ro_model_regions"]
    assert not any("ro_model" in key for key in model.state_dict())


def test_codec_forms() -> None:
    codec = pytest.importorskip("kraken.lib.codec")
    mapping = {"a": [1], "b": [2]}
    for given, kept in (
        (mapping, mapping),
        ('{"a": [1], "b": [2]}', mapping),
        ("ab", "ab"),
        (["b", "a"], ["b", "a"]),
    ):
        model = TorchVGSLModel(vgsl=REC, codec=given)
        assert {k: list(v) for k, v in model.codec.c2l.items()} == mapping
        assert model.user_metadata["codec"] == kept
    for nothing in (None, "null"):
        model = TorchVGSLModel(vgsl=REC, codec=nothing)
        assert model.codec is model.user_metadata["codec"] is None
    model.add_codec(codec.PytorchCodec(mapping))
    assert model.user_metadata["codec"] == mapping
    assert model.codec.c2l == mapping


def test_layers_are_reachable_by_name_and_index() -> None:
    model = TorchVGSLModel(vgsl=REC)
    assert model.nn.C_0 is model.nn[0]
    assert model.nn[-1] is model.nn.O_5
    assert [name for name, _ in model.nn[:2].named_children()] == ["C_0", "Gn_1"]


def test_initial_weights() -> None:
    model = TorchVGSLModel(vgsl=REC)
    conv, norm, lstm, lin = model.nn.C_0.co, model.nn.Gn_1.layer, model.nn.L_3.layer, model.nn.O_5.lin
    assert 0 < conv.weight.abs().max() <= 0.1
    assert 0 < conv.bias.abs().max() <= 0.1
    assert norm.weight.eq(1).all()
    assert norm.bias.eq(0).all()
    assert lin.bias.eq(0).all()
    assert lin.weight.abs().max() <= math.sqrt(6 / (5 + 12))
    w = lstm.weight_hh_l0.detach()
    np.testing.assert_allclose((w.T @ w).numpy(), np.eye(6), atol=1e-5)
    for bias in (lstm.bias_ih_l0, lstm.bias_hh_l0_reverse):
        assert bias[6:12].eq(1).all()
        assert not bias[:6].eq(1).any()
    before = model.state_dict()["nn.O_5.lin.weight"].clone(), conv.weight.clone()
    model.init_weights(slice(-1, None))
    assert not torch.equal(before[0], lin.weight)
    assert torch.equal(before[1], conv.weight)


def test_initialisation_can_be_left_out_inside_a_block_only() -> None:
    with without_initialisation():
        model = TorchVGSLModel(vgsl=REC)
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert TorchVGSLModel(vgsl=REC).nn.Gn_1.layer.weight.eq(1).all()


def test_no_activation_on_logits() -> None:
    for spec in ("[1,4,0,1 Cs1,1,3]", "[1,4,0,1 O2l3]", "[1,4,0,1 O1s3]"):
        model = TorchVGSLModel(vgsl=spec)
        for param in model.parameters():
            nn.init.constant_(param, 2.0)
        for training in (True, False):
            y, _ = model.train(training)(torch.ones(1, 1, 4, 2))
            assert y.eq(4).all()
    model = TorchVGSLModel(vgsl="[1,4,0,1 O2s3]")
    np.testing.assert_allclose(model(torch.ones(1, 1, 4, 2))[0].sum(1).detach().numpy(), 1, atol=1e-6)


def test_append_to_all_layers_and_behind_groups() -> None:
    model = TorchVGSLModel(vgsl="[1,16,0,1 (Cr3,3,2 [Cr3,3,2 Do]) Cr3,3,4 I]")
    kept = next(model.nn[0].parameters()).clone()
    model.append(2, "[Gn2 (I I) O2l3]")
    assert model.spec == (
        "[1,16,0,1 (Cr{C_0}3,3,2 [Cr{C_1}3,3,2 Do{Do_2}]) Cr{C_3}3,3,4 Gn{Gn_4}2 (I{I_5} I{I_6}) O{l_7}2l3]"
    )
    assert model.output == (1, 3, 16, 0)
    assert isinstance(model.criterion, nn.BCEWithLogitsLoss)
    assert torch.equal(kept, next(model.nn[0].parameters()))
    assert list(TorchVGSLModel(vgsl=model.spec).state_dict()) == list(model.state_dict())
    model = TorchVGSLModel(vgsl="[1,16,0,1 Cr3,3,4]")
    model.append(None, "[O2l3]")
    assert model.spec == "[1,16,0,1 Cr{C_0}3,3,4 O{l_1}2l3]"
    assert model(torch.zeros(1, 1, 16, 5))[0].shape == (1, 3, 16, 5)


@pytest.mark.parametrize("args", [(9, "[I]"), (1, "I"), (1, "[Gn3]"), (1, "[]"), (1, "[I{C_0}]")])
def test_failed_append_changes_nothing(args: tuple[int, str]) -> None:
    model = TorchVGSLModel(vgsl="[1,16,0,1 Cr3,3,4 Do O2l2]")
    before = (model.spec, list(model.state_dict()), model.output, dict(model.user_metadata))
    with pytest.raises(ValueError):
        model.append(*args)
    assert before == (model.spec, list(model.state_dict()), model.output, dict(model.user_metadata))


@pytest.mark.parametrize("output", ["O1c5", "O2l5", "O1ca5"])
def test_resize_keeps_rows_in_order(output: str) -> None:
    model = TorchVGSLModel(vgsl=f"[1,1,0,3 {output}]")
    weight, _ = (p.detach().clone() for p in model.nn[-1].parameters())
    with torch.no_grad():
        list(model.nn[-1].parameters())[1].copy_(torch.arange(5.0))
    model.resize_output(6, [1, 3])
    new_weight, new_bias = (p.detach() for p in model.nn[-1].parameters())
    assert torch.equal(new_weight[:3], weight[[0, 2, 4]])
    assert new_bias.tolist() == [0, 2, 4, 0, 0, 0]
    assert new_weight[3:].abs().min() > 0
    assert model.output == (1, 6, 1, 0)
    assert model.user_metadata["vgsl"] == model.spec
    (name,) = dict(model.nn.named_children())
    assert model.spec.endswith(f" O{{{name}}}{output[1:-1]}6]")
    assert model(torch.zeros(2, 3, 1, 4))[0].shape == (2, 6, 1, 4)
    for n, drop in ((5, None), (0, range(6)), (7, [6]), (7, [-1])):
        with pytest.raises(ValueError):
            model.resize_output(n, drop)


def test_resize_needs_an_output_layer() -> None:
    with pytest.raises(ValueError, match="neither linear nor convolutional"):
        TorchVGSLModel(vgsl="[1,1,0,3 O1c5 Do]").resize_output(4)
    with pytest.raises(ValueError, match="no output layer"):
        TorchVGSLModel(vgsl="[1,1,0,3 Cr3,3,5]").resize_output(4)


def test_direction_r_warns_and_runs_forward(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = TorchVGSLModel(vgsl="[1,1,0,3 Lrx5]")
    assert "direction r" in caplog.text
    other = TorchVGSLModel(vgsl="[1,1,0,3 Lfx5]")
    other.load_state_dict(model.state_dict())
    x = torch.rand(1, 3, 1, 7)
    assert torch.equal(model(x)[0], other(x)[0])


def test_names_that_modules_cant_have() -> None:
    with pytest.raises(ValueError, match="train"):
        TorchVGSLModel(vgsl="[1,1,0,3 I{train}]")
