"""All ground-truth pages: line counts, and what a round trip through ALTO and PAGE keeps."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kraken.containers import Segmentation
from kraken.lib.xml import XMLPage
from kraken.serialization import serialize
from tests.conftest import SHARED, shared_path

SCHEMAS = {"alto": "alto-4-3.xsd", "pagexml": "pagecontent.xsd"}


def index() -> list[dict[str, str]]:
    """The rows of the table of files; empty where there's no data."""
    table = SHARED / "data" / "index.tsv"
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["xml"] and row["kind"] in ("pages", "xml-only")]


ROWS = index()
NAMES = [f"{row['set']}/{row['xml']}" for row in ROWS]


@cache
def schema(template: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(shared_path("schemas", SCHEMAS[template]))))


def path(row: dict[str, str]) -> Path:
    return shared_path("data", row["kind"], row["set"], row["xml"])


def written_order(page: Segmentation) -> list[int]:
    """Indices of lines as documents list them: each region once, at its first line."""
    known = {region.id for group in page.regions.values() for region in group}
    groups: dict[Any, list[int]] = {}
    for i, line in enumerate(page.lines):
        inside = line.regions[0] if line.regions and line.regions[0] in known else None
        groups.setdefault(i if inside is None else ("region", inside), []).append(i)
    return [i for group in groups.values() for i in group]


def merged(points: Any) -> list[tuple[int, int]]:
    """Points as documents can say them: inside the page's positive quadrant, no point twice in a row."""
    inside = [(max(0, x), max(0, y)) for x, y in points or ()]
    return [point for i, point in enumerate(inside) if not i or point != inside[i - 1]]


def geometry(line: Any) -> Any:
    if line.type == "bbox":
        return tuple(max(0, value) for value in line.bbox)
    return merged(line.baseline), merged(line.boundary)


def typed(tags: Any) -> dict[str, list[str]]:
    """What ALTO keeps of tags: their types and values."""
    values = {name: [v["type"] for v in entries if v.get("type")] for name, entries in (tags or {}).items()}
    return {name: sorted(entries) for name, entries in values.items() if entries}


def region_facts(page: Segmentation, tags: Any) -> Counter[str]:
    return Counter(
        repr((kind, merged(region.boundary), tags(region.tags)))
        for kind, group in page.regions.items()
        for region in group
    )


def inside(page: Segmentation, line: Any) -> Any:
    """Boundary of the region that holds a line."""
    known = {region.id: region for group in page.regions.values() for region in group}
    region = known.get(line.regions[0]) if line.regions else None
    return merged(region.boundary) if region is not None else None


def round_trip(page: Segmentation, size: Any, template: str, folder: Path, kind: Any) -> XMLPage:
    document = serialize(page, image_size=size, template=template).encode("utf-8")
    found = schema(template)
    assert found.validate(etree.fromstring(document)), found.error_log
    file = folder / "again.xml"
    file.write_bytes(document)
    return XMLPage(file, linetype=kind)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_line_counts(row: dict[str, str]) -> None:
    assert len(XMLPage(path(row)).lines) == int(row["baselines"])
    assert len(XMLPage(path(row), linetype="bbox").lines) == int(row["polygons"])


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
@pytest.mark.parametrize("template", SCHEMAS)
def test_round_trip(row: dict[str, str], template: str, tmp_path: Path) -> None:
    kind = "baselines" if int(row["baselines"]) else "bbox"
    original = XMLPage(path(row), linetype=kind)
    page = original.to_container()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = round_trip(page, original.image_size, template, tmp_path, kind)
    read = again.to_container()
    order = written_order(page)
    if template == "pagexml":  # which demands outlines
        order = [i for i in order if page.lines[i].type == "bbox" or page.lines[i].boundary]
    before = [page.lines[i] for i in order]
    assert [line.text for line in read.lines] == [line.text for line in before]
    assert [geometry(line) for line in read.lines] == [geometry(line) for line in before]
    assert [line.base_dir for line in read.lines] == [line.base_dir for line in before]
    tags = typed if template == "alto" else lambda found: found or {}
    assert [tags(line.tags) for line in read.lines] == [tags(line.tags) for line in before]
    if template == "pagexml":
        # Lines outside of regions are wrapped in a block as large as the page.
        width, height = original.image_size
        wrapper = [(0, 0), (0, height), (width, height), (width, 0)]
        assert [inside(read, line) for line in read.lines] == [
            inside(page, line) or wrapper for line in before
        ]
        added = region_facts(read, tags) - region_facts(page, tags)
        assert all(repr(wrapper) in fact for fact in added)
        assert not region_facts(page, tags) - region_facts(read, tags)
    else:
        assert [inside(read, line) for line in read.lines] == [inside(page, line) for line in before]
        assert region_facts(read, tags) == region_facts(page, tags)
        place = {i: new for new, i in enumerate(order)}
        # The reader puts the order of the elements before those that the document states.
        assert read.line_orders[1:] == [[place[i] for i in old] for old in page.line_orders]
