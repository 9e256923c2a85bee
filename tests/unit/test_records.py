"""Recognition results."""

from __future__ import annotations

import copy
import math
import pickle
import threading

import numpy as np
import pytest

from kraken.containers import (
    BaselineLine,
    BaselineOCRRecord,
    BBoxLine,
    BBoxOCRRecord,
    compute_polygon_section,
    ocr_record,
)

LINE = BaselineLine(
    "l0",
    base_dir="R",
    tags={"type": [{"type": "x"}]},
    language=["heb"],
    baseline=[(0, 10), (50, 12), (100, 10)],
    boundary=[(0, 0), (100, 0), (100, 20), (0, 20), (0, 0)],
)
BOX = BBoxLine("b0", base_dir="L", language=["ara"], bbox=(0, 0, 100, 20), text_direction="vertical-rl")
TEXT = "ab (אב)"
CUTS = [(i * 10, i * 10 + 8) for i in range(len(TEXT))]
BOXES = [((x, 0), (y, 0), (y, 20), (x, 20)) for x, y in CUTS]
CONFIDENCES = [0.1 * i for i in range(len(TEXT))]


def baseline_record(text=TEXT, cuts=CUTS, confidences=CONFIDENCES, line=LINE, **kwargs):
    return BaselineOCRRecord(text, cuts, confidences, line, **kwargs)


def bbox_record(text=TEXT, cuts=BOXES, confidences=CONFIDENCES, line=BOX, **kwargs):
    return BBoxOCRRecord(text, cuts, confidences, line, **kwargs)


both = pytest.mark.parametrize("make", [baseline_record, bbox_record])


def test_records_are_lines():
    assert isinstance(baseline_record(), BaselineLine) and isinstance(baseline_record(), ocr_record)
    assert isinstance(bbox_record(), BBoxLine)
    with pytest.raises(TypeError):
        ocr_record("", [], [])


@both
def test_line_fields_are_copied_and_base_dir_replaced(make):
    record = make(base_dir="L")
    line = LINE if make is baseline_record else BOX
    assert record.id == line.id and record.language == line.language
    assert record.language is not line.language
    assert record.base_dir == "L"
    assert record._line_base_dir == line.base_dir
    assert record.type == line.type == type(record).type


@pytest.mark.parametrize("line", [None, 3, BOX, {"id": "x"}, {"id": "x", "type": "bbox"}, BaselineLine])
def test_wrong_kind_of_line(line):
    with pytest.raises(TypeError):
        baseline_record(line=line)
    with pytest.raises(TypeError, match="non-bbox line"):
        bbox_record(line=LINE)


def test_unknown_line_field_and_record_as_line():
    with pytest.raises(TypeError, match="colour"):
        baseline_record(line={"id": "x", "type": "baselines", "colour": 1})
    record = baseline_record(base_dir="R")
    again = baseline_record(line=record)
    assert again.baseline == record.baseline and again._line_base_dir == "R"


@both
def test_sequence_protocol(make):
    record = make()
    assert len(record) == len(TEXT) and str(record) == TEXT == record.prediction
    triples = list(record)
    assert [t[0] for t in triples] == list(TEXT)
    assert triples[3] == record[3] == record[3 - len(TEXT)] == record[np.int64(3)]
    assert record[True] == record[1]
    assert len([(a, b) for a in record for b in record]) == len(TEXT) ** 2
    for index in (len(TEXT), -len(TEXT) - 1, 10**9):
        with pytest.raises(IndexError, match="out of range"):
            record[index]
    for key in (1.0, "a", None, (1, 2)):
        with pytest.raises(TypeError, match="Invalid argument type"):
            record[key]


@both
def test_slices(make):
    record = make()
    text, cut, confidence = record[4:1:-2]
    assert text == TEXT[4:1:-2]
    assert confidence == pytest.approx((0.4 + 0.2) / 2)
    if make is baseline_record:
        assert cut == compute_polygon_section(LINE.baseline, LINE.boundary, 20, 48)
    else:
        assert cut == ((20, 0), (48, 0), (48, 20), (20, 20))
    with pytest.raises(ValueError):
        record[3:3]
    assert record[:][0] == TEXT


