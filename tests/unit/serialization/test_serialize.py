"""Behaviour of the serialiser that recorded data don't cover."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateNotFound
from jinja2.exceptions import SecurityError
from lxml import etree

from kraken.containers import BaselineLine, BaselineOCRRecord, BBoxLine, BBoxOCRRecord, Region, Segmentation
from kraken.lib.xml import XMLPage
from kraken.serialization import max_bbox, render_report, serialize
from kraken.serialization.environment import native


def record(identifier: Any = "l1", text: str = "ab c", **fields: Any) -> BBoxOCRRecord:
    cuts = [[(10 * i, 5), (10 * i, 25), (10 * i + 10, 25), (10 * i + 10, 5)] for i in range(len(text))]
    line = BBoxLine(id=identifier, bbox=(0, 5, 10 * len(text), 25), **fields)
    return BBoxOCRRecord(text, cuts, [0.5] * len(text), line)


def segmentation(*lines: Any, kind: str = "bbox", **fields: Any) -> Segmentation:
    return Segmentation(
        type=kind,
        imagename="a.png",
        text_direction="horizontal-lr",
        script_detection=False,
        lines=list(lines),
        **fields,
    )


def parsed(found: Segmentation, template: str, **options: Any) -> etree._Element:
    return etree.fromstring(serialize(found, template=template, **options).encode())


@pytest.mark.parametrize(("alias", "name"), [("page", "pagexml"), ("abbyy", "abbyyxml")])
def test_aliases(alias: str, name: str) -> None:
    assert parsed(segmentation(record()), alias).tag == parsed(segmentation(record()), name).tag


@pytest.mark.parametrize("name", ["nope", "../templates/alto", "", "ALTO"])
def test_unknown_native_templates(name: str) -> None:
    with pytest.raises(TemplateNotFound, match="choose one of"):
        serialize(segmentation(), template=name)


def test_native_environment_is_made_once() -> None:
    serialize(segmentation())
    before = native()
    serialize(segmentation())
    assert native() is before


def test_max_bbox() -> None:
    assert max_bbox([[(1, 2)], [[0, 9], [5, 5]], [(3, 3), (4, 4), (9, 1), (2, 2)]]) == (0, 1, 9, 9)
    with pytest.raises(ValueError, match="No points"):
        max_bbox([])


def test_reading_order_out_of_range() -> None:
    with pytest.raises(IndexError):
        serialize(segmentation(record(), line_orders=[[0, 7]]))


def test_ids_are_made_valid_and_unique_and_references_follow() -> None:
    found = segmentation(
        record("1a"), record("segment_0"), record("x"), record("x"), record(None), line_orders=[[1, 0]]
    )
    root = parsed(found, "alto")
    ids = [line.get("ID") for line in root.iter("{*}TextLine")]
    assert ids[2] == "x"
    assert len(set(ids)) == 5 and "1a" not in ids and "segment_0" not in ids
    references = [reference.get("REF") for reference in root.iter("{*}ElementRef")]
    assert references == [ids[1], ids[0]]
    kept = segmentation(record("día-1"), record("segment_99"), record("l.1"))
    assert [line.get("ID") for line in parsed(kept, "alto").iter("{*}TextLine")] == [
        "día-1",
        "segment_99",
        "l.1",
    ]


def test_many_equal_ids_take_linear_time() -> None:
    root = parsed(segmentation(*(BBoxLine(id="x", bbox=(0, 0, 9, 9)) for _ in range(5_000))), "alto")
    assert len({line.get("ID") for line in root.iter("{*}TextLine")}) == 5_000


def test_coordinates_outside_the_page_and_odd_confidences() -> None:
    line = BBoxLine(id="l", bbox=(-5.5, -1, 20.4, 30))
    cuts = [[(-5.5, -1), (20.4, -1), (20.4, 30), (float("nan"), 30)]]
    root = parsed(segmentation(BBoxOCRRecord("a", cuts, [float("nan")], line)), "alto")
    text_line = root.find(".//{*}TextLine")
    assert text_line is not None
    assert [text_line.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["0", "0", "20", "30"]
    glyph = root.find(".//{*}Glyph")
    assert glyph is not None and glyph.get("GC") == "0.0"
    polygon = glyph.find(".//{*}Polygon")
    assert polygon is not None and polygon.get("POINTS") == "0 0 20 0 20 30 0 30"


def test_lines_that_a_format_cannot_hold_are_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "kraken.serialization")
    serialize(
        segmentation(BaselineLine(id="bare", baseline=[(0, 0), (9, 0)]), kind="baselines"), template="pagexml"
    )
    assert "bare" in caplog.text


def test_our_own_documents_come_back(tmp_path: Path) -> None:
    outline = [(0, 0), (90, 0), (90, 30), (0, 30)]
    line = BaselineLine(id="l1", baseline=[(0, 20), (90, 20)], boundary=outline, regions=["r1"], base_dir="L")
    line.tags = {"type": [{"type": "heading"}]}
    spans = [(10 * i, 10 * i + 10) for i in range(5)]
    recognised = BaselineOCRRecord("a <b ", spans, [0.25, 1, 0.5, 0.75, 0.125], line, base_dir="L")
    region = Region(id="r1", boundary=outline, tags={"type": [{"type": "column"}]})
    found = segmentation(recognised, kind="baselines", regions={"column": [region]})
    for template in ("alto", "pagexml"):
        file = tmp_path / f"{template}.xml"
        file.write_text(serialize(found, image_size=(100, 50), template=template), encoding="utf-8")
        page = XMLPage(file, level="word")
        back = page.lines["l1"]
        assert (back.text, back.baseline, back.boundary) == ("a <b ", line.baseline, outline)  # type: ignore[union-attr]
        assert (back.regions, back.base_dir) == (["r1"], "L")
        assert (back.tags or {})["type"] == [{"type": "heading"}]
        assert list(page.regions) == ["column"]
        words = (page.words or {})["l1"]
        assert "".join(word.text for word in words) == "a <b "
        assert words[2].confidence == 0.625
        assert [glyph.confidence for glyph in words[2].glyphs] == [0.5, 0.75]


def test_own_templates_are_sandboxed_and_may_include_native_ones(tmp_path: Path) -> None:
    evil = tmp_path / "evil.j2"
    evil.write_text("{{ page.__class__.__mro__[1].__subclasses__() }}", encoding="utf-8")
    with pytest.raises(SecurityError):
        serialize(segmentation(), template=evil, template_source="custom")
    wrapper = tmp_path / "wrapper.j2"
    wrapper.write_text("{% include 'alto' %}", encoding="utf-8")
    found = segmentation(record())
    assert serialize(found, template=wrapper, template_source="custom") == serialize(found)
    wrapper.write_text("{{ page.entities[0].text }}", encoding="utf-8")
    assert serialize(found, template=str(wrapper), template_source="custom") == "", (
        "a changed file is read anew"
    )
    with pytest.raises(ValueError, match="template_source"):
        serialize(found, template_source="foreign")  # type: ignore[arg-type]


def test_report() -> None:
    confusions = Counter(
        {("<", "&"): 3, ("\u0301", ""): 2, ("a", "a"): 9, ("", "\u200b"): 1, ("\x07b", "x"): 1}
    )
    report = render_report(
        "m & n",
        10,
        6,
        0.4,
        float("nan"),
        0.5,
        confusions,
        Counter(Latin=10, None_=0),
        1,
        Counter(Latin=2),
        Counter(),
    )
    assert "=== report m & n ===\n" in report
    assert "nan%\tCharacter Accuracy (Case-insensitive)\n" in report
    assert "10\t2\t80.00%\tLatin\n0\t0\t0.00%\tNone_\n" in report
    assert report.endswith(
        "3\t{ < } - { & }\n2\t{ COMBINING ACUTE ACCENT } - {  }\n"
        "1\t{  } - { ZERO WIDTH SPACE }\n1\t{ 0x7b } - { x }\n"
    )
