"""Behaviour of the page object that recorded data don't cover."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from PIL import Image

from kraken.lib.xml import XMLPage, parse_alto, parse_page
from kraken.lib.xml.document import image_path, image_size
from kraken.lib.xml.language import iso639_3
from kraken.lib.xml.tags import parse_custom

PAGE = """<PcGts xmlns="urn:x"><Page imageFilename="a%20b.png" imageWidth="100" imageHeight="90">
<TextRegion id="r1" custom="readingOrder {index:1;}"><Coords points="0,0 90,0 90,80"/>
<TextLine id="l1" custom="readingOrder {index:1;} structure {type:heading;} split {type:train;}">
<Coords points="1,1 80,1 80,20 1,20"/><Baseline points="1,15 80,15"/>
<Word id="w1"><Coords points="1,1 9,1 9,9"/>
<Glyph id="g1"><Coords points="1,1 5,1 5,9"/><TextEquiv conf="0.5"><Unicode>o</Unicode></TextEquiv></Glyph>
<Glyph><TextEquiv conf="x"><Unicode>k</Unicode></TextEquiv></Glyph></Word>
<Word><TextEquiv conf="0.25"><Unicode>done</Unicode></TextEquiv></Word></TextLine>
<TextLine id="l2" custom="readingOrder {index:0;}">
<Baseline><Point x="1" y="35"/><Point x="8" y="35"/></Baseline>
</TextLine></TextRegion></Page></PcGts>"""

ALTO = """<alto xmlns="urn:x"><Description><sourceImageInformation><fileName>a.png</fileName>
</sourceImageInformation></Description><Layout><Page WIDTH="100.9" HEIGHT="90">
<TopMargin><TextBlock ID="b0" HPOS="0" VPOS="0" WIDTH="9" HEIGHT="8"><TextLine ID="l0" BASELINE="1 2 3 4"/>
</TextBlock></TopMargin>
<PrintSpace><TextBlock ID="b1" HPOS="0" VPOS="0" WIDTH="90" HEIGHT="80">
<TextLine ID="l1" BASELINE="1 2 3 4">
<String ID="s1" CONTENT="ok" WC="0.5" HPOS="1" VPOS="2" WIDTH="3" HEIGHT="4">
<Glyph ID="c1" CONTENT="o" GC="0.75"><Shape><Polygon POINTS="1 1 2 1 2 2"/></Shape></Glyph></String><SP/>
<String CONTENT="done"/></TextLine></TextBlock></PrintSpace></Page></Layout></alto>"""


def read(tmp_path: Path, content: str, **options: Any) -> XMLPage:
    file = tmp_path / "page.xml"
    file.write_text(content, encoding="utf-8")
    return XMLPage(file, **options)


def test_words_of_page(tmp_path: Path) -> None:
    page = read(tmp_path, PAGE, level="word")
    assert page.lines["l1"].text == "ok done"
    first, second = (page.words or {})["l1"]
    assert (first.id, first.text, first.confidence, first.boundary) == (
        "w1",
        "ok",
        None,
        [(1, 1), (9, 1), (9, 9)],
    )
    assert [(g.id, g.text, g.confidence) for g in first.glyphs] == [("g1", "o", 0.5), (None, "k", None)]
    assert (second.text, second.confidence, second.boundary, second.glyphs) == ("done", 0.25, None, [])
    assert (page.words or {})["l2"] == []
    assert read(tmp_path, PAGE).words is None


def test_words_of_alto(tmp_path: Path) -> None:
    page = read(tmp_path, ALTO, level="word")
    words = (page.words or {})["l1"]
    assert "".join(word.text for word in words) == page.lines["l1"].text == "ok done"
    assert words[0].boundary == [(1, 2), (1, 6), (4, 6), (4, 2)]
    assert words[0].confidence == 0.5
    assert (words[0].glyphs[0].text, words[0].glyphs[0].confidence) == ("o", 0.75)
    assert words[0].glyphs[0].boundary == [(1, 1), (2, 1), (2, 2)]


def test_margins_and_decimal_size(tmp_path: Path) -> None:
    page = read(tmp_path, ALTO)
    assert list(page.lines) == ["l0", "l1"]
    assert page.image_size == (100, 90)


def test_old_points_splits_and_custom_order(tmp_path: Path) -> None:
    page = read(tmp_path, PAGE)
    assert page.lines["l2"].baseline == [(1, 35), (8, 35)]  # type: ignore[union-attr]
    assert page.reading_orders["line_transkribus"]["order"] == ["l2", "l1"]
    assert page.reading_orders["line_transkribus"]["is_total"]
    assert (page.splits, page.has_splits) == (["train"], True)
    assert list(page.get_lines_by_split("train")) == ["l1"]
    assert page.get_lines_by_split("test") == {}
    assert list(page.get_lines_by_tag("type", "heading")) == ["l1"]
    assert list(page.get_lines_by_tag("type", [{"type": "heading"}])) == ["l1"]
    assert page.to_container().line_orders == [[0, 1], [1, 0]]


def test_tags_of_alto_lines_without_any(tmp_path: Path) -> None:
    assert read(tmp_path, ALTO).get_lines_by_tag("type", [{"type": "x"}]) == {}


@pytest.mark.parametrize("options", [{"filetype": "tei"}, {"linetype": "polygon"}, {"level": "glyph"}])
def test_unknown_arguments_are_named(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        read(tmp_path, PAGE, **options)


def test_parsers_take_strings_and_keep_comments_out(tmp_path: Path) -> None:
    commented = PAGE.replace("<Unicode>done", "<Unicode>do<!-- x -->ne").replace("<Word>", "<!-- y --><Word>")
    doc = etree.ElementTree(etree.fromstring(commented))
    parsed = parse_page(doc, str(tmp_path / "x.xml"), "baselines")
    assert parsed["lines"]["l1"].text == "ok done"
    assert "words" not in parsed
    parsed = parse_alto(etree.ElementTree(etree.fromstring(ALTO)), str(tmp_path / "x.xml"), "baselines")
    assert parsed["string_to_line_map"] == {"s1": "l1"}


@pytest.mark.parametrize("declared", ["a%20b.png", "sub\\a b.png", "/elsewhere/a b.png", "a b.tif"])
def test_image_under_another_name(declared: str, tmp_path: Path) -> None:
    (tmp_path / "a b.png").touch()
    assert image_path(tmp_path / "x.xml", declared) == tmp_path / "a b.png"


def test_image_name_stays_when_nothing_or_too_much_is_there(tmp_path: Path) -> None:
    assert image_path(tmp_path / "x.xml", "a%20b.png") == tmp_path / "a%20b.png"
    (tmp_path / "c.png").touch()
    (tmp_path / "c.jpg").touch()
    assert image_path(tmp_path / "x.xml", "c.tif") == tmp_path / "c.tif"
    (tmp_path / "c.tif").touch()
    assert image_path(tmp_path / "x.xml", "c.tif") == tmp_path / "c.tif"
    assert str(image_path(tmp_path / "x.xml", "n" * 5_000)).endswith("n")


def test_zero_size_is_taken_from_the_image(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (30, 20)).save(image, exif=exif)
    assert image_size("0", "7", tmp_path / "x.xml", image) == (20, 30)
    with pytest.raises(ValueError, match=r"x\.xml.*none\.jpg"):
        image_size("0", "0", tmp_path / "x.xml", tmp_path / "none.jpg")


def test_custom_attribute() -> None:
    assert parse_custom("a {x:1;} a {y:2:3; z;} b {} } c {d:{e;}") == {
        "a": [{"x": "1"}, {"y": "2:3", "z": ""}],
        "b": [{}],
    }


def test_languages() -> None:
    for value in ("de", "ger", "deu", "German"):
        assert iso639_3(value) == "deu"
    for value in ("DE", "german", " de", "de-DE", "iw", "sla", ""):
        assert iso639_3(value) == value


def test_torch_stays_out() -> None:
    code = (
        "import sys, kraken.lib.xml, kraken.serialization;"
        "sys.exit(len({'torch', 'lightning', 'scipy', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