def test_repr():
    assert repr(baseline_record("a", [(0, 1)], [0.5])) == (
        f"pred: a baseline: {LINE.baseline} boundary: {LINE.boundary} confidences: [0.5]"
    )
    assert repr(bbox_record("a", BOXES[:1], [0.5])) == f"pred: a bbox: {BOX.bbox} confidences: [0.5]"


def test_cuts_are_what_sections_give():
    record = baseline_record()
    expected = [compute_polygon_section(LINE.baseline, LINE.boundary, *cut) for cut in CUTS]
    assert record.cuts == tuple(expected)
    assert record.cuts is record.cuts
    boxes = list(BOXES)
    assert bbox_record(cuts=boxes).cuts is boxes


def test_changes_after_construction_do_not_reach_the_cuts():
    expected = baseline_record().cuts
    cuts = [list(cut) for cut in CUTS]
    line = {"id": "x", "type": "baselines", "baseline": [[0, 10], [50, 12], [100, 10]]}
    line["boundary"] = [list(point) for point in LINE.boundary]
    record = baseline_record(cuts=cuts, line=line)
    cuts[0][0] = 90
    cuts.clear()
    line["baseline"][0][0] = 77
    line["boundary"].clear()
    record.baseline = None
    assert record.cuts == expected
    assert record[:][1] == baseline_record()[:][1]


def test_threads_see_one_result():
    for _ in range(20):
        record = baseline_record()
        seen = []
        threads = [threading.Thread(target=lambda: seen.append(record.cuts)) for _ in range(8)]  # noqa: B023
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(cuts) for cuts in seen}) == 1


@pytest.mark.parametrize("cuts", [np.array(CUTS), np.array(CUTS, dtype=float), [np.array(c) for c in CUTS]])
def test_arrays_as_cuts(cuts):
    assert baseline_record(cuts=cuts).cuts == baseline_record().cuts
    assert baseline_record(cuts=cuts) == baseline_record()


@pytest.mark.parametrize("cuts", [[(1, 2, 3)], [(1,)], [5], ["ab"], [(None, 1)], 7])
def test_malformed_cuts(cuts):
    with pytest.raises(ValueError, match="cuts"):
        baseline_record("a", cuts, [0.5]).cuts  # noqa: B018


@both
def test_empty_cuts_with_text(make):
    record = make(cuts=[], confidences=[])
    assert record.prediction == str(record) == TEXT and len(record) == len(TEXT)
    assert TEXT in repr(record)
    assert len(record.cuts) == 0
    character, cut, confidence = record[1]
    assert (character, cut) == ("b", ()) and math.isnan(confidence)
    text, cut, confidence = record[1:3]
    assert (text, cut) == ("b ", ()) and math.isnan(confidence)
    assert [triple[0] for triple in record] == list(TEXT)
    turned = record.logical_order()
    assert sorted(turned.prediction) == sorted(TEXT)
    assert len(turned.cuts) == 0 and list(turned.confidences) == []


@pytest.mark.parametrize("missing", ["baseline", "boundary"])
def test_records_without_geometry(missing):
    record = baseline_record(line={**vars(LINE), missing: None})
    assert record.cuts == ()
    assert record[2] == (TEXT[2], (), CONFIDENCES[2])
    assert record[0:2][1:] == ((), pytest.approx(0.05))
    assert sorted(record.logical_order().confidences) == CONFIDENCES


@both
@pytest.mark.parametrize("which", ["cuts", "confidences"])
def test_mismatched_lengths_are_named_where_they_matter(make, which):
    record = make(**{which: (CUTS if make is baseline_record else BOXES)[:2] if which == "cuts" else [0.5]})
    assert record.prediction == TEXT
    for use in (lambda: record[4], lambda: record[:], lambda: list(record), record.logical_order):
        with pytest.raises(ValueError, match="7 code points"):
            use()


