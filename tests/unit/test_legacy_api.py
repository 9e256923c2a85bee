"""The interfaces of older releases: recogniser objects, line iterators, layout analysis, alignment."""

from __future__ import annotations

import dataclasses
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from kraken.align import forced_align
from kraken.blla import segment
from kraken.containers import Segmentation
from kraken.lib.exceptions import KrakenInputException, KrakenInvalidModelException
from kraken.lib.models import TorchSeqRecognizer, load_any, validate_hyper_parameters
from kraken.lib.ro import ROMLP
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models
from kraken.rpred import mm_rpred, rpred
from kraken.tasks import RecognitionTaskModel, SegmentationTaskModel
from tests import example_page

SPEC = "[1,8,0,1 Cr3,3,4 S1(1x0)1,3 Lbx4 O1c4]"


def network(**fields: Any) -> TorchVGSLModel:
    torch.manual_seed(0)
    fields = {"model_type": ["recognition"], "codec": "abc", "legacy_polygons": False, **fields}
    return TorchVGSLModel(vgsl=SPEC, **fields)


@pytest.fixture(scope="module")
def recognizer() -> TorchSeqRecognizer:
    return load_any(example_page.RECOGNITION_MODEL)


# -- kraken.lib.models --------------------------------------------------------


def test_recognizer_forward() -> None:
    model = TorchSeqRecognizer(network(), temperature=2.0)
    assert (model.kind, model.train, model.device, model.outputs) == ("", False, "cpu", None)
    lines, widths = torch.rand(2, 1, 8, 20), torch.tensor([20, 11])
    with torch.no_grad():
        expected = torch.softmax(model.nn(lines)[0].squeeze(2) / 2, 1).numpy()
    outputs, lengths = model.forward(lines)
    assert outputs.dtype == np.float32
    assert lengths is None
    assert model.outputs is outputs
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    outputs, lengths = model.forward(lines, widths)
    assert lengths is not None
    assert lengths.tolist() == [20, 11]
    labels = model.predict_labels(lines, widths)
    assert model.codec is not None
    decoded = [model.codec.decode(line) for line in labels]
    assert model.predict(lines, widths) == decoded
    assert model.predict_string(lines, widths) == ["".join(c[0] for c in line) for line in decoded]
    assert len(model.predict_string(lines)) == 2
    seen = []
    model.decoder = lambda outputs, lens: seen.append((outputs.shape, list(lens))) or [[], []]
    assert model.predict_string(lines, widths) == ["", ""]
    assert seen == [((2, 4, 20), [20, 11])]


def test_recognizer_modes_and_limits() -> None:
    net = network().train()
    assert TorchSeqRecognizer(net, train=None).nn.training
    assert not TorchSeqRecognizer(net).nn.training
    assert TorchSeqRecognizer(net, train=True).nn.training
    with pytest.raises(ValueError, match="not supported by TorchSeqRecognizer"):
        TorchSeqRecognizer(network(model_type=["segmentation"]))
    TorchSeqRecognizer(network(model_type=[]))
    tall = TorchVGSLModel(vgsl="[1,8,0,1 Cr3,3,4]", model_type=["recognition"])
    with pytest.raises(KrakenInputException, match="Expected dimension 3 to be 1, actual"):
        TorchSeqRecognizer(tall).forward(torch.rand(1, 1, 8, 20))
    with pytest.raises(KrakenInvalidModelException, match="no codec"):
        TorchSeqRecognizer(network(codec=None)).predict(torch.rand(1, 1, 8, 20))


