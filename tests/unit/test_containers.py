"""Lines, regions, segmentations."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
import sys
import typing

import pytest

from kraken import containers
from kraken.containers import BaselineLine, BaselineOCRRecord, BBoxLine, ProcessingStep, Region, Segmentation

BASELINE = {"id": "l0", "baseline": [[0, 10], [50, 12]], "boundary": [[0, 0], [50, 0], [50, 20], [0, 20]]}
BBOX = {"id": "b0", "bbox": [1, 2, 30, 40]}
REGION = {"id": "r0", "boundary": [[0, 0], [60, 0], [60, 30]]}


def page(kind="baselines", **kwargs):
    return Segmentation(kind, "p.png", "horizontal-lr", False, **kwargs)


def test_import_loads_no_torch():
    code = "import sys, kraken.containers, kraken.lib.ctc_decoder; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_classes_live_in_the_package():
    for name in containers.__all__:
        member = getattr(containers, name)
        if isinstance(member, type):
            assert member.__module__ == "kraken.containers"
            assert pickle.loads(pickle.dumps(member)) is member


@pytest.mark.parametrize("cls", [BaselineLine, BBoxLine, Region, Segmentation, ProcessingStep])
def test_dataclass_contract(cls):
    assert "__slots__" not in vars(cls)
    assert cls.__hash__ is None
    assert "__reduce__" not in vars(cls) and "__setstate__" not in vars(cls)
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            assert getattr(cls, field.name) == field.default
    assert set(typing.get_type_hints(cls)) == {field.name for field in dataclasses.fields(cls)}


def test_values_are_stored_as_they_are():
    points = [[0, 1], (2, 3)]
    assert BaselineLine("x", baseline=points).baseline is points


def test_old_pickles_lack_newer_fields():
    line = BaselineLine("l", text="t")
    state = dict(vars(line))
    del state["language"]
    restored = BaselineLine.__new__(BaselineLine)
    restored.__dict__.update(state)
    assert restored.language is None
    assert restored == line


def test_false_containers_become_fresh_empty_ones():
    a, b = page(), page(lines=(), regions=[], line_orders=None, language=[])
    assert (a.lines, a.regions, a.line_orders, a.language) == ([], {}, [], None)
    assert a == b
    assert a.lines is not page().lines


def test_containers_of_objects_are_kept():
    lines = (BaselineLine("a"), BBoxLine("b"))
    regions = {"text": (Region(**REGION),), "none": []}
    segmentation = page(lines=lines, regions=regions)
    assert segmentation.lines is lines
    assert segmentation.regions is regions


def test_mappings_are_expanded_one_by_one():
    region = Region(**REGION)
    lines = [BaselineLine("a"), dict(BASELINE), BBoxLine("c")]
    segmentation = page(lines=lines, regions={"x": [region, dict(REGION)], "y": None})
    assert [type(line) for line in segmentation.lines] == [BaselineLine, BaselineLine, BBoxLine]
    assert segmentation.lines[0] is lines[0]
    assert segmentation.regions == {"x": [region, region], "y": []}
    assert type(page("bbox", lines=[dict(BBOX)]).lines[0]) is BBoxLine
    assert type(page("anything", lines=[dict(BASELINE)]).lines[0]) is BaselineLine


def test_iterators_of_lines_are_not_lost():
    segmentation = page(lines=iter([BaselineLine("a"), dict(BASELINE)]))
    assert [line.id for line in segmentation.lines] == ["a", "l0"]


def test_unknown_fields_are_named():
    with pytest.raises(TypeError, match="bbox"):
        page(lines=[dict(BBOX)])
    with pytest.raises(TypeError, match="colour"):
        page(regions={"x": [{**REGION, "colour": 1}]})
    with pytest.raises(TypeError, match="A line is a int"):
        page(lines=[3])


def test_json_round_trip():
    region = {"text": [dict(REGION)]}
    segmentation = page(
        lines=[{**BASELINE, "tags": {"type": [{"type": "x"}]}}], regions=region, language=["fra"]
    )
    plain = json.loads(json.dumps(dataclasses.asdict(segmentation)))
    assert Segmentation(**plain) == segmentation
    assert dataclasses.asdict(Segmentation(**plain)) == plain


def test_records_reduce_to_lines_in_json():
    record = BaselineOCRRecord("ab", [(0, 5), (5, 9)], [0.5, 0.6], {**BASELINE, "type": "baselines"})
    plain = json.loads(json.dumps(dataclasses.asdict(page(lines=[record]))))
    assert type(Segmentation(**plain).lines[0]) is BaselineLine


def test_conversions_share_nothing_but_names():
    segmentation = page(lines=[dict(BASELINE)], regions={"r": [dict(REGION)]}, line_orders=[[0]])
    boxes = segmentation.to_bbox()
    assert boxes.type == "bbox"
    assert boxes.lines[0].bbox == (0, 0, 50, 20)
    boxes.regions["r"][0].boundary.append([1, 1])
    assert len(segmentation.regions["r"][0].boundary) == 3
    same = boxes.to_bbox()
    assert same == boxes and same.lines[0] is not boxes.lines[0]
    assert boxes.to_baselines().to_baselines(None).lines[0].baseline == [(0, 15), (50, 15)]


def test_conversion_passes_fields_on():
    line = BBoxLine(**BBOX, tags={"a": []}, language=["deu"], text_direction="vertical-lr")
    turned = line.to_baseline()
    assert turned.tags is line.tags and turned.language is line.language
    assert turned.to_bbox("sideways").text_direction == "sideways"
    assert line == BBoxLine(**BBOX, tags={"a": []}, language=["deu"], text_direction="vertical-lr")


def test_lines_without_geometry_name_themselves():
    with pytest.raises(ValueError, match="l7"):
        BaselineLine("l7", boundary=[]).to_bbox()
    with pytest.raises(ValueError, match="b7"):
        BBoxLine("b7").to_baseline()
    assert BaselineLine("x", baseline=[(3, 4)], boundary=[]).to_bbox().bbox == (3, 4, 3, 4)
    inverted = BBoxLine("x", bbox=(10, 10, 0, 0)).to_baseline()
    assert inverted.baseline == [(10, 2), (0, 2)]


@pytest.mark.parametrize("protocol", [2, 5])
def test_pickle(protocol):
    segmentation = page(lines=[dict(BASELINE)], regions={"r": [dict(REGION)]})
    assert pickle.loads(pickle.dumps(segmentation, protocol)) == segmentation
    assert copy.deepcopy(segmentation) == segmentation


def test_weights_only_load_of_a_checkpoint(tmp_path):
    torch = pytest.importorskip("torch")
    segmentation = page(lines=[dict(BASELINE)], regions={"r": [dict(REGION)]})
    boxes = segmentation.to_bbox()
    with torch.serialization.safe_globals([Segmentation, BaselineLine, BBoxLine, Region]):
        torch.save({"a": segmentation, "b": boxes}, tmp_path / "x.ckpt")
        assert torch.load(tmp_path / "x.ckpt", weights_only=True) == {"a": segmentation, "b": boxes}
