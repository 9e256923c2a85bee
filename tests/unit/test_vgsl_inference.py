"""Making networks ready for inference."""

from __future__ import annotations

import logging
import sys
import threading
import types
from typing import Any

import pytest
import torch

pytest.importorskip("kraken.lib.ctc_decoder")
pytest.importorskip("kraken.lib.segmentation")

from kraken.configs import Config, RecognitionInferenceConfig, SegmentationInferenceConfig
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl import TorchVGSLModel, inference

SPEC = "[1,8,0,1 Cr3,3,4 Gn2 S1(1x0)1,3 Lbx4 Do O1c5]"


def recogniser() -> TorchVGSLModel:
    return TorchVGSLModel(vgsl=SPEC, model_type=["recognition"])


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(3, 1, 8, 20), torch.tensor([20, 15, 9])


@pytest.mark.parametrize(
    ("model_type", "config"),
    [
        ("segmentation", RecognitionInferenceConfig),
        ("recognition", SegmentationInferenceConfig),
        (None, RecognitionInferenceConfig),
    ],
)
def test_config_of_another_task_is_refused(model_type: str | None, config: type[Config]) -> None:
    model = TorchVGSLModel(vgsl=SPEC, model_type=model_type)
    with pytest.raises(ValueError, match=f"Got incompatible {config.__name__}."):
        model.prepare_for_inference(config())


@pytest.mark.parametrize(
    ("precision", "dtype", "tolerance"),
    [
        ("32-true", torch.float32, 0),
        ("64-true", torch.float64, 1e-5),
        ("bf16-true", torch.bfloat16, 0.1),
        ("bf16-mixed", torch.float32, 0.1),
        ("16-true", torch.float32, 0.0),
        ("16-mixed", torch.float32, 0.0),
    ],
)
def test_precisions(precision: str, dtype: torch.dtype, tolerance: float) -> None:
    model = recogniser()
    x, lengths = batch()
    with torch.no_grad():
        expected, _ = model.eval()(x, lengths)
    model.prepare_for_inference(RecognitionInferenceConfig(precision=precision, accelerator="cpu"))
    y, out = model.infer(x, lengths)
    assert next(model.parameters()).dtype == dtype
    assert y.dtype == (torch.float64 if precision == "64-true" else torch.float32)
    assert (y - expected).abs().max() <= tolerance
    assert out.tolist() == lengths.tolist()


def test_half_precision_on_a_cpu_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        recogniser().prepare_for_inference(RecognitionInferenceConfig(precision="16-true", accelerator="cpu"))
    assert "16-true" in caplog.text


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "8-true"},
        {"precision": "transformer-engine"},
        {"accelerator": "abacus"},
        {"accelerator": "tpu"},
        {"device": "abacus"},
        {"device": []},
        {"device": -7},
    ],
)
def test_impossible_settings_leave_the_model_alone(settings: dict[str, Any]) -> None:
    model = recogniser()
    with pytest.raises(ValueError):
        model.prepare_for_inference(RecognitionInferenceConfig(**settings))
    assert model.training
    assert model._inference_config is None


def test_devices() -> None:
    for device in ("auto", 0, 3, [1, 2], "0", "-1", "cpu", None):
        assert inference.resolve_device("cpu", device).type == "cpu"
    assert inference.resolve_device("auto", "cpu").type == "cpu"
    if not torch.cuda.is_available():
        for args in (("cuda", 0), ("auto", "cuda:0")):
            with pytest.raises(ValueError, match="isn't available"):
                inference.resolve_device(*args)


def test_repetition_keeps_the_state() -> None:
    model = recogniser()
    config = RecognitionInferenceConfig(accelerator="cpu")
    model.prepare_for_inference(config)
    state = model._inference_state
    again = RecognitionInferenceConfig(accelerator="cpu", temperature=2.0)
    model.train()
    model.prepare_for_inference(again)
    assert model._inference_state is state
    assert model._inference_config is again
    assert not model.training
    # someone moved the weights: they have to come back
    model.double()
    model.prepare_for_inference(config)
    assert next(model.parameters()).dtype == torch.float32


