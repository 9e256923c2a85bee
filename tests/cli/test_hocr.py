"""hOCR as input of the commands over documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from kraken._cli.documents import read_document
from kraken.containers import BaselineOCRRecord, Segmentation
from kraken.lib.xml import XMLPage
from kraken.lib.xml.hocr import read_hocr
from kraken.serialization import serialize
from tests.cli.documents import SIZE, TEXTS, segmentation, write_all

Run = Callable[..., Result]

#: As Tesseract writes it: paragraphs, percent, baselines as slope and offset, names in quotes.
TESSERACT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en"><head><title></title>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/></head><body>
<div class='ocr_page' id='page_1' title='image "page.png"; bbox 0 0 420 300; ppageno 0'>
 <div class='ocr_carea' id='block_1_1' title="bbox 30 40 390 120">
 <p class='ocr_par' id='par_1_1' title="bbox 30 40 390 120">
  <span class='ocr_header' id='line_1_1' title="bbox 36 46 380 74; baseline 0.01 -8; x_size 28">
   <span class='ocrx_word' id='word_1_1' title='bbox 36 46 200 74; x_wconf 96'>Grö&szlig;e</span>
   <span class='ocrx_word' id='word_1_2' title='bbox 210 46 380 74; x_wconf 50'><strong>&amp;</strong></span>
  </span>
  <span class='ocr_line' id='line_1_2' title="bbox 36 96 380 124; baseline 0 -8">
   <span class='ocrx_word' id='word_1_3' title='bbox 36 96 380 124; x_wconf 90'>end</span>
  </span></p></div></div></body></html>
"""


def recognised() -> Segmentation:
    """The page with records, as after `ocr`."""
    seg = segmentation()
    lines: list[Any] = []
    for line in seg.lines or ():
        text = line.text or ""
        step = 344 / max(1, len(text))
        cuts = [(i * step, (i + 1) * step) for i in range(len(text))]
        lines.append(BaselineOCRRecord(text, cuts, [0.5 + i / 100 for i in range(len(text))], line))  # type: ignore[arg-type]
    seg.lines = lines
    return seg


def test_own_hocr_comes_back_with_characters(run: Run, tmp_path: Path) -> None:
    write_all(tmp_path)
    first = tmp_path / "first.xml"
    first.write_text(serialize(recognised(), image_size=SIZE, template="alto"))
    assert run("convert", "-t", "hocr", "-o", tmp_path / "h", first).exit_code == 0
    result = run("convert", "-t", "alto", "-o", tmp_path / "a", tmp_path / "h" / "first.html")
    assert result.exit_code == 0, result.stderr
    before = XMLPage(first, level="word")
    after = XMLPage(tmp_path / "a" / "first.xml", linetype="bbox", level="word")
    assert after.image_size == SIZE and list(after.lines) == list(before.lines)
    assert [line.text for line in after.lines.values()] == list(TEXTS)
    assert [region.id for region in after.regions["text"]] == ["r0"]
    assert all(line.regions == ["r0"] for line in after.lines.values())
    for line_id, text in zip(before.lines, TEXTS, strict=True):
        old, new = (page.words[line_id] for page in (before, after) if page.words is not None)
        assert [word.text for word in old] == [word.text for word in new]
        for was, now in zip(old, new, strict=True):
            assert len(was.glyphs) == len(now.glyphs), text
            for a, b in zip(was.glyphs, now.glyphs, strict=True):
                assert b.confidence == pytest.approx(a.confidence, abs=0.006)
                assert a.boundary and b.boundary
                assert abs(min(x for x, _ in a.boundary) - min(x for x, _ in b.boundary)) <= 1


def test_hocr_of_other_engines(run: Run, tmp_path: Path) -> None:
    write_all(tmp_path)
    source = tmp_path / "scan.hocr"
    source.write_text(TESSERACT, encoding="utf-8")
    page = read_hocr(source)
    lines: list[Any] = list(page.segmentation.lines or ())
    assert page.size == SIZE and page.image == tmp_path / "page.png"
    assert [line.text for line in lines] == ["Größe &", "end"]
    assert lines[0].baseline == [(36, 66), (380, 69)] and lines[1].baseline == [(36, 116), (380, 116)]
    assert lines[0].regions == ["block_1_1"] and list(page.segmentation.regions or {}) == ["text"]
    assert [word.confidence for word in page.words["line_1_1"]] == [0.96, 0.5]
    for command in (
        ["convert", "-t", "pagexml"],
        ["convert", "-t", "json"],
        ["convert", "-t", "text"],
        ["convert", "-t", "pdf"],
        ["convert", "-t", "abbyyxml", "-s", ".abbyy.xml"],
        ["overlay"],
        ["lines"],
    ):
        result = run(*command, "-o", tmp_path / "out", source)
        assert result.exit_code == 0, result.stderr
    assert (tmp_path / "out" / "scan.txt").read_text(encoding="utf-8") == "Größe &\nend"
    assert (tmp_path / "out" / "scan.0.gt.txt").read_text(encoding="utf-8") == "Größe &"
    assert Segmentation(**json.loads((tmp_path / "out" / "scan.json").read_text())).type == "baselines"
    with Image.open(tmp_path / "out" / "scan.overlay.png") as picture:
        assert picture.size == SIZE
    refused = run("repolygonize", "-o", tmp_path / "out", source)
    assert refused.exit_code == 1 and "kraken convert" in refused.stderr


def test_boxes_and_vertical_text(tmp_path: Path) -> None:
    write_all(tmp_path)
    text = TESSERACT.replace("; baseline 0 -8", "").replace(
        "ppageno 0'", "ppageno 0' style='writing-mode: vertical-lr'"
    )
    (tmp_path / "scan.html").write_text(text, encoding="utf-8")
    found = read_document(tmp_path / "scan.html").segmentation
    assert found.type == "bbox" and found.text_direction == "vertical-lr"
    assert [line.bbox for line in found.lines or ()] == [(36, 46, 380, 74), (36, 96, 380, 124)]  # type: ignore[union-attr]
    assert read_document(tmp_path / "scan.html", "baselines").segmentation.type == "baselines"


@pytest.mark.parametrize(
    "content",
    [
        "<html></html>",
        "<html><body>" + "<div class='ocr_page' title='bbox 0 0 9 9'></div>" * 2,
        "<html>\x00\x01",
        "<!DOCTYPE html><html><p>text</p></html>",
    ],
)
def test_what_is_no_page_is_named(content: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(content)
    result = run("convert", "-t", "alto", "-o", tmp_path / "out", tmp_path / "bad.html")
    assert result.exit_code == 1 and "bad.html" in result.stderr and "Traceback" not in result.stderr
    assert not list((tmp_path / "out").iterdir())


def test_damaged_properties_cost_only_themselves(tmp_path: Path) -> None:
    text = TESSERACT.replace("baseline 0.01 -8", "baseline x").replace("x_wconf 96", "x_wconf")
    text = text.replace("bbox 36 96 380 124; baseline", "bbox 36; baseline")
    (tmp_path / "scan.html").write_text(text, encoding="utf-8")
    page = read_hocr(tmp_path / "scan.html")
    assert [line.text for line in page.segmentation.lines or ()] == ["Größe &"]
    assert page.words["line_1_1"][0].confidence is None
