"""Forced alignment: rules for cuts, and what happens to lines that can't be aligned."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np
import pytest
import torch

from kraken.configs import RecognitionInferenceConfig
from kraken.containers import BaselineLine, Segmentation
from kraken.lib.codec import PytorchCodec
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.alignment_inference import character_spans
from kraken.models import load_models
from kraken.registry import registry
from kraken.tasks import ForcedAlignmentTaskModel, RecognitionTaskModel
from tests import example_page


@pytest.fixture(scope="module")
def task() -> ForcedAlignmentTaskModel:
    return ForcedAlignmentTaskModel.load_model(example_page.RECOGNITION_MODEL)


def align(task: Any, page: Segmentation, **options: Any) -> list[Any]:
    config = RecognitionInferenceConfig(accelerator="cpu", batch_size=4, **options)
    before = dict(vars(config))
    aligned = task.predict(example_page.image(), page, config)
    assert vars(config) == before
    assert aligned is not page
    assert [line.id for line in aligned.lines] == [line.id for line in page.lines or []]
    return list(aligned.lines)


def page(*texts: str | None, kind: str = "baselines") -> Segmentation:
    """Some lines of the example page with other texts."""
    found = example_page.segmentation(kind)
    lines = [
        dataclasses.replace(line, text=text) for line, text in zip(found.lines or [], texts, strict=False)
    ]
    return dataclasses.replace(found, lines=lines)


# -- cuts ---------------------------------------------------------------------


def test_gaps_are_shared_and_ends_grow() -> None:
    parts = [("a", [1]), ("b", [2]), ("c", [3])]
    symbols = [(1, 10, 11, 0.5), (2, 15, 15, 0.75), (3, 22, 23, 1.0)]
    # gaps of 3 and 6: the left one gets the smaller half; ends grow by half of the median
    assert character_spans(parts, symbols, 40) == [
        ("a", 8, 13, 0.5),
        ("b", 13, 19, 0.75),
        ("c", 19, 26, 1.0),
    ]
    assert character_spans(parts[:1], symbols[:1], 40) == [("a", 10, 12, 0.5)]
    assert character_spans(parts, [(1, 0, 0, 1.0), (2, 9, 9, 1.0), (3, 19, 19, 1.0)], 20)[0][1] == 0
    assert character_spans(parts, [(1, 0, 0, 1.0), (2, 9, 9, 1.0), (3, 19, 19, 1.0)], 20)[-1][2] == 20
    assert character_spans([], [], 5) == []


def test_codes_of_several_characters_and_labels() -> None:
    symbols = [(1, 0, 1, 0.5), (2, 4, 4, 0.8), (3, 6, 8, 0.4)]
    found = character_spans([("ffi", [1]), ("x", [2, 3])], symbols, 9)
    assert found[:3] == [(char, 0, 3, 0.5) for char in "ffi"]
    assert found[3][:3] == ("x", 3, 9)
    assert found[3][3] == pytest.approx((0.8 + 3 * 0.4) / 4)


# -- pages --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["baselines", "bbox"])
def test_every_character_has_its_place(task: ForcedAlignmentTaskModel, kind: str) -> None:
    given = example_page.segmentation(kind)
    for record, line in zip(align(task, given), given.lines or [], strict=True):
        assert record.prediction == line.text
        assert record.failure is None
        assert record._display_order
        assert len(record.cuts) == len(record.confidences) == len(record.prediction)
        ends = np.array([np.ravel(cut)[[0, -2 if kind == "bbox" else -1]] for cut in record._cuts])
        assert (np.diff(ends[:, 0]) >= 0).all()
        assert (ends[:, 1] >= ends[:, 0]).all()
        if kind == "baselines":
            assert (ends[1:, 0] == ends[:-1, 1]).all()
        assert record.logits is None
        assert record.image is None


def test_logits_and_image_on_demand(task: ForcedAlignmentTaskModel) -> None:
    (record,) = align(
        task,
        page("A page that draws itself"),
        return_logits=True,
        return_line_image=True,
        bidi_reordering=False,
    )
    assert record.logits.shape[0] == task.net.output[1]
    assert record.image.size[0] > 100
    assert record._display_order


def test_lines_that_cannot_be_aligned(
    task: ForcedAlignmentTaskModel, caplog: pytest.LogCaptureFixture
) -> None:
    given = page("אבג", None, "", "x" * 500, "ev€ry\u2603 reader")
    given.lines = [
        *(given.lines or []),
        BaselineLine("short", text="abc", baseline=[(0, 0), (1, 0)], boundary=[(0, 0), (1, 0), (1, 1)]),
        BaselineLine("bare", text="abc"),
    ]
    with caplog.at_level(logging.WARNING):
        found = align(task, given)
    assert [record.prediction for record in found] == ["", "", "", "", "ev€ry reader", "", ""]
    for record, reason in zip(
        found, ("none of the 3", "no text", "no text", "500 labels", None, "5px", "boundary"), strict=True
    ):
        assert (record.failure is None) == (reason is None)
        if reason is not None:
            assert reason in record.failure
            assert (list(record.cuts), record.confidences) == ([], [])
            assert any(record.id in m and reason in m for m in caplog.messages)
    assert align(task, page()) == []
    assert all(r.failure for r in align(task, page(None, "")))


def test_errors_of_lines_are_raised_on_demand(task: ForcedAlignmentTaskModel) -> None:
    for texts, message in (
        (("x" * 500, "This page"), "500 labels"),
        (("אבג", "This page"), "none of the 3"),
    ):
        with pytest.raises(KrakenInputException, match=message):
            align(task, page(*texts), raise_on_error=True)
    assert len(align(task, page(None, "This page"), raise_on_error=True)) == 2


def test_page_in_another_script(task: ForcedAlignmentTaskModel) -> None:
    with pytest.raises(ValueError, match="Failed to align 2 lines"):
        align(task, page("אבג", "דהו", None))


def test_base_direction_of_the_text(task: ForcedAlignmentTaskModel) -> None:
    text = "This page, drawn."
    assert align(task, page(text), bidi_reordering="R")[0].prediction == ".This page, drawn"
    assert align(task, page(text), bidi_reordering=True)[0].prediction == text
    task.net.base_dir = "R"
    try:
        assert align(task, page(text))[0].prediction == ".This page, drawn"
        assert align(task, page(text), bidi_reordering="L")[0].prediction == text
        assert align(task, page(text), bidi_reordering="auto")[0].prediction == text
    finally:
        task.net.base_dir = None


def test_repeated_letters_and_codes_of_many(task: ForcedAlignmentTaskModel) -> None:
    net: Any = load_models(example_page.RECOGNITION_MODEL)[0]
    c2l = dict(net.codec.c2l)
    # as if one code stood for two letters, and two labels for one
    c2l["th"] = c2l.pop("t")
    c2l["Œ"] = [*c2l.pop("q"), *c2l.pop("w")]
    net.add_codec(PytorchCodec(c2l))
    text = "th Œth aa"
    (record,) = align(ForcedAlignmentTaskModel([net]), page(text))
    assert record.prediction == text
    assert record._cuts[0] == record._cuts[1]


def test_codec_larger_than_the_output(caplog: pytest.LogCaptureFixture) -> None:
    net: Any = load_models(example_page.RECOGNITION_MODEL)[0]
    net.add_codec(net.codec.add_labels("אבג"))
    found = align(ForcedAlignmentTaskModel([net]), page("אבג", "This page"))
    assert [record.prediction for record in found] == ["", "This page"]
    assert "labels" in found[0].failure
    assert (
        len(
            list(
                RecognitionTaskModel([net]).predict(
                    example_page.image(), page("x"), RecognitionInferenceConfig()
                )
            )
        )
        == 1
    )


def test_models_that_cannot_align() -> None:
    spec = "[1,8,0,1 S1(1x0)1,3 Lbx4 O1c4]"
    for model in (
        TorchVGSLModel(vgsl=spec, model_type=["recognition"]),
        TorchVGSLModel(vgsl="[1,8,0,1 O2l4]", model_type=["recognition"], codec="abc"),
        type("Foreign", (), {"model_type": ["recognition"], "one_channel_mode": None, "seg_type": None})(),
    ):
        with pytest.raises(ValueError, match=r"CTC sequence recognizers with a codec\. .*TorchVGSLModel"):
            ForcedAlignmentTaskModel([model])
    with pytest.raises(ValueError, match="No recognition model in model list"):
        ForcedAlignmentTaskModel([])
    with pytest.raises(ValueError, match="path of the recognition model is empty"):
        ForcedAlignmentTaskModel.load_model("")
    good = TorchVGSLModel(vgsl=spec, model_type=["recognition"], codec="abc")
    assert ForcedAlignmentTaskModel([good]).net is good
    assert registry.load("kraken.tasks", "alignment") is ForcedAlignmentTaskModel


def test_lengths_of_the_output_decide(task: ForcedAlignmentTaskModel) -> None:
    """A labelling that just fits is aligned, one label more isn't."""
    torch.manual_seed(0)
    net = TorchVGSLModel(
        vgsl="[1,8,0,1 S1(1x0)1,3 Lbx4 O1c4]",
        model_type=["recognition"],
        codec="abc",
        legacy_polygons=False,
    )
    line = BaselineLine(
        "l", baseline=[(100, 170), (130, 170)], boundary=[(100, 140), (130, 140), (130, 180), (100, 180)]
    )
    own = ForcedAlignmentTaskModel([net])
    given = page("x")
    given.lines = [line]
    (record,) = align(own, given, padding=0, return_logits=True)
    given.lines = [dataclasses.replace(line, text="ab")]
    (record,) = align(own, given, padding=0, return_logits=True)
    columns = record.logits.shape[1]
    for text, fits in (
        ("abc" * columns, False),
        (("abc" * columns)[:columns], True),
        (("abc" * columns)[: columns + 1], False),
        ("a" * (columns // 2 + columns % 2), True),
        ("a" * (columns // 2 + columns % 2 + 1), False),
    ):
        given.lines = [dataclasses.replace(line, text=text)]
        assert (align(own, given, padding=0)[0].failure is None) == fits