@pytest.mark.parametrize(
    "geometry", [{"baseline": [(5, 5)]}, {"baseline": [(5, 5), (5, 5)]}, {"boundary": [(1, 1)]}]
)
def test_degenerate_geometry(geometry):
    record = baseline_record(line={**vars(LINE), **geometry})
    assert len(record.cuts) == len(TEXT)


@both
def test_reordering(make):
    logits, image = object(), object()
    record = make(logits=logits, image=image, base_dir="L")
    assert record.display_order() is record
    turned = record.logical_order("R")
    assert turned.prediction == "(בא) ab"
    order = [6, 5, 4, 3, 2, 0, 1]
    assert turned._confidences == [CONFIDENCES[i] for i in order]
    assert list(turned.cuts) == [record.cuts[i] for i in order]
    assert turned.base_dir == "R" and turned._display_order is False
    assert turned._line_base_dir == record._line_base_dir
    assert turned.logits is logits and turned.image is image
    assert turned.language == record.language and turned.tags == record.tags
    assert turned.logical_order("R") is turned
    assert turned.display_order("R").prediction == record.prediction
    if make is bbox_record:
        assert turned.text_direction == "vertical-rl"


def test_reordering_drops_invisible_characters_with_their_cuts():
    record = bbox_record("a\u200cb", BOXES[:3], [0.1, 0.2, 0.3]).logical_order()
    assert (record.prediction, record.confidences, record.cuts) == ("ab", [0.1, 0.3], [BOXES[0], BOXES[2]])
    odd = bbox_record("ab", BOXES[:2], [0.1, 0.2]).logical_order("sideways")
    assert (odd.prediction, odd.base_dir) == ("ab", "sideways")


@both
def test_equality(make):
    assert make() == make()
    assert make() != make(text=TEXT.upper())
    assert make() != make(confidences=[0.5] * len(TEXT))
    assert make() != 3
    assert make(confidences=np.array(CONFIDENCES)) == make(confidences=np.array(CONFIDENCES))
    with pytest.raises(TypeError):
        hash(make())


STATE = {"_line_base_dir", "_prediction", "_cuts", "_confidences", "_display_order", "logits", "image"}
GEOMETRY = {"_polygon_cuts", "_intersection_cache", "_bl_length"}


@both
def test_pickle_round_trip(make):
    record = make(base_dir="L", display_order=False)
    for again in (pickle.loads(pickle.dumps(record)), copy.deepcopy(record), copy.copy(record)):
        assert again == record
        assert (again.cuts, again._line_base_dir) == (record.cuts, record._line_base_dir)
        assert again._display_order is False
        assert again[1:3] == record[1:3]


def test_pickled_state_has_the_keys_of_earlier_releases():
    line_fields = set(vars(LINE))
    assert set(baseline_record().__getstate__()) == line_fields | STATE | GEOMETRY
    assert set(vars(bbox_record())) == set(vars(BOX)) | STATE
    state = baseline_record().__getstate__()
    assert state["_polygon_cuts"] == baseline_record().cuts
    assert state["_bl_length"] == pytest.approx(100.08, abs=0.01)
    assert set(state["_intersection_cache"]) >= {20.0, 48.0}


def test_pickles_of_earlier_releases_load():
    state = {**vars(LINE), "_line_base_dir": None, "_prediction": "ab", "_cuts": [[0, 5], (5, 9)]}
    state |= {"_confidences": (0.5, 0.6), "_display_order": True, "logits": None, "image": None}
    state |= {
        "_polygon_cuts": ["stale"],
        "_intersection_cache": {np.float64(1): np.ones(4)},
        "_bl_length": 1.0,
    }
    state |= {"idx": 2}
    del state["language"]
    # As the pickle protocol does it, without the constructor.
    record = BaselineOCRRecord.__new__(BaselineOCRRecord)
    record.__setstate__(state)
    assert record.cuts == baseline_record("ab", [(0, 5), (5, 9)], [0.5, 0.6]).cuts
    assert record.language is None and record[0][2] == 0.5
    assert len(pickle.loads(pickle.dumps(record)).cuts) == 2
