"""Containers, records and sections against recorded behaviour."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kraken import containers
from tests.conftest import golden_json


def plain(value):
    """As it would come back from JSON."""
    return json.loads(json.dumps(value, default=str))


def test_sections():
    for case in golden_json("geometry", "sections.json"):
        args = (case["baseline"], case["boundary"])
        polygons, cache, length = containers.precompute_polygon_sections(*args, case["cuts"])
        assert plain(polygons) == case["polygons"], case
        assert length == pytest.approx(case["length"], rel=1e-9)
        for polygon, (dist1, dist2) in zip(polygons, case["cuts"], strict=True):
            assert containers.compute_polygon_section(*args, dist1, dist2) == polygon
            assert type(polygon) is (tuple if len(polygon) == 4 else list)
        for polygon in polygons:
            if len(polygon) == 4 and length > 0:
                ends = {tuple(hits) for hits in cache.values() if hits is not None}
                assert {(*polygon[0], *polygon[1]), (*polygon[3], *polygon[2])} <= ends


def test_fields():
    data = golden_json("geometry", "containers.json")
    for name, expected in data["fields"].items():
        fields = dataclasses.fields(getattr(containers, name))
        found = [[f.name, "<required>" if f.default is dataclasses.MISSING else f.default] for f in fields]
        assert found == expected


def test_line_conversions():
    data = golden_json("geometry", "containers.json")
    for case in data["to_baseline"]:
        line = containers.BBoxLine("l", bbox=case["bbox"], text_direction=case["text_direction"])
        result = line.to_baseline(case["topline"])
        assert plain([result.baseline, result.boundary]) == [case["baseline"], case["boundary"]], case
    for case in data["to_bbox"]:
        line = containers.BaselineLine("l", baseline=case["baseline"], boundary=case["boundary"])
        result = line.to_bbox(case["text_direction"])
        assert plain(result.bbox) == case["bbox"]
        assert result.text_direction == case["text_direction"]


def test_segmentations():
    data = golden_json("geometry", "containers.json")
    for case in data["init"]:
        segmentation = containers.Segmentation(**case["kwargs"])
        assert plain(dataclasses.asdict(segmentation)) == case["asdict"]
        assert [type(line).__name__ for line in segmentation.lines] == case["line_classes"]
        regions = {k: [type(r).__name__ for r in group] for k, group in segmentation.regions.items()}
        assert regions == case["region_classes"]
    for case in data["convert"]:
        segmentation = containers.Segmentation(**case["kwargs"])
        if case["op"] == "to_bbox":
            result = segmentation.to_bbox()
        else:
            result = segmentation.to_baselines(case["topline"])
        assert plain(dataclasses.asdict(result)) == case["asdict"], case


def check_record(record, expected):
    assert record.prediction == expected["prediction"]
    assert len(record) == expected["len"]
    assert record.base_dir == expected["base_dir"]
    assert plain(record.cuts) == expected["cuts"]
    assert plain(record.confidences) == expected["confidences"]
    assert plain(list(record)) == expected["items"]
    assert plain([record[i] for i in range(len(record))]) == expected["items"]
    for case in expected["slices"]:
        text, cut, confidence = record[slice(*case["slice"])]
        assert (text, plain(cut)) == (case["text"], case["cut"])
        assert confidence == pytest.approx(case["conf"], abs=1e-9)


@pytest.mark.parametrize("as_object", [False, True])
def test_records(as_object):
    for case in golden_json("geometry", "records.json"):
        bbox = case["kind"] == "bbox"
        cls = containers.BBoxOCRRecord if bbox else containers.BaselineOCRRecord
        line = case["line"]
        if as_object:
            line = (containers.BBoxLine if bbox else containers.BaselineLine)(**line)
        record = cls(
            case["prediction"],
            case["cuts"],
            case["confidences"],
            line,
            case["base_dir"],
            case["display_order"],
        )
        check_record(record, case["out"])
        names = (
            ("logical_order", "display_order")
            if case["display_order"]
            else ("display_order", "logical_order")
        )
        for reorder in case["reorder"]:
            turned = getattr(record, names[0])(reorder["base_dir"])
            check_record(turned, reorder["out"])
            assert getattr(turned, names[1])(reorder["base_dir"]).prediction == reorder["back"]
