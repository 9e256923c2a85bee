"""Segmentation of real pages with the recorded network against recorded results."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import shapely
from PIL import Image

from kraken.configs import SegmentationInferenceConfig
from kraken.containers import Segmentation
from kraken.lib.util import open_image
from kraken.lib.vgsl.segmentation_inference import compute_heatmap
from kraken.models import load_models
from kraken.tasks import SegmentationTaskModel
from tests.conftest import SHARED, shared_path
from tests.parity.matching import area_iou, iou, match_lines, order_agreement

FOLDER = SHARED / "golden" / "cli"


def _cases(name: str, key: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    return json.loads(path.read_text(encoding="utf-8"))[key] if path.exists() else []


@pytest.fixture(scope="module")
def task() -> SegmentationTaskModel:
    return SegmentationTaskModel.load_model(shared_path("reference-models", "blla.mlmodel"))


def _inside(points: list[list[int]], size: tuple[int, int]) -> bool:
    return all(0 <= x < size[0] and 0 <= y < size[1] for x, y in points)


def _check_boundaries(ours: Segmentation, size: tuple[int, int]) -> None:
    for line in ours.lines or []:
        assert line.boundary is not None and line.boundary[0] == line.boundary[-1]
        assert shapely.Polygon(line.boundary).is_valid
        assert _inside(line.boundary, size) and _inside(line.baseline, size)


def _check_lines(ours: Segmentation, theirs: Segmentation, longer_side: int) -> list[tuple[int, int]]:
    a, b = ours.lines or [], theirs.lines or []
    limit = max(5.0, 0.003 * longer_side)
    pairs = match_lines([x.baseline for x in a], [x.baseline for x in b], limit)
    assert len(b) - len(pairs) <= max(1, 0.02 * len(b)), f"{len(b) - len(pairs)} of {len(b)} lines missing"
    assert len(a) - len(pairs) <= max(1, 0.03 * len(b)), f"{len(a) - len(pairs)} lines too many"
    overlaps = np.array([iou(a[i].boundary, b[j].boundary) for i, j in pairs])
    assert np.median(overlaps) >= 0.85
    assert (overlaps < 0.8).sum() <= max(1, 0.2 * len(pairs)), np.sort(overlaps)[:20]
    assert (overlaps < 0.7).sum() <= max(1, 0.05 * len(pairs)), np.sort(overlaps)[:10]
    assert order_agreement(pairs) >= 0.98
    assert all(a[i].tags == b[j].tags for i, j in pairs)
    return pairs


def _check_regions(ours: Segmentation, theirs: Segmentation, page_area: int) -> None:
    assert set(ours.regions or {}) == set(theirs.regions or {})
    for name, expected in (theirs.regions or {}).items():
        recorded = [r.boundary for r in expected if shapely.Polygon(r.boundary).area >= 100]
        found = [r.boundary for r in (ours.regions or {})[name] if shapely.Polygon(r.boundary).area >= 100]
        assert area_iou(found, recorded) >= 0.97
        for ring in recorded:
            if shapely.Polygon(ring).area > 0.002 * page_area:
                assert max(iou(ring, other) for other in found) >= 0.9


def _check_assignment(ours: Segmentation, theirs: Segmentation, pairs: list[tuple[int, int]]) -> None:
    """Matched lines lie in as many regions on both sides."""
    a, b = ours.lines or [], theirs.lines or []
    different = sum(len(a[i].regions or []) != len(b[j].regions or []) for i, j in pairs)
    assert different <= max(1, 0.03 * len(pairs))


@pytest.mark.parametrize("case", _cases("pages.json", "pages"), ids=lambda case: case["id"])
def test_page(case: dict[str, Any], task: SegmentationTaskModel) -> None:
    im = open_image(shared_path("golden", "cli") / case["image"])
    assert list(im.size) == case["size"]
    ours = task.predict(im, SegmentationInferenceConfig())
    theirs = Segmentation(**case["segmentation"])
    assert (ours.type, ours.text_direction, ours.script_detection, ours.line_orders, ours.language) == (
        theirs.type, theirs.text_direction, theirs.script_detection, theirs.line_orders, theirs.language,
    )  # fmt: skip
    _check_boundaries(ours, im.size)
    pairs = _check_lines(ours, theirs, max(im.size))
    _check_regions(ours, theirs, im.size[0] * im.size[1])
    _check_assignment(ours, theirs, pairs)


@pytest.mark.parametrize("case", _cases("heatmap.json", "cases"), ids=lambda case: case["id"])
def test_heatmap(case: dict[str, Any], task: SegmentationTaskModel) -> None:
    im = open_image(shared_path("golden", "cli") / case["image"])
    model = task.seg_models[0]
    model.prepare_for_inference(SegmentationInferenceConfig())
    heat = compute_heatmap(model, im)
    with np.load(shared_path("golden", "cli", "heatmap.npz")) as recorded:
        expected = recorded[case["id"]].astype(np.float32)
    # The recorded map is at network resolution: one sample of each upsampled cell.
    rows = ((np.arange(expected.shape[1]) + 0.5) * heat.probabilities.shape[1] / expected.shape[1]).astype(
        int
    )
    cols = ((np.arange(expected.shape[2]) + 0.5) * heat.probabilities.shape[2] / expected.shape[2]).astype(
        int
    )
    found = heat.probabilities[:, rows[:, None], cols[None, :]]
    assert np.abs(found - expected).max() <= 1e-3


def test_blank_page_gives_a_valid_empty_result(task: SegmentationTaskModel) -> None:
    result = task.predict(Image.new("RGB", (400, 600), "white"), SegmentationInferenceConfig())
    assert result.lines == []
    assert all(shapely.Polygon(r.boundary).area > 0 for group in result.regions.values() for r in group)


@pytest.mark.parametrize("case", _cases("ro_task.json", "cases"), ids=lambda case: case["id"])
def test_neural_order(case: dict[str, Any]) -> None:
    folder = shared_path("golden", "cli")
    models = load_models(shared_path("reference-models", "blla.mlmodel"))
    for name in case["models"]:
        models.extend(load_models(folder / name))
    ours = SegmentationTaskModel(models).predict(
        open_image(folder / case["image"]), SegmentationInferenceConfig()
    )
    theirs = Segmentation(**case["segmentation"])
    assert len(ours.line_orders) == len(theirs.line_orders) == 1
    order = ours.line_orders[0]
    assert sorted(order) == list(range(len(ours.lines)))
    pairs = match_lines(
        [line.baseline for line in ours.lines],
        [line.baseline for line in theirs.lines],
        max(5.0, 0.003 * max(case["size"])),
    )
    recorded = theirs.line_orders[0]
    ranks = [(order.index(i), recorded.index(j)) for i, j in pairs if j in recorded]
    assert order_agreement(ranks) >= 0.95
