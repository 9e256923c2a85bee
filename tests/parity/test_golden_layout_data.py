"""Layout data sets and metrics against recorded behaviour."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from kraken.configs import ROTrainingDataConfig, SegmentationTrainingDataConfig
from kraken.lib.dataset import BaselineSet, ImageInputTransforms, PageWiseROSet, PairWiseROSet
from kraken.lib.segmentation_metrics import (
    aggregate_detection_metrics,
    compute_detection_metrics,
    interpolate_polyline,
)
from kraken.lib.xml import XMLPage
from tests.conftest import SHARED

FOLDER = SHARED / "golden" / "training"
AUX = {"_start_separator": 0, "_end_separator": 1}


def golden(name: str) -> Any:
    path = FOLDER / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def plain(mapping: Any) -> Any:
    return {key: plain(value) for key, value in mapping.items()} if isinstance(mapping, dict) else mapping


@pytest.mark.parametrize("number", range(len(golden("seg_targets.json"))))
def test_targets(number: int) -> None:
    case = golden("seg_targets.json")[number]
    mapping = case["mapping"]
    if mapping is None:
        config = SegmentationTrainingDataConfig()
        mapping = {"baselines": config.line_class_mapping, "regions": config.region_class_mapping}
    transforms = ImageInputTransforms(1, case["height"], 0, case["channels"], 0, valid_norm=False)
    found = BaselineSet({"aux": AUX, **mapping}, line_width=case["line_width"], im_transforms=transforms)
    found.add(XMLPage(FOLDER / "pages" / case["page"]).to_container())
    sample = found[0]
    assert list(sample["target"].shape) == case["shape"]
    assert found.num_classes == case["num_classes"]
    assert plain(found.class_mapping) == case["class_mapping"]
    assert found.canonical_class_mapping == case["canonical"]
    assert found.merged_classes == case["merged"]
    assert {section: dict(stats) for section, stats in found.class_stats.items()} == case["stats"]
    assert (len(found.failed_samples), found.im_mode) == (case["failed"], case["im_mode"])
    packed = np.load(FOLDER / "seg_targets.npz")[f"t{number}"]
    shape = case["shape"]
    wanted = np.unpackbits(packed)[: np.prod(shape)].reshape(shape).astype(bool)
    target = sample["target"].numpy()
    assert set(np.unique(target)) <= {0.0, 1.0}
    for channel, expected in enumerate(wanted):
        wrong = int((target[channel].astype(bool) != expected).sum())
        assert wrong <= max(3, 0.01 * expected.sum()), (channel, wrong, int(expected.sum()))
    assert {str(k): len(v) for k, v in sample["baselines"].items()} == {
        k: len(v) for k, v in case["baselines"].items()
    }
    for index, lines in sample["baselines"].items():
        for line, recorded in zip(lines, case["baselines"][str(index)], strict=True):
            np.testing.assert_allclose(line, recorded, atol=1e-3)


@pytest.mark.parametrize("case", golden("seg_mapping_errors.json"))
def test_mapping_errors(case: dict[str, Any]) -> None:
    outcome, value = case["result"]
    if outcome == "ok":
        assert BaselineSet(case["mapping"]).num_classes == value
    else:
        with pytest.raises(ValueError, match=r"\w"):
            BaselineSet(case["mapping"])


def tensors(lines: list[Any]) -> list[torch.Tensor]:
    return [torch.tensor(line, dtype=torch.float32) for line in lines]


def test_detection_metrics() -> None:
    recorded = golden("detection_metrics.json") or pytest.skip("no recorded data")
    for case in recorded["detect"]:
        pred, gt = tensors(case["pred"]), tensors(case["gt"])
        if case["interpolate"]:
            pred, gt = ([interpolate_polyline(line, 5.0) for line in lines] for lines in (pred, gt))
        found = compute_detection_metrics(pred, gt, case["tol"])
        assert found == pytest.approx(case["result"], abs=1e-5)


@pytest.mark.parametrize("name", sorted(golden("detection_metrics.json") or ()))
def test_other_metrics(name: str) -> None:
    content = golden("detection_metrics.json")[name]
    for case in content if isinstance(content, list) else [content]:
        if "points" in case:
            points = torch.tensor(case["points"], dtype=torch.float32).reshape(-1, 2)
            found = interpolate_polyline(points, case["spacing"])
            wanted = torch.tensor(case["result"], dtype=torch.float32).reshape(-1, 2)
            torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-5)
        elif "pages" in case:
            assert aggregate_detection_metrics(case["pages"]) == pytest.approx(case["result"], abs=1e-5)


@pytest.mark.parametrize("number", range(len(golden("ro_sets.json"))))
def test_reading_order_sets(number: int) -> None:
    case = golden("ro_sets.json")[number]

    def mapping() -> Any:
        return ROTrainingDataConfig().class_mapping if case["mapping"] is None else dict(case["mapping"])

    files = [FOLDER / "pages" / case["page"]]
    pages = PageWiseROSet(files, mapping(), level=case["level"])
    pairs = PairWiseROSet(files, mapping(), level=case["level"])
    assert (len(pages), len(pairs)) == (case["len"], case["pairs"])
    assert (pages.num_classes, pages.get_feature_dim()) == (case["num_classes"], case["dim"])
    assert (dict(pages.class_mapping), dict(pages.class_stats)) == (case["class_mapping"], case["stats"])
    if not len(pages):
        return
    item = pages[0]
    assert item["num_lines"] == case["num_lines"]
    assert list(item["sample"].shape) == case["shape"]
    np.testing.assert_allclose(item["sample"][case["idx"]], case["sample"], atol=2e-6)
    assert item["target"].tolist() == case["target"]
    known = {tuple(row.tolist()): float(t) for row, t in zip(item["sample"], item["target"], strict=True)}
    for k in range(0, len(pairs), max(1, len(pairs) // 5)):
        pair = pairs[k]
        assert known[tuple(pair["sample"].tolist())] == float(pair["target"])
