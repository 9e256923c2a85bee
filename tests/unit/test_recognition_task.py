"""Recognition tasks: several models, directions in metadata, precision, devices, compilation."""

from __future__ import annotations

import dataclasses
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from kraken.configs import RecognitionInferenceConfig, SegmentationInferenceConfig
from kraken.configs.base import ModelDefault
from kraken.containers import BBoxLine, Segmentation
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import load_models, write_models
from kraken.tasks import RecognitionTaskModel, SegmentationTaskModel, TaggedRecognitionTaskModel
from kraken.tasks.recognition import line_type
from tests import example_page


def tiny() -> Any:
    return load_models(example_page.RECOGNITION_MODEL)[0]


def random_network() -> Any:
    torch.manual_seed(0)
    return TorchVGSLModel(
        vgsl="[1,12,0,1 Cr3,3,4 S1(1x0)1,3 Lbx8 O1c4]",
        model_type=["recognition"],
        codec="xyz",
        legacy_polygons=False,
        seg_type="bbox",
    )


def page(*types: str | None) -> Segmentation:
    found = example_page.segmentation()
    lines = [
        dataclasses.replace(line, tags=None if kind is None else {"type": [{"type": kind}]})
        for line, kind in zip(found.lines or [], types, strict=False)
    ]
    return dataclasses.replace(found, lines=lines)


def read(task: Any, bounds: Segmentation, **options: Any) -> list[Any]:
    config = RecognitionInferenceConfig(**{"accelerator": "cpu", "batch_size": 4, **options})
    return list(task.predict(example_page.image(), bounds, config))


# -- a model per type of line -------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, "default"),
        ({}, "default"),
        ({"type": []}, "default"),
        ({"type": "heading"}, "default"),
        ({"type": [{"type": None}]}, "default"),
        ("text", "default"),
        ({"type": [{"type": "a"}, {"type": "b"}]}, "a"),
    ],
)
def test_line_type(tags: Any, expected: str) -> None:
    assert line_type(BBoxLine("l", tags=tags)) == expected


def test_each_line_is_read_by_the_model_of_its_type(caplog: pytest.LogCaptureFixture) -> None:
    net, other = tiny(), random_network()
    bounds = page("a", None, "b", "c", "a", None)
    task = TaggedRecognitionTaskModel({"default": net, "a": other, "b": None, "d": net})
    records = read(task, bounds)
    alone = read(RecognitionTaskModel([net]), bounds)
    assert [record.id for record in records] == [line.id for line in bounds.lines or []]
    for k in (1, 3, 5):
        assert records[k].prediction == alone[k].prediction == bounds.lines[k].text  # type: ignore[index]
    for k in (0, 4):
        assert set(records[k].prediction) <= set("xyz")
    assert records[2].prediction == ""
    assert "type b" in records[2].failure
    assert task.seg_type is None
    assert TaggedRecognitionTaskModel({"a": net, "b": net}).seg_type == "baselines"
    assert "No model" not in caplog.text


def test_types_without_model(caplog: pytest.LogCaptureFixture) -> None:
    task = TaggedRecognitionTaskModel({"a": tiny()})
    records = read(task, page("a", None, "b"))
    assert [bool(record.prediction) for record in records] == [True, False, False]
    assert "No model for lines of type b, default" in caplog.text
    with pytest.raises(KrakenInputException, match="type b"):
        read(task, page("a", "b"), raise_on_error=True)
    for models in ({}, {"a": None}, {"a": load_models(example_page.LAYOUT_MODEL)[0]}):
        with pytest.raises(ValueError, match=r"[Rr]ecognition"):
            TaggedRecognitionTaskModel(models)


def test_failed_lines_are_empty_records_with_the_reason() -> None:
    bounds = example_page.segmentation("bbox")
    bounds.lines = [
        *(bounds.lines or [])[:2],
        BBoxLine("out", bbox=(2000, 0, 5000, 10)),
        BBoxLine("none"),
        BBoxLine("white", bbox=(0, 0, 0, 40)),
    ]
    records = read(RecognitionTaskModel([tiny()]), bounds)
    assert [record.failure is None for record in records] == [True, True, False, False, False]
    assert "outside of image" in records[2].failure
    assert "No bounding box" in records[3].failure


# -- directions ---------------------------------------------------------------