def test_load_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kraken.models import write_coreml, write_safetensors

    write_safetensors([ROMLP(class_mapping={}, level="regions"), network()], tmp_path / "m.safetensors")
    write_coreml([network()], tmp_path / "m.mlmodel")
    monkeypatch.setenv("MODELS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("$MODELS/m.safetensors", "~/m.mlmodel", tmp_path / "m.mlmodel"):
        model = load_any(name)
        assert model.kind == "vgsl"
        assert not model.nn.training
        assert model.codec is not None
    assert load_any(tmp_path / "m.mlmodel", train=True).nn.training
    (tmp_path / "text").write_text("no model")
    for name in ("text", "nothing"):
        with pytest.raises(KrakenInvalidModelException, match=f"File .*{name} not loadable by any") as info:
            load_any(tmp_path / name)
        assert isinstance(info.value.__cause__, ValueError)
    with pytest.raises(ValueError, match=r"Models of type \['segmentation'\] are not supported"):
        load_any(example_page.LAYOUT_MODEL)


def test_validate_hyper_parameters() -> None:
    parameters = {"quit": "fixed", "epochs": 5, "completed_epochs": 5}
    with pytest.warns(UserWarning, match="5 epochs"):
        validate_hyper_parameters(parameters)
    assert parameters["completed_epochs"] == 0
    for untouched in (
        {"quit": "fixed", "epochs": 5, "completed_epochs": 4},
        {"quit": "early", "epochs": 5, "completed_epochs": 9},
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            validate_hyper_parameters(untouched)
        assert untouched["completed_epochs"] > 0


# -- kraken.rpred -------------------------------------------------------------


def tagged(types: list[str | None]) -> Segmentation:
    page = example_page.segmentation()
    lines = [
        dataclasses.replace(line, tags=None if kind is None else {"type": [{"type": kind}]})
        for line, kind in zip(page.lines or [], types, strict=False)
    ]
    return dataclasses.replace(page, lines=lines, script_detection=True)


@pytest.mark.parametrize("kind", ["baselines", "bbox"])
def test_rpred_reads_what_the_task_reads(recognizer: TorchSeqRecognizer, kind: str) -> None:
    page = example_page.segmentation(kind)
    page.lines = list(page.lines or [])[:5]
    with pytest.warns(DeprecationWarning, match="RecognitionTaskModel"):
        found: list[Any] = list(rpred(recognizer, example_page.image(), page))
    task = RecognitionTaskModel([recognizer.nn])
    expected: list[Any] = list(task.predict(example_page.image(), page, recognizer.inference_config()))
    assert [record.prediction for record in found] == [record.prediction for record in expected]
    assert [record._cuts for record in found] == [record._cuts for record in expected]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lines_are_recognised_when_they_are_asked_for(recognizer: TorchSeqRecognizer) -> None:
    page = tagged(["a", "b", None, "a"])
    nets: Any = defaultdict(lambda: recognizer)
    forward, calls = recognizer.nn.forward, []
    recognizer.nn.forward = lambda *args: calls.append(1) or forward(*args)  # type: ignore[method-assign]
    try:
        records = mm_rpred(nets, example_page.image(), page, tags_ignore=["b"])
        assert (len(records), calls) == (4, [])
        assert iter(records) is records
        for expected in (1, 1, 2, 3):
            record: Any = next(records)
            assert len(calls) == expected
            assert bool(record.failure) == (record.id == "line_1")
        with pytest.raises(StopIteration):
            next(records)
    finally:
        del recognizer.nn.forward  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_choice_of_the_recogniser(recognizer: TorchSeqRecognizer, caplog: pytest.LogCaptureFixture) -> None:
    im, page = example_page.image(), tagged(["a", None])
    with pytest.raises(KrakenInputException, match="default"):
        mm_rpred({"a": recognizer}, im, page)
    assert len(list(mm_rpred({"a": recognizer, "default": recognizer}, im, page))) == 2
    page.script_detection = False
    with pytest.raises(ValueError, match="No tags in input data"):
        mm_rpred({"a": recognizer}, im, page)
    page.script_detection = True
    page.lines[0].tags = "nonsense"  # type: ignore[index]
    assert len(list(mm_rpred({"default": recognizer}, im, page))) == 2
    records = mm_rpred({"default": recognizer}, im, page)
    page.lines[1].tags = {"type": [{"type": "late"}]}  # type: ignore[index]
    next(records)
    with pytest.raises(KrakenInputException, match="No model for type late"):
        next(records)
    binary = TorchSeqRecognizer(network(one_channel_mode="1", seg_type="bbox"))
    mm_rpred({"default": binary}, im, tagged([None]))
    assert "non-binary input image" in caplog.text
    assert "bbox are used on lines of type baselines" in caplog.text
    with pytest.raises(ValueError, match="Mixing binary and non-binary"):
        mm_rpred({"default": binary, "a": recognizer}, im, tagged([None]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_recognisers_on_one_page(recognizer: TorchSeqRecognizer) -> None:
    other = TorchSeqRecognizer(network())
    page = tagged(["a", None, "a"])
    found: list[Any] = list(mm_rpred({"default": recognizer, "a": other}, example_page.image(), page))
    assert all(set(found[k].prediction) <= set("abc") for k in (0, 2))
    assert found[1].prediction == page.lines[1].text  # type: ignore[index]


# -- kraken.blla --------------------------------------------------------------


def layout() -> Any:
    return load_models(example_page.LAYOUT_MODEL)[0]


def geometry(page: Segmentation) -> list[Any]:
    return [line.baseline for line in page.lines or []]  # type: ignore[union-attr]


def test_blla_finds_what_the_task_finds_and_a_mask_hides() -> None:
    from kraken.configs import SegmentationInferenceConfig

    im, model = example_page.image(), layout()
    expected = SegmentationTaskModel([model]).predict(im, SegmentationInferenceConfig())
    assert len(expected.lines or []) == 15
    with pytest.warns(DeprecationWarning, match="SegmentationTaskModel"):
        assert geometry(segment(im, model=model)) == geometry(expected)
    half = Image.new("1", im.size, 1)
    half.paste(0, (0, 0, im.width, 700))
    with pytest.warns(DeprecationWarning):
        masked = segment(im, model=model, mask=half)
    assert 0 < len(masked.lines or []) < 15
    assert min(y for line in geometry(masked) for _, y in line) > 690
    for mask, text in (
        (im, "not bitonal"),
        (Image.new("1", (10, 20), 1), r"10x20 px doesn't fit the page of 1000x1400"),
    ):
        with pytest.warns(DeprecationWarning), pytest.raises(KrakenInputException, match=text):
            segment(im, model=model, mask=mask)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_blla_models() -> None:
    im, model = example_page.image(), layout()
    both = segment(im, model=[model, layout()])
    assert len(both.lines or []) == 30
    for wrong, text in (
        ("model", "Invalid model type str"),
        ([], "empty list"),
        (network(), "Invalid model type"),
        (network(model_type=["segmentation"]), "class_mapping"),
    ):
        with pytest.raises(KrakenInvalidModelException, match=text):
            segment(im, model=wrong)  # type: ignore[arg-type]
    model.hyper_params = {"padding": [20, 10]}
    padded = segment(im, model=model)
    assert len(padded.lines or []) == 15
    assert geometry(padded) != geometry(segment(im, model=layout()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_blla_orders_with_auxiliary_layers() -> None:
    im, model = example_page.image(), layout()
    torch.manual_seed(3)
    mapping = model.user_metadata["class_mapping"]["baselines"]
    model.aux_layers = {"ro_model": ROMLP(class_mapping=mapping, level="baselines")}
    page = segment(im, model=model)
    assert [sorted(order) for order in page.line_orders or []] == [list(range(15))]
    assert geometry(segment(im, model=model, autocast=True))


# -- kraken.align -------------------------------------------------------------


def test_forced_align(recognizer: TorchSeqRecognizer, tmp_path: Path) -> None:
    example_page.image().save(tmp_path / "page.png")
    page = dataclasses.replace(example_page.segmentation(), imagename=tmp_path / "page.png")
    page.lines = list(page.lines or [])[:3]
    with pytest.warns(DeprecationWarning, match="ForcedAlignmentTaskModel"):
        aligned = forced_align(page, recognizer)
    assert [record.prediction for record in aligned.lines] == [line.text for line in page.lines]  # type: ignore
    page.lines[1].text = "אבג"
    with pytest.warns(DeprecationWarning), pytest.raises(ValueError, match=r"line_1.*codec has no char"):
        forced_align(page, recognizer)
    page.lines[1].text = None
    with pytest.warns(DeprecationWarning):
        assert forced_align(page, recognizer).lines[1].prediction == ""  # type: ignore
