"""The layout task: checks of its models, merged results, neural orders."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from kraken.configs import SegmentationInferenceConfig
from kraken.containers import BaselineLine, BBoxLine, Region, Segmentation
from kraken.lib.exceptions import KrakenInvalidModelException
from kraken.models import bundled
from kraken.tasks import RecognitionTaskModel, SegmentationTaskModel
from kraken.tasks.segmentation import merge_segmentations

CLASSES = {"aux": {"_start_separator": 0, "_end_separator": 1}, "baselines": {"default": 2}, "regions": {}}


def _line(name: str, y: int, x: int = 0) -> BaselineLine:
    box = [[x, y - 5], [x + 50, y - 5], [x + 50, y + 5], [x, y + 5]]
    return BaselineLine(name, baseline=[[x, y], [x + 50, y]], boundary=box)


def _result(lines: list[Any], regions: dict[str, list[Region]] | None = None, **options: Any) -> Segmentation:
    fields: dict[str, Any] = {
        "type": "baselines",
        "text_direction": "horizontal-lr",
        "script_detection": False,
    }
    return Segmentation(imagename=None, lines=lines, regions=regions, **{**fields, **options})


def _model(result: Segmentation | None = None, kind: str = "segmentation", **metadata: Any) -> Any:
    return SimpleNamespace(
        model_type=[kind],
        user_metadata={"class_mapping": CLASSES, **metadata},
        prepare_for_inference=lambda config: None,
        predict=lambda im: result,
    )


def test_models_of_other_kinds_are_ignored_but_one_must_fit() -> None:
    task = SegmentationTaskModel([_model(kind="recognition"), _model()])
    assert len(task.seg_models) == 1 and task.ro_models == []
    with pytest.raises(ValueError, match="No segmentation models in model list: found recognition"):
        SegmentationTaskModel([_model(kind="recognition")])
    with pytest.raises(ValueError, match="No recognition model in model list"):
        RecognitionTaskModel([_model()])


def test_reading_order_models_must_fit_the_layout_model() -> None:
    fit = {"level": "baselines", "class_mapping": {"default": 2}}
    with pytest.raises(ValueError, match="Multiple reading order models at level `baselines`"):
        SegmentationTaskModel([_model(), *[_model(kind="reading_order", **fit)] * 2])
    other = {"level": "baselines", "class_mapping": {"heading": 2}}
    with pytest.raises(ValueError, match=r"does not match segmentation model.*heading"):
        SegmentationTaskModel([_model(), _model(kind="reading_order", **other)])


def test_models_of_the_package_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "segmentation" in SegmentationTaskModel.load_model().seg_models[0].model_type
    assert "recognition" in RecognitionTaskModel.load_model().net.model_type
    with pytest.raises(ValueError, match="is empty"):
        RecognitionTaskModel.load_model("")
    monkeypatch.setattr(bundled, "BUNDLED", ())
    for task in (SegmentationTaskModel, RecognitionTaskModel):
        with pytest.raises(KrakenInvalidModelException, match="segment -i MODEL"):
            task.load_model()


def test_the_first_model_that_exists_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "ASSETS", tmp_path)
    (tmp_path / "tiny_layout.safetensors").touch()
    assert bundled.default_model("segmentation").name == "tiny_layout.safetensors"
    (tmp_path / "layout.safetensors").touch()
    assert bundled.default_model("segmentation").name == "layout.safetensors"
    for name in ("layout", "layout.safetensors"):
        found = bundled.find_bundled(name)
        assert found is not None and found.path == tmp_path / "layout.safetensors"
    assert bundled.find_bundled("latin-print") is None


@pytest.mark.parametrize("direction", ["diagonal-lr", "horizontal-up", "horizontal", ""])
def test_directions_are_checked_before_the_network_runs(direction: str) -> None:
    task = SegmentationTaskModel([_model()])
    with pytest.raises(ValueError, match="Invalid text direction"):
        task.predict(Image.new("L", (9, 9)), SegmentationInferenceConfig(text_direction=direction))


def test_results_of_several_models_are_merged(caplog: pytest.LogCaptureFixture) -> None:
    region = Region("r", boundary=[[0, 0], [60, 0], [60, 60], [0, 60], [0, 0]])
    first = _result([_line("low", 90)], {"text": []}, language=["fra"])
    second = _result([_line("high", 30)], {"text": [region], "note": []}, language=["lat", "fra"])
    task = SegmentationTaskModel([_model(first), _model(second)])
    merged = task.predict(Image.new("L", (99, 99)), SegmentationInferenceConfig())
    assert [line.id for line in merged.lines] == ["high", "low"]
    assert [line.regions for line in merged.lines] == [["r"], []]
    assert {name: len(group) for name, group in merged.regions.items()} == {"text": 1, "note": 0}
    assert merged.language == ["fra", "lat"]
    assert "Multiple models produced line output" in caplog.text
    assert first.lines[0].regions is None, "the parts must not change"


def test_boxes_and_baselines_do_not_mix() -> None:
    box = _result([BBoxLine("b", bbox=(0, 0, 9, 9))], type="bbox")
    with pytest.raises(ValueError, match="Mixed line data models"):
        merge_segmentations([box, _result([_line("a", 9)])], SegmentationInferenceConfig())


def test_boxes_are_assigned_by_their_centre() -> None:
    region = Region("r", boundary=[[0, 0], [60, 0], [60, 60], [0, 60]])
    part = _result([BBoxLine("b", bbox=(10, 10, 50, 50))], {"text": [region]}, type="bbox")
    merged = merge_segmentations([part, _result([], type="bbox")], SegmentationInferenceConfig())
    assert merged.type == "bbox" and merged.lines[0].regions == ["r"]
