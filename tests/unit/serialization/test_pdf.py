"""Searchable PDF: what readers of PDFs find in it, and where."""

from __future__ import annotations

import logging
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree
from PIL import Image, ImageDraw, ImageFont

from kraken.containers import BaselineLine, BaselineOCRRecord, BBoxLine, BBoxOCRRecord, Segmentation
from kraken.lib.bidi import get_display_map
from kraken.serialization import write_pdf
from kraken.serialization.textlayer import place_words
from tests.unit.serialization.segmentations import segmentations

pytest.importorskip("fpdf", reason="fpdf2 (extra pdf) isn't installed")

LATIN = ["In the beginning (was) the Word,", "and the Word was w\u0301ith \\ café", "AVATAR 𐌰𐌱 illi ii"]
ARABIC = ["في البدء كان (الكلمة) والكلمة", "كان عند سنة", "هذا كتاب عربي"]
MIXED = ["كان عند الله 1234 سنة", "هذا كتاب abc def عربي", "كتاب"]
CHINESE = ["天地玄黃宇宙洪荒", "日月盈昃辰宿列張", "寒來暑往秋收冬藏"]
EMBEDDING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # poppler's own


def poppler(tool: str, *arguments: Any) -> bytes:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} (poppler-utils) isn't installed")
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


def extracted(file: Path, *options: str) -> list[str]:
    """Text of each page."""
    text = poppler("pdftotext", *options, "-enc", "UTF-8", file, "-").decode("utf-8")
    return normalize("NFC", EMBEDDING.sub("", text)).split("\f")[:-1]


def word_boxes(file: Path) -> list[list[tuple[str, tuple[float, ...]]]]:
    root = etree.fromstring(poppler("pdftotext", "-bbox", file, "-"))
    pages = root.iter("{*}page")
    sides = ("xMin", "yMin", "xMax", "yMax")
    return [[(w.text or "", tuple(float(w.get(s)) for s in sides)) for w in p] for p in pages]


def rendered(file: Path, tmp_path: Path, resolution: int) -> list[Image.Image]:
    poppler("pdftoppm", "-r", resolution, "-png", file, tmp_path / "shown")
    return [Image.open(path).convert("RGB") for path in sorted(tmp_path.glob("shown*.png"))]


def container(lines: list[Any], kind: str = "baselines") -> Segmentation:
    return Segmentation(
        type=kind, imagename="a.png", text_direction="horizontal-lr", script_detection=False, lines=lines
    )


Boxes = list[list[tuple[float, float, float, float]]]


