"""Forced alignment of rendered pages whose glyph boxes are known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from kraken.configs import RecognitionInferenceConfig
from kraken.containers import BaselineLine, BBoxLine, Segmentation
from kraken.lib.util import open_image
from kraken.tasks import ForcedAlignmentTaskModel
from tests.conftest import SHARED, shared_path

_FILE = SHARED / "golden" / "models" / "align.json"
CASES: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8")) if _FILE.exists() else []


def page_of(case: dict[str, Any]) -> Segmentation:
    lines: list[Any] = []
    for line in case["lines"]:
        if case["type"] == "bbox":
            lines.append(BBoxLine(line["id"], text=line["text"], bbox=tuple(line["bbox"])))
        else:
            lines.append(
                BaselineLine(
                    line["id"], text=line["text"], baseline=line["baseline"], boundary=line["boundary"]
                )
            )
    return Segmentation(case["type"], case["image"], "horizontal-lr", False, lines)


def centres(record: Any, line: dict[str, Any]) -> list[float]:
    """Middles of the cuts in page pixels."""
    if record.type == "bbox":
        return [float(np.mean([x for x, _ in cut])) for cut in record.cuts]
    return [line["baseline"][0][0] + (start + end) / 2 for start, end in record._cuts]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_alignment(case: dict[str, Any]) -> None:
    task = ForcedAlignmentTaskModel.load_model(shared_path("reference-models", case["model"]))
    im = open_image(shared_path("golden", "models", case["image"]))
    page, config = page_of(case), RecognitionInferenceConfig(**case["config"])
    if case.get("error"):
        with pytest.raises(ValueError, match="Failed to align"):
            task.predict(im, page, config)
        return
    aligned: Any = task.predict(im, page, config)
    assert [record.id for record in aligned.lines] == [line["id"] for line in case["lines"]]
    distances, confidences = [], []
    for record, line in zip(aligned.lines, case["lines"], strict=True):
        expected = line.get("expect_prediction", line["visual"])
        assert record.prediction == expected
        assert record._display_order
        assert len(record.cuts) == len(record.confidences) == len(expected)
        assert (record.failure is None) == bool(expected)
        if len(line.get("glyphs") or []) != len(expected):
            continue
        confidences += record.confidences
        distances += [
            abs(centre - (x0 + x1) / 2)
            for centre, (x0, x1) in zip(centres(record, line), line["glyphs"], strict=True)
        ]
    assert np.mean(distances) <= case.get("max_mean_error", 5.0)
    assert np.mean(confidences) >= 0.8
