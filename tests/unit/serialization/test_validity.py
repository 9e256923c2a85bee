"""Whatever comes in, documents that validate against their schemas go out."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from kraken.containers import BBoxLine, Segmentation
from kraken.serialization import serialize
from tests.conftest import shared_path
from tests.unit.serialization.segmentations import segmentations, steps

SCHEMAS = {"alto": "alto-4-3.xsd", "pagexml": "pagecontent.xsd", "abbyyxml": "FineReader10-schema-v1.xml"}
WHITE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def schema(template: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(shared_path("schemas", SCHEMAS[template]))))


def written(segmentation: Segmentation, template: str, **options: Any) -> etree._Element:
    before = copy.deepcopy(segmentation.__dict__)
    document = serialize(segmentation, template=template, **options)
    assert repr(before) == repr(segmentation.__dict__), "serialising changed the segmentation"
    return etree.fromstring(document.encode("utf-8"))


def identifiers(root: etree._Element) -> list[str]:
    return [
        value
        for element in root.iter("*")
        for name, value in element.attrib.items()
        if str(name).lower() == "id"
    ]


@pytest.mark.parametrize("template", SCHEMAS)
@quick
@given(
    segmentation=segmentations(),
    steps=steps,
    size=st.tuples(*[st.integers(0, 5000)] * 2),
    sub_line=st.booleans(),
)
def test_output_validates(
    template: str, segmentation: Segmentation, steps: Any, size: Any, sub_line: bool
) -> None:
    root = written(
        segmentation, template, image_size=size, processing_steps=steps, sub_line_segmentation=sub_line
    )
    validator = schema(template)
    assert validator.validate(root), validator.error_log
    found = identifiers(root)
    assert len(found) == len(set(found))


@quick
@given(
    segmentation=segmentations(),
    scripts=st.one_of(st.none(), st.lists(st.text(max_size=4), max_size=2)),
    sub_line=st.booleans(),
)
def test_hocr_is_well_formed(segmentation: Segmentation, scripts: Any, sub_line: bool) -> None:
    root = written(segmentation, "hocr", scripts=scripts, sub_line_segmentation=sub_line)
    found = identifiers(root)
    assert len(found) == len(set(found))
    for element in root.iter("*"):
        title = element.get("title")
        if title is not None:
            assert re.match(r"bbox \d+ \d+ \d+ \d+(;|$)", title), title


@quick
@given(segmentation=segmentations(), sub_line=st.booleans())
def test_no_text_is_lost(segmentation: Segmentation, sub_line: bool) -> None:
    for line in segmentation.lines or ():
        line.regions = None  # grouping into regions would change the order
    root = written(segmentation, "alto", sub_line_segmentation=sub_line)
    elements = root.findall(".//{*}TextLine")
    for element, line in zip(elements, segmentation.lines or (), strict=True):
        text = getattr(line, "prediction", line.text) or ""
        found = "".join(part.get("CONTENT", "") for part in element.iter("{*}String"))
        assert WHITE.sub("", found) == WHITE.sub("", FORBIDDEN.sub("\ufffd", text))


def places(root: etree._Element) -> list[tuple[int, int]]:
    """All points of a document, corners of boxes included."""
    found: list[int] = []
    for element in root.iter("*"):
        attributes = element.attrib
        for name in ("POINTS", "BASELINE", "points"):
            found += map(int, re.split("[ ,]", attributes.get(name) or "0,0"))
        if "HPOS" in attributes:
            x, y, width, height = (int(attributes[n]) for n in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
            assert min(x, y, width, height) >= 0
            found += [x, y, x + width, y + height]
        if "l" in attributes:
            found += [int(attributes[name]) for name in "ltrb"]
        for part in (attributes.get("title") or "").split("; "):
            key, _, numbers = part.partition(" ")
            if key in ("bbox", "poly", "x_bboxes"):
                found += map(int, numbers.split())
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("template", [*SCHEMAS, "hocr"])
@quick
@given(segmentation=segmentations(), size=st.tuples(*[st.integers(0, 1500)] * 2))
def test_coordinates_are_inside_a_page_of_known_size(
    template: str, segmentation: Segmentation, size: Any
) -> None:
    root = written(segmentation, template, image_size=size, clip=True)
    width, height = size if all(size) else (2**63, 2**63)
    for x, y in places(root):
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_clipping_is_asked_for() -> None:
    line = BBoxLine(id="l", bbox=(-5, 3, 150, 250))
    page = Segmentation(
        type="bbox", imagename="", text_direction="horizontal-lr", script_detection=False, lines=[line]
    )
    assert max(places(written(page, "alto", image_size=(100, 200)))) == (150, 250)
    assert max(places(written(page, "alto", image_size=(100, 200), clip=True))) == (100, 200)
    assert max(places(written(page, "alto", clip=True))) == (150, 250)


@pytest.mark.parametrize("template", ["alto", "pagexml"])
@quick
@given(segmentation=segmentations(), size=st.tuples(*[st.integers(0, 5000)] * 2))
def test_coordinates_are_whole_and_not_negative(template: str, segmentation: Segmentation, size: Any) -> None:
    root = written(segmentation, template, image_size=size)
    for element in root.iter("*"):
        for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT", "POINTS", "BASELINE", "points"):
            value = element.get(name)
            if value is not None and not (name in ("WIDTH", "HEIGHT") and element.getparent() is None):
                assert re.fullmatch(r"(\d+[ ,])*-?\d+", value), (name, value)