def drawn(texts: list[str], *, rtl: bool = False, kind: str = "baselines") -> tuple[Any, Image.Image, Boxes]:
    """A page whose lines are drawn glyph by glyph, its records and the boxes of its words."""
    width, size = 1240, 48
    image = Image.new("RGB", (width, 200 + 90 * len(texts)), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    records: list[Any] = []
    boxes: Boxes = []
    for n, text in enumerate(texts):
        display, order = get_display_map(text, "R" if rtl else None)
        widths = [font.getlength(char) for char in display]
        left, foot = (width - 100 - sum(widths) if rtl else 100.0), 150 + 90 * n
        spans: list[Any] = [None] * len(text)
        position = 0.0
        for char, i, advance in zip(display, order, widths, strict=True):
            draw.text((left + position, foot), char, font=font, fill="black", anchor="ls")
            spans[i] = (position, position + advance)
            position += advance
        top, bottom = foot - 40, foot + 14
        confidences = [0.9] * len(text)
        direction = "R" if rtl else None
        if kind == "bbox":
            line = BBoxLine(id=f"l{n}", bbox=(left, top, left + position, bottom))
            cuts = [
                ((left + a, top), (left + b, top), (left + b, bottom), (left + a, bottom)) for a, b in spans
            ]
            records.append(BBoxOCRRecord(text, cuts, confidences, line, direction, display_order=False))
        else:
            right = left + position
            outline = [(left, top), (right, top), (right, bottom), (left, bottom)]
            source = BaselineLine(id=f"l{n}", baseline=[(left, foot), (right, foot)], boundary=outline)
            records.append(
                BaselineOCRRecord(text, spans, confidences, source, direction, display_order=False)
            )
        words = []
        for match in re.finditer(r"\S+", text):
            inside = spans[match.start() : match.end()]
            words.append((left + min(a for a, _ in inside), top, left + max(b for _, b in inside), bottom))
        boxes.append(words)
    return container(records, kind), image, boxes


def columns(texts: list[str], direction: str = "vertical-rl") -> tuple[Segmentation, Image.Image]:
    """A page with vertical lines of squares."""
    image = Image.new("RGB", (1240, 1200), "white")
    draw = ImageDraw.Draw(image)
    records = []
    for n, text in enumerate(texts):
        x = 1100 - 90 * n if direction == "vertical-rl" else 100 + 90 * n
        cuts = []
        for k in range(len(text)):
            y = 100 + 50 * k
            draw.rectangle((x + 5, y + 5, x + 45, y + 45), outline="black", width=4)
            cuts.append(((x, y), (x + 50, y), (x + 50, y + 50), (x, y + 50)))
        line = BBoxLine(id=f"v{n}", bbox=(x, 100, x + 50, 100 + 50 * len(text)), text_direction=direction)
        records.append(BBoxOCRRecord(text, cuts, [0.9] * len(text), line, display_order=False))
    return container(records, "bbox"), image


def test_three_pages_extract_in_reading_order(tmp_path: Path) -> None:
    file = tmp_path / "three.pdf"
    pages = [drawn(LATIN)[:2], drawn(ARABIC, rtl=True)[:2], columns(CHINESE)]
    write_pdf(iter(pages), file)
    expected = [LATIN, ARABIC, CHINESE]
    for page, lines in zip(extracted(file), expected, strict=True):
        assert [" ".join(line.split()) for line in page.splitlines() if line] == [
            " ".join(normalize("NFC", line).split()) for line in lines
        ]
    # Content order is reading order, for readers that don't look at places.
    for page, lines in zip(extracted(file, "-raw")[::2], expected[::2], strict=True):
        assert page.split() == normalize("NFC", " ".join(lines)).split()
    shown = rendered(file, tmp_path, 300)
    assert len(shown) == 3
    for (_, image), page in zip(pages, shown, strict=True):
        assert page.size == image.size
        # poppler blurs edges a little, by half of what an empty page would differ at most
        wanted = np.asarray(image, float)
        assert np.abs(np.asarray(page, float) - wanted).mean() < (255 - wanted).mean() / 2


def test_lines_whose_outlines_overlap_stay_apart(tmp_path: Path) -> None:
    texts = [f"line {n} has got some words" for n in range(12)]
    lines = [
        BaselineLine(
            id=f"l{n}",
            baseline=[(100, 100 + 30 * n), (420, 100 + 30 * n)],
            boundary=[(100, 60 + 30 * n), (420, 60 + 30 * n), (420, 115 + 30 * n), (100, 115 + 30 * n)],
            text=text,
        )
        for n, text in enumerate(texts)
    ]
    assert {word.height for words in place_words(container(lines)) for word in words} == {21}
    file = tmp_path / "close.pdf"
    write_pdf([(container(lines), Image.new("L", (1000, 600), 255))], file)
    assert extracted(file)[0].split() == " ".join(texts).split()


def test_mixed_directions(tmp_path: Path) -> None:
    """Without regard to blanks, which poppler misplaces where directions meet."""
    file = tmp_path / "mixed.pdf"
    write_pdf([drawn(MIXED, rtl=True)[:2]], file)
    assert ["".join(line.split()) for line in extracted(file)[0].splitlines() if line] == [
        line.replace(" ", "") for line in MIXED
    ]


@pytest.mark.parametrize("kind", ["baselines", "bbox"])
@pytest.mark.parametrize(("texts", "rtl"), [(LATIN, False), (MIXED, True)])
def test_boxes_lie_on_the_words(tmp_path: Path, kind: str, texts: list[str], rtl: bool) -> None:
    file = tmp_path / "boxes.pdf"
    segmentation, image, expected = drawn(texts, rtl=rtl, kind=kind)
    write_pdf([(segmentation, image)], file, resolution=72)
    (found,) = word_boxes(file)

    def place(box: tuple[float, ...]) -> tuple[int, float]:
        return round(box[3] / 20), box[0]

    wanted = sorted((box for line in expected for box in line), key=place)
    assert len(found) == len(wanted)
    widths = [(box[2] - box[0]) / len(word) for word, box in found]
    errors = [
        abs(a - b)
        for (_, box), truth in zip(sorted(found, key=lambda entry: place(entry[1])), wanted, strict=True)
        for a, b in zip(box, truth, strict=True)
    ]
    assert np.mean(errors) <= 0.1 * np.mean(widths)
    assert max(errors) <= 0.3 * np.mean(widths)


@pytest.mark.parametrize("direction", ["vertical-rl", "vertical-lr"])
def test_boxes_lie_on_vertical_lines(tmp_path: Path, direction: str) -> None:
    file = tmp_path / "columns.pdf"
    segmentation, image = columns(CHINESE, direction)
    write_pdf([(segmentation, image)], file, resolution=72)
    (found,) = word_boxes(file)
    truth = {line.prediction: line.bbox for line in segmentation.lines}
    assert {text for text, _ in found} == set(CHINESE)
    errors = [abs(a - b) for text, box in found for a, b in zip(box, truth[text], strict=True)]
    assert np.mean(errors) <= 0.1 * 50
    assert max(errors) <= 0.3 * 50


@pytest.mark.parametrize("degrees", [-170, -90, -30, -3, 0, 3, 15, 30, 90, 95, 180])
def test_words_follow_the_baseline(tmp_path: Path, degrees: float) -> None:
    """A line turned by any angle: words keep their distance to the middle of the page."""
    turn = math.radians(degrees)

    def turned(x: float, y: float) -> tuple[float, float]:
        return 500 + x * math.cos(turn) - y * math.sin(turn), 500 + x * math.sin(turn) + y * math.cos(turn)

    text = "alpha beta gamma"
    line = BaselineLine(
        id="l",
        baseline=[turned(-320, 0), turned(0, 0), turned(320, 0)],
        boundary=[turned(-320, -30), turned(320, -30), turned(320, 10), turned(-320, 10)],
    )
    spans = [(40 * k, 40 * k + 40) for k in range(len(text))]
    record = BaselineOCRRecord(text, spans, [1.0] * len(text), line, display_order=False)
    ((alpha, _, beta, _, gamma),) = place_words(container([record]))
    assert [alpha.text, beta.text, gamma.text] == ["alpha", "beta", "gamma"]
    for word, start, letters in ((alpha, -320, 5), (beta, -80, 4), (gamma, 120, 5)):
        assert (word.x, word.y) == pytest.approx(turned(start, 10), abs=1.5)
        assert math.remainder(word.angle - turn, math.tau) == pytest.approx(0, abs=0.02)
        assert word.length == pytest.approx(40 * letters, abs=2)
        assert word.height == pytest.approx(40, abs=1)
    file = tmp_path / "turned.pdf"
    write_pdf([(container([record]), Image.new("L", (1000, 1000), 255))], file)
    if abs(math.remainder(degrees, 90)) < 20:
        assert extracted(file)[0].split() == text.split()
    else:  # poppler looks for words along the sides of the page only
        assert sorted("".join(extracted(file)[0].split())) == sorted(text.replace(" ", ""))


def test_words_follow_a_curved_baseline() -> None:
    baseline = [(x, 300 + 100 * math.cos(x / 300)) for x in range(100, 1100, 20)]
    boundary = [(x, y - 30) for x, y in baseline] + [(x, y + 10) for x, y in reversed(baseline)]
    text = "one two three four five six seven"
    line = BaselineLine(id="l", baseline=baseline, boundary=boundary, text=text)
    (words,) = place_words(container([line]))
    assert "".join(word.text for word in words) == text
    for word in words:
        slope = -math.sin((word.x + word.length / 2) / 300) / 3
        assert math.tan(word.angle) == pytest.approx(slope, abs=0.12)
        assert word.y == pytest.approx(300 + 100 * math.cos(word.x / 300) + 10, abs=6)


def test_lines_without_cuts_get_their_text_spread(tmp_path: Path) -> None:
    outline = [(100, 60), (700, 60), (700, 110), (100, 110)]
    lines = [
        BaselineLine(id="outlined", baseline=[(100, 100), (700, 100)], boundary=outline, text="ab cd"),
        BaselineLine(id="bare", baseline=[(100, 200), (700, 200)], text="ef gh"),
        BBoxLine(id="box", bbox=(100, 260, 700, 310), text="ij kl"),
        BBoxLine(id="upright", bbox=(800, 60, 850, 660), text_direction="vertical-lr", text="mn op"),
        # drawn in the direction of reading
        BaselineLine(id="leftwards", baseline=[(700, 400), (100, 400)], text="אב גד"),
        BaselineOCRRecord(
            "qr st",
            [],
            [],
            BaselineLine(id="cutless", baseline=[(100, 500), (700, 500)]),
            display_order=False,
        ),
    ]
    placed = list(place_words(container(lines)))
    assert [[w.text for w in words] for words in placed] == [
        ["ab", " ", "cd"],
        ["ef", " ", "gh"],
        ["ij", " ", "kl"],
        ["mn", " ", "op"],
        ["בא", " ", "דג"],
        ["qr", " ", "st"],
    ]
    for words in (placed[0], placed[1], placed[2], placed[5]):
        assert words[0].x == pytest.approx(100, abs=1)
        assert words[2].x == pytest.approx(460, abs=1)
        assert words[2].length == pytest.approx(240, abs=1)
        assert words[0].angle == pytest.approx(0, abs=1e-9)
    assert placed[3][0].angle == pytest.approx(math.pi / 2)
    assert placed[3][2].y == pytest.approx(420, abs=1)
    first, _, second = placed[4]
    assert first.angle == pytest.approx(0, abs=1e-9)
    assert first.x == pytest.approx(460, abs=1)
    assert second.x == pytest.approx(100, abs=1)
    file = tmp_path / "spread.pdf"
    write_pdf([(container(lines), Image.new("L", (1000, 800), 255))], file)
    assert sorted("".join(extracted(file)).split()) == sorted(
        ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "אב", "גד", "qr", "st"]
    )