def test_directions_are_stored_with_the_model(tmp_path: Path) -> None:
    net = random_network()
    assert (net.base_dir, net.text_direction) == (None, None)
    net.base_dir, net.text_direction = "R", "vertical-rl"
    for name in ("m.safetensors", "m.mlmodel"):
        model: Any
        (model,) = load_models(write_models([net], tmp_path / name))
        assert (model.base_dir, model.text_direction) == ("R", "vertical-rl")
        assert model.user_metadata["base_dir"] == "R"
        assert model.user_metadata["text_direction"] == "vertical-rl"
    with pytest.raises(ValueError, match="base_dir 'X'"):
        net.base_dir = "X"
    with pytest.raises(ValueError, match="horizontal-lr"):
        net.text_direction = "up"
    # what another program wrote there doesn't matter
    net.user_metadata.update(base_dir=3, text_direction=["up"])
    assert (net.base_dir, net.text_direction) == (None, None)


def test_base_direction_of_the_model_orders_text() -> None:
    net = tiny()
    bounds = example_page.segmentation()
    bounds.lines = [(bounds.lines or [])[3]]
    text = bounds.lines[0].text
    assert text is not None
    assert text.endswith(",")
    task = RecognitionTaskModel([net])
    assert read(task, bounds)[0].prediction == text
    net.base_dir = "R"
    right = read(task, bounds)[0]
    assert right.prediction == "," + text[:-1]
    assert right.base_dir == "R"
    for order, expected in (("L", text), ("auto", text), (False, text), ("R", "," + text[:-1])):
        assert read(task, bounds, bidi_reordering=order)[0].prediction == expected


def test_text_direction_of_the_model_holds_if_none_is_given() -> None:
    net = load_models(example_page.LAYOUT_MODEL)[0]
    task = SegmentationTaskModel([net])
    config = SegmentationInferenceConfig()

    def direction(config: Any) -> str:
        found = task.predict(example_page.image(), config).text_direction
        assert type(found) is str
        return found

    assert direction(config) == "horizontal-lr"
    net.text_direction = "horizontal-rl"  # type: ignore[attr-defined]
    assert direction(config) == "horizontal-rl"
    assert config.text_direction == "horizontal-lr"
    assert isinstance(config.text_direction, ModelDefault)
    assert direction(pickle.loads(pickle.dumps(config))) == "horizontal-rl"
    given = SegmentationInferenceConfig(text_direction="horizontal-lr")
    assert direction(given) == "horizontal-lr"
    assert direction(pickle.loads(pickle.dumps(given))) == "horizontal-lr"


# -- precision, device, threads, compilation ----------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "64-true"},
        {"precision": "bf16-true"},
        {"precision": "bf16-mixed"},
        {"precision": "16-mixed"},
        {"precision": "16-true"},
        {"device": "cpu", "accelerator": "auto"},
        {"device": [0]},
        {"num_threads": 2, "num_line_workers": 2},
        {"num_line_workers": 0},
    ],
    ids=str,
)
def test_settings_keep_the_text(options: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    net = tiny()
    types, threads = set(), torch.get_num_threads()
    net.nn[-1].register_forward_pre_hook(lambda _, args: types.add(args[0].dtype))
    bounds = page(*[None] * 3)
    with caplog.at_level(logging.WARNING):
        records = read(RecognitionTaskModel([net]), bounds, **options)
    wrong = sum(
        record.prediction != line.text for record, line in zip(records, bounds.lines or [], strict=True)
    )
    assert wrong <= ("bf16" in options.get("precision", ""))
    assert torch.get_num_threads() == threads
    assert all(type(c) is float for record in records for c in record.confidences)
    expected = {
        "64-true": torch.float64,
        "bf16-true": torch.bfloat16,
        "bf16-mixed": torch.bfloat16,
    }.get(options.get("precision", ""), torch.float32)
    assert types == {expected}
    assert ("unstable" in caplog.text) == (options.get("precision") in ("bf16-true", "16-true"))


def test_compilation_is_asked_for_and_used(caplog: pytest.LogCaptureFixture) -> None:
    net = tiny()
    calls: list[int] = []

    def backend(graph: Any, _: Any) -> Any:
        calls.append(1)
        return graph.forward

    bounds = page(None, None)
    records = read(RecognitionTaskModel([net]), bounds, compile={"backend": backend})
    assert calls
    assert "compiled network failed" not in caplog.text
    assert [record.prediction for record in records] == [line.text for line in bounds.lines or []]


def test_impossible_devices_are_refused_before_any_work() -> None:
    task = RecognitionTaskModel([tiny()])
    for options in ({"accelerator": "abacus"}, {"device": "cuda:99"}, {"precision": "4-true"}):
        with pytest.raises(ValueError):
            next(iter(task.predict(None, page(None), RecognitionInferenceConfig(**options))))  # type: ignore
