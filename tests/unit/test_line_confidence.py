"""Lines that a network is unsure of."""

from __future__ import annotations

import logging
from importlib.resources import as_file, files

import numpy as np
import pytest
from PIL import Image

from kraken.configs import SegmentationInferenceConfig
from kraken.lib.segmentation.confidence import line_confidences, sure_lines
from kraken.lib.vgsl.segmentation_inference import Heatmap, _Classes, find_baselines
from kraken.tasks import SegmentationTaskModel
from tests.unit.test_given_regions import drawn_page


def test_confidence_is_the_mean_of_the_best_probability_across() -> None:
    heat = np.zeros((60, 100), np.float32)
    heat[20, 10:50], heat[20, 50:90] = 0.8, 0.4
    heat[22:40, 95] = 0.5
    heat[np.arange(40, 60), np.arange(40, 60)] = 0.3
    lines = [
        [[10, 20], [89, 20]],
        [[89, 23], [60, 23], [10, 23]],
        [[10, 26], [89, 26]],
        [[95, 22], [95, 39]],
        [[40, 40], [59, 59]],
        [[5, 5], [5, 5]],
        [[-50, 20], [-10, 20]],
    ]
    found = line_confidences(lines, heat)
    assert found[:2] == pytest.approx([0.6, 0.6], abs=0.03)
    assert found[2:] == pytest.approx([0, 0.5, 0.3, 0, 0], abs=0.01)
    assert line_confidences([], heat).shape == (0,)
    assert line_confidences([[[0, 0], [3, 0]]], np.full((1, 1), 0.7, np.float32)) == pytest.approx([0.7])


@pytest.fixture
def task() -> SegmentationTaskModel:
    with as_file(files("kraken") / "assets" / "tiny_layout.safetensors") as path:
        return SegmentationTaskModel.load_model(path)


def count(task: SegmentationTaskModel, page: Image.Image, value: float | None) -> int:
    return len(task.predict(page, SegmentationInferenceConfig(min_confidence=value)).lines or [])


def test_least_confidence_is_asked_for_or_stated_by_the_model(
    task: SegmentationTaskModel, caplog: pytest.LogCaptureFixture
) -> None:
    page = drawn_page()
    everything = count(task, page, None)
    assert everything == count(task, page, 0) > 0
    with caplog.at_level(logging.INFO, logger="kraken"):
        assert count(task, page, 1.0) == 0
    assert f"{everything} lines are left out, their confidence is below 1." in caplog.text
    task.seg_models[0].user_metadata["min_confidence"] = 1.0
    assert count(task, page, None) == 0
    assert count(task, page, 0) == everything
    for bad in (-0.1, 1.1, "much"):
        with pytest.raises(ValueError, match="min_confidence"):
            count(task, page, bad)


def test_only_unsure_lines_are_left_out() -> None:
    heat = np.zeros((3, 120, 200), np.float32)
    heat[2, 29:33, 20:180], heat[2, 79:83, 20:180] = 0.9, 0.7
    page = Heatmap(heat, np.zeros((120, 200), np.uint8), (1.0, 1.0))
    classes = _Classes(start=0, end=1, baselines={"default": 2}, regions={})
    assert len(find_baselines(page, classes, "horizontal")) == 2
    (line,) = find_baselines(page, classes, "horizontal", min_confidence=0.8)
    assert abs(line.baseline[0][1] - 31) < 3


def test_few_doubtful_lines_among_many_sure_ones_count() -> None:
    def counting(sure: int, doubtful: int, *, least: float = 0.7, lenient: bool = True) -> int:
        confidences = np.array([0.9] * sure + [0.55] * doubtful + [0.4] * 9, np.float32)
        return int(sure_lines(confidences, least, lenient=lenient).sum())

    assert counting(25, 1) == 26 and counting(24, 1) == 24
    assert counting(50, 2) == 52 and counting(50, 3) == 50
    assert counting(50, 2, lenient=False) == 50
    assert counting(50, 2, least=0.8) == 50  # further below
    assert counting(0, 2) == 0
    assert sure_lines(np.array([], np.float32), 0.7, lenient=True).shape == (0,)


def test_a_doubtful_line_passes_what_the_model_states_but_not_what_was_asked(
    task: SegmentationTaskModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = drawn_page()
    total = count(task, page, 0)

    def one_doubtful(lines: list[list[list[float]]], _: np.ndarray) -> np.ndarray:
        return np.array([0.6] + [0.9] * (len(lines) - 1), np.float32)

    monkeypatch.setattr("kraken.lib.vgsl.segmentation_inference.line_confidences", one_doubtful)
    monkeypatch.setattr("kraken.lib.segmentation.confidence._FEW", 1 / (total - 1))
    task.seg_models[0].user_metadata["min_confidence"] = 0.7
    assert count(task, page, None) == total
    assert count(task, page, 0.7) == total - 1