def test_lines_that_no_cut_crosses_get_the_height_of_their_outline() -> None:
    outline = [(100, 60), (700, 60), (700, 110), (100, 110)]
    line = BaselineLine(id="l", baseline=[(0, 100), (90, 100)], boundary=outline)
    record = BaselineOCRRecord("word", [(0, 20), (20, 40), (40, 60), (60, 80)], [1.0] * 4, line)
    ((word,),) = place_words(container([record]))
    assert (word.x, word.y, word.length, word.height) == pytest.approx((0, 110, 80, 50))


def test_lines_without_place_are_named(caplog: pytest.LogCaptureFixture) -> None:
    lines = [BaselineLine(id="nowhere", text="abc"), BBoxLine(id="empty", bbox=(0, 0, 9, 9), text=" ")]
    with caplog.at_level(logging.WARNING):
        assert list(place_words(container(lines))) == []
    assert "nowhere" in caplog.text
    assert "empty" not in caplog.text


def test_records_in_display_order_are_turned_around() -> None:
    segmentation, _, _ = drawn(["אב גד (ה)"], rtl=True)
    logical = list(place_words(segmentation))
    shown = container([line.display_order("R") for line in segmentation.lines])
    assert list(place_words(shown)) == logical
    assert [word.text for word in logical[0]] == ["בא", " ", "דג", " ", ")ה("]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("quality", [None, 90])
