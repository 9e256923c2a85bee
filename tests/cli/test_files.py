"""Commands that read documents: lines, convert, repolygonize."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from lxml import etree
from PIL import Image

from kraken._cli.documents import read_document
from kraken._cli.records import with_records
from kraken.containers import BaselineOCRRecord, BBoxOCRRecord, Segmentation
from kraken.lib.util import parse_gt_path
from kraken.serialization import serialize
from tests.cli.documents import SIZE, TEXTS, segmentation, write_all

Run = Callable[..., Result]


@pytest.mark.parametrize("kind", ["alto", "pagexml", "json"])
def test_lines_are_cut_out_with_their_texts(kind: str, run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)[kind]
    out = tmp_path / "out"
    result = run("lines", source, "-o", out, "-f", "png")
    assert result.exit_code == 0, result.stderr
    assert len(list(out.iterdir())) == 8
    for number, text in enumerate(TEXTS):
        stem = out / f"{source.stem}.{number}"
        assert Path(f"{stem}.gt.txt").read_text(encoding="utf-8") == text
        with Image.open(f"{stem}.png") as image:
            assert image.width > 300 and 20 <= image.height <= 40
            assert np.asarray(image).min() < 60
        if text:
            assert parse_gt_path(f"{stem}.png", split=lambda p: str(p)[:-4]).text == text


def test_lines_without_text_can_be_left_out(run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["alto"]
    assert run("lines", source, "-o", tmp_path / "out", "--skip-empty-lines").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jpg")) == [
        f"alto.{n}.jpg" for n in range(3)
    ]


def test_a_line_off_the_page_costs_only_itself(run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["json"]
    values = json.loads(source.read_text())
    values["lines"][1]["boundary"] = [[x + 5000, y] for x, y in values["lines"][1]["boundary"]]
    source.write_text(json.dumps(values))
    result = run("lines", source, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "l1" in result.stderr and len(list((tmp_path / "out").glob("*.jpg"))) == 3


@pytest.mark.parametrize("source_format", ["alto", "pagexml", "json"])
@pytest.mark.parametrize("target_format", ["alto", "pagexml", "json"])
def test_formats_are_turned_into_each_other(
    source_format: str, target_format: str, run: Run, tmp_path: Path
) -> None:
    source = write_all(tmp_path)[source_format]
    out = tmp_path / "out"
    result = run("convert", source, "-t", target_format, "-o", out)
    assert result.exit_code == 0, result.stderr
    (written,) = out.iterdir()
    before, after = read_document(source).segmentation, read_document(written).segmentation
    for one, other in zip(before.lines or [], after.lines or [], strict=True):
        assert one.id == other.id and (one.text or "") == (other.text or "")
        for name in ("baseline", "boundary"):
            np.testing.assert_array_equal(getattr(one, name)[:4], getattr(other, name)[:4])
    assert list(after.regions or {}) == ["text"]


@pytest.mark.parametrize(
    ("target_format", "suffix"), [("hocr", ".html"), ("abbyyxml", ".xml"), ("text", ".txt")]
)
def test_formats_that_are_only_written(target_format: str, suffix: str, run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["json"]
    assert run("convert", source, "-t", target_format, "-o", tmp_path / "out").exit_code == 0
    text = (tmp_path / "out" / f"seg{suffix}").read_text(encoding="utf-8")
    if target_format == "text":
        assert text == "\n".join(TEXTS)
    else:
        assert "second line" in "".join(etree.fromstring(text.encode()).itertext())


def test_pdf_holds_the_text(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("fpdf", reason="fpdf2 (extra pdf) isn't installed")
    pypdfium2 = pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
    source = write_all(tmp_path)["alto"]
    assert run("convert", source, "-t", "pdf", "-o", tmp_path / "out").exit_code == 0
    with pypdfium2.PdfDocument(tmp_path / "out" / "alto.pdf") as document:
        assert "second line" in document[0].get_textpage().get_text_bounded()


def test_lines_become_boxes_and_baselines(run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["alto"]
    assert run("convert", source, "-t", "json", "--linetype", "bbox", "-o", tmp_path / "a").exit_code == 0
    boxes = json.loads((tmp_path / "a" / "alto.json").read_text())
    assert boxes["type"] == "bbox" and boxes["lines"][0]["bbox"] == [36, 46, 380, 74]
    again = run(
        "convert",
        tmp_path / "a" / "alto.json",
        "-t",
        "pagexml",
        "--linetype",
        "baselines",
        "-o",
        tmp_path / "b",
    )
    assert again.exit_code == 0, again.stderr
    lines = read_document(tmp_path / "b" / "alto.xml", "baselines").segmentation.lines or []
    assert list(map(tuple, lines[0].baseline)) == [(36, 67), (380, 67)]  # type: ignore[union-attr,arg-type]


def test_lines_without_geometry_are_left_out_of_boxes(run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["json"]
    values = json.loads(source.read_text())
    values["lines"][1].update(baseline=None, boundary=None)
    values["line_orders"] = [[3, 2, 1, 0]]
    source.write_text(json.dumps(values))
    result = run("convert", source, "-t", "json", "--linetype", "bbox", "-o", tmp_path / "out")
    assert result.exit_code == 0 and "l1" in result.stderr
    boxes = json.loads((tmp_path / "out" / "seg.json").read_text())
    assert [line["id"] for line in boxes["lines"]] == ["l0", "l2", "l3"]
    assert boxes["line_orders"] == [[2, 1, 0]]


@pytest.mark.parametrize("kind", ["baselines", "bbox"])
@pytest.mark.parametrize("name", ["alto", "pagexml"])
def test_words_and_confidences_survive(kind: str, name: str, tmp_path: Path) -> None:
    plain = segmentation(str(tmp_path / "page.png"))
    line = (plain.lines or [])[1]
    text = line.text or ""
    width = 300 / len(text)
    confidences = [0.5 + i / 40 for i in range(len(text))]
    if kind == "bbox":
        box = line.to_bbox()  # type: ignore[union-attr]
        cuts = [(40 + round(width * i), 40 + round(width * (i + 1))) for i in range(len(text))]
        record = BBoxOCRRecord(
            text,
            [((a, 96), (b, 96), (b, 124), (a, 124)) for a, b in cuts],
            confidences,
            box,
            display_order=False,
        )
    else:
        spans = [(width * i, width * (i + 1)) for i in range(len(text))]
        record = BaselineOCRRecord(text, spans, confidences, line, display_order=False)  # type: ignore[assignment,arg-type]
    seg = Segmentation(kind, str(tmp_path / "page.png"), "horizontal-lr", False, [record])  # type: ignore[arg-type]
    path = tmp_path / "doc.xml"
    path.write_text(serialize(seg, image_size=SIZE, template=name), encoding="utf-8")
    (found,) = with_records(read_document(path, kind)).segmentation.lines or []  # type: ignore[arg-type]
    assert isinstance(found, type(record)) and found.prediction == text
    for char, stated, kept in zip(text, confidences, found.confidences, strict=True):
        assert char == " " or abs(stated - kept) < 0.01  # ALTO has no confidence for blanks
    for one, other in zip(record.cuts, found.cuts, strict=True):
        for pick in (min, max):
            assert abs(pick(x for x, _ in one) - pick(x for x, _ in other)) <= 3


def test_repolygonize_changes_polygons_only(run: Run, tmp_path: Path) -> None:
    paths = write_all(tmp_path)
    marked = paths["alto"].read_text().replace("<Layout>", "<!-- a remark --><Layout>")
    assert "a remark" in marked
    paths["alto"].write_text(marked)
    result = run("repolygonize", paths["alto"], paths["pagexml"], "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    for name in ("alto", "pagexml"):
        before = etree.parse(str(paths[name])).getroot()
        after = etree.parse(str(tmp_path / "out" / f"{name}_rewrite.xml")).getroot()
        changed = 0
        for one, other in zip(before.iter(), after.iter(), strict=True):
            assert one.tag == other.tag and (one.text or "").strip() == (other.text or "").strip()
            different = {key for key in other.attrib if one.get(key) != other.get(key)}
            assert different <= {"POINTS", "points"}
            changed += bool(different)
        assert changed == 4
        lines = read_document(tmp_path / "out" / f"{name}_rewrite.xml").segmentation.lines or []
        for row, line in enumerate(lines):
            ys = [y for _, y in line.boundary]  # type: ignore[union-attr]
            assert 40 + 50 * row <= min(ys) and max(ys) <= 85 + 50 * row


def test_lines_that_fail_keep_their_polygons(run: Run, tmp_path: Path) -> None:
    path = write_all(tmp_path)["alto"]
    text = path.read_text()
    first = text.index('BASELINE="') + 10
    end = text.index('"', first)
    path.write_text(text[:first] + "9000 9000 9100 9000" + text[end:])
    old = read_document(path).segmentation.lines or []
    result = run("repolygonize", path, "-o", tmp_path)
    assert result.exit_code == 0 and "1 lines keep their polygons" in result.stderr
    new = read_document(tmp_path / "alto_rewrite.xml").segmentation.lines or []
    same = [list(a.boundary) == list(b.boundary) for a, b in zip(old, new, strict=True)]  # type: ignore[union-attr,arg-type]
    assert same == [True, False, False, False]


@pytest.mark.parametrize("command", [("lines",), ("convert", "-t", "alto"), ("repolygonize",)])
def test_bad_files_are_named_and_leave_nothing(command: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    good = write_all(tmp_path)["alto"]
    bad = tmp_path / "bad.xml"
    bad.write_text(good.read_text()[:400])
    out = tmp_path / "out"
    result = run(*command, bad, good, "-o", out)
    assert result.exit_code == 1
    assert "bad.xml" in result.stderr and "1 of 2 inputs failed" in result.stderr
    names = [path.name for path in out.iterdir()]
    assert names and not any(name.startswith((".", "bad")) for name in names)
    assert run(*command).exit_code == 2