def test_threads_are_limited_and_restored() -> None:
    model = recogniser()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    seen = []
    model.nn[0].register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    try:
        for count in (1, 0, 8):
            model.prepare_for_inference(RecognitionInferenceConfig(accelerator="cpu", num_threads=count))
            model.infer(*batch())
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 2, 2]


def test_threads_are_restored_when_uses_overlap() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with inference.limited_threads(1):
            inside.set()
            leave.wait(10)

    try:
        worker = threading.Thread(target=first)
        worker.start()
        inside.wait(10)
        with inference.limited_threads(1):
            leave.set()
            worker.join()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_inference_has_no_gradients_and_needs_preparation() -> None:
    model = recogniser()
    with pytest.raises(ValueError, match="prepare_for_inference"):
        model.infer(*batch())
    model.prepare_for_inference(RecognitionInferenceConfig(accelerator="cpu"))
    assert not model.infer(*batch())[0].requires_grad


def test_failing_compilation_falls_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[dict[str, Any]] = []

    def compile_(net: Any, **kwargs: Any) -> Any:
        asked.append(kwargs)

        def run(*_: Any) -> Any:
            raise RuntimeError("no compiler")

        return run

    monkeypatch.setattr(torch, "compile", compile_)
    model = recogniser()
    model.prepare_for_inference(RecognitionInferenceConfig(accelerator="cpu", compile={"mode": "default"}))
    x, lengths = batch()
    with caplog.at_level(logging.WARNING):
        y, _ = model.infer(x, lengths)
    assert asked == [{"mode": "default"}]
    assert "no compiler" in caplog.text
    with torch.inference_mode():
        assert torch.equal(y, model(x, lengths)[0])


def test_bad_input_is_no_failure_of_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda net, **_: net)
    model = TorchVGSLModel(vgsl="[1,8,0,1 Lbx3]", model_type=["recognition"])
    model.prepare_for_inference(RecognitionInferenceConfig(accelerator="cpu", compile={}))
    with pytest.raises(KrakenInputException):
        model.infer(*batch())


def test_predict_goes_where_the_task_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = types.ModuleType("kraken.lib.vgsl.recognition_inference")
    lines.predict_lines = lambda model, im, segmentation: ("lines", im, segmentation)  # type: ignore[attr-defined]
    page = types.ModuleType("kraken.lib.vgsl.segmentation_inference")
    page.predict_page = lambda model, im: ("page", im)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, lines.__name__, lines)
    monkeypatch.setitem(sys.modules, page.__name__, page)
    model: Any = TorchVGSLModel(vgsl=SPEC, model_type=["segmentation"])
    assert model.predict(im="im") == ("page", "im")
    assert isinstance(model._inference_config, SegmentationInferenceConfig)
    model.model_type = ["segmentation", "recognition"]
    assert model.predict(im="im", segmentation="seg") == ("lines", "im", "seg")
    with pytest.raises(ValueError, match="segmentation of the page"):
        model.predict(im="im")
    with pytest.raises(ValueError, match="neither"):
        TorchVGSLModel(vgsl=SPEC).predict(im="im")  # type: ignore[arg-type]


@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_weights_below_the_normal_range_become_zero(precision: str) -> None:
    model = recogniser()
    first = next(p for p in model.parameters() if p.dim() == 4)
    with torch.no_grad():
        first.view(-1)[:3] = torch.tensor([1e-40, -1e-42, 2e-38])
        x, lengths = batch()
        expected, _ = model.eval()(x, lengths)
    model.prepare_for_inference(RecognitionInferenceConfig(precision=precision, accelerator="cpu"))
    kept = first.detach().view(-1)[:3].tolist()
    # all of these are normal numbers of 64 bits
    assert kept[:2] == ([0, 0] if precision == "32-true" else pytest.approx([1e-40, -1e-42], rel=1e-3, abs=0))
    assert kept[2] == pytest.approx(2e-38)
    torch.testing.assert_close(model.infer(x, lengths)[0].float(), expected, atol=1e-5, rtol=0)


def test_weights_loaded_in_inference_mode_become_zero_too() -> None:
    with torch.inference_mode():
        model = recogniser()
        weights = next(p for p in model.parameters() if p.dim() == 4)
        weights.view(-1)[0] = 1e-40
    model.prepare_for_inference(RecognitionInferenceConfig(accelerator="cpu"))
    assert weights.view(-1)[0] == 0