def test_images_of_any_mode_look_as_they_are(tmp_path: Path, mode: str, quality: int | None) -> None:
    image = Image.new("L", (300, 200), 255)
    ImageDraw.Draw(image).rectangle((20, 30, 120, 90), fill=0)
    if mode == "I;16":
        given = Image.fromarray(np.asarray(image, np.uint16) * 257)
    else:
        given = image.convert("RGB" if mode in ("CMYK", "P") else "L").convert(mode)
    file = tmp_path / "image.pdf"
    write_pdf([(container([]), given)], file, resolution=100, jpeg_quality=quality)
    (shown,) = rendered(file, tmp_path, 100)
    assert shown.size == (300, 200)
    assert np.abs(np.asarray(shown.convert("L"), float) - np.asarray(image, float)).mean() < 2


def test_image_files(tmp_path: Path) -> None:
    image = Image.effect_noise((200, 120), 60)
    plain, rotated = tmp_path / "plain.jpg", tmp_path / "rotated.jpg"
    image.save(plain, dpi=(150, 150))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(rotated, exif=exif)
    file = tmp_path / "files.pdf"
    write_pdf([(container([]), plain), (container([]), str(rotated))], file)
    assert plain.read_bytes() in file.read_bytes(), "a JPEG file is embedded as it is"
    sizes = re.findall(r"Page +\d+ size: +([\d.]+) x ([\d.]+)", poppler("pdfinfo", "-l", 9, file).decode())
    assert [(float(w), float(h)) for w, h in sizes] == [(96, 57.6), (28.8, 48)]


def test_page_sizes_stay_within_what_pdf_allows(tmp_path: Path) -> None:
    file = tmp_path / "large.pdf"
    write_pdf([(container([]), Image.new("1", (30_000, 100)))], file, resolution=72)
    found = re.search(r"Page size: +([\d.]+) x", poppler("pdfinfo", file).decode())
    assert found is not None
    assert float(found[1]) == pytest.approx(14_400)


def test_pages_are_taken_one_by_one_and_files_replaced_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "lazy.pdf"
    file.write_text("before")

    def pages(fail: bool) -> Iterator[Any]:
        for k in range(3):
            yield (
                container([BBoxLine(id="l", bbox=(5, 5, 90, 20), text=f"page {k}")]),
                Image.new("L", (99, 99)),
            )
        assert file.read_text() == "before"
        if fail:
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_pdf(pages(True), file)
    assert file.read_text() == "before"
    write_pdf(pages(False), file)
    assert [page.split() for page in extracted(file)] == [["page", str(k)] for k in range(3)]
    assert list(tmp_path.iterdir()) == [file]


def test_errors_name_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "none.pdf"
    blank = Image.new("L", (9, 9))
    with pytest.raises(ValueError, match="at least one page"):
        write_pdf([], file)
    with pytest.raises(ValueError, match="resolution"):
        write_pdf([(container([]), blank)], file, resolution=0)
    with pytest.raises(ValueError, match="jpeg_quality"):
        write_pdf([(container([]), blank)], file, jpeg_quality=0)
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        write_pdf([(container([]), tmp_path / "missing.png")], file)
    endless = BBoxLine(id="l9", bbox=(0, 0, math.inf, 9), text="a b")
    with pytest.raises(ValueError, match=r"Page 2 .*a\.png"):
        write_pdf([(container([]), blank), (container([endless]), blank)], file)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(ImportError, match=r"kraken\[pdf\]"):
        write_pdf([(container([]), blank)], file)
    assert not list(tmp_path.iterdir())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(segmentation=segmentations())
def test_anything_gives_a_pdf_or_a_clear_error(
    segmentation: Segmentation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("any") / "any.pdf"
    before = repr(segmentation.__dict__)
    try:
        write_pdf([(segmentation, Image.new("1", (1000, 800), 1))], file)
    except ValueError as error:
        assert "Page 1" in str(error)
        assert not file.exists()
    else:
        assert file.read_bytes().startswith(b"%PDF")
    assert repr(segmentation.__dict__) == before
