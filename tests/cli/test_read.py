"""kraken read: inputs, places and formats of results, failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lxml import etree
from PIL import Image

from kraken._cli import page_files, read
from kraken._cli.documents import read_document
from kraken._cli.errors import CommandError
from kraken._cli.results import FORMATS, choose_format
from kraken.containers import Segmentation
from kraken.kraken import cli
from tests.robustness.images import page

Run = Callable[..., Result]


@pytest.fixture
def models(layout_model: Path, text_model: Path) -> list[object]:
    return ["-i", layout_model, "-m", text_model]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    page().save(tmp_path / "page.png")
    return tmp_path / "page.png"


@pytest.fixture
def expected(run: Run, image: Path, layout_model: Path, text_model: Path) -> str:
    """What the steps one by one make of the page."""
    result = run("-i", image, "-", "segment", "-bl", "-i", layout_model, "ocr", "-m", text_model)
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 4
    return result.stdout


def test_text_of_a_page_is_what_the_steps_give(
    run: Run, models: list[object], image: Path, expected: str
) -> None:
    result = run("read", *models, image)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == expected


def test_form_feeds_stand_between_pages_and_keep_the_place_of_failed_ones(
    run: Run, models: list[object], image: Path, expected: str
) -> None:
    image.with_name("page.bad.png").write_text("no image")
    image.with_name("page2.png").write_bytes(image.read_bytes())
    result = run("read", *models, image, image.with_name("page.bad.png"), image.with_name("page2.png"))
    assert result.exit_code == 1
    assert result.stdout.split("\f") == [expected, "", expected]
    assert (
        "1 of 3 inputs failed" in result.stderr
        and "page.bad.png: read: UnreadableImageError" in result.stderr
    )
    stopped = run("--fail-fast", "read", *models, image.with_name("page.bad.png"), image)
    assert stopped.exit_code == 1 and stopped.stdout == ""


def test_two_threads_read_the_same_pages(run: Run, models: list[object], image: Path, expected: str) -> None:
    bad = image.with_name("a.png")
    bad.write_text("no image")
    page((420, 350)).save(image.with_name("page3.png"))
    files = [bad, image, image.with_name("page3.png"), image]
    one, two = (run("--threads", n, "read", *models, *files) for n in (1, 2))
    assert one.exit_code == two.exit_code == 1
    assert one.stdout == two.stdout and expected in two.stdout


def test_standard_input(models: list[object], image: Path, expected: str) -> None:
    args = [str(arg) for arg in ("read", *models, "-")]
    result = CliRunner().invoke(cli, args, input=image.read_bytes())
    assert result.exit_code == 0, result.stderr
    assert result.stdout == expected
    result = CliRunner().invoke(cli, [*args, "-f", "json"], input=image.read_bytes())
    assert json.loads(result.stdout)["imagename"] == "stdin"
    assert CliRunner().invoke(cli, args, input=b"").exit_code == 2
    assert CliRunner().invoke(cli, [*args, "-"], input=image.read_bytes()).exit_code == 2


def test_folders_come_out_as_folders_in_natural_order(
    run: Run, models: list[object], image: Path, tmp_path: Path
) -> None:
    book = tmp_path / "book"
    (book / "part").mkdir(parents=True)
    (book / ".hidden").mkdir()
    for name in ("10.png", "2.PNG", "part/1.png", ".hidden/1.png", ".3.png"):
        (book / name).write_bytes(image.read_bytes())
    (book / "notes.txt").write_text("no page")
    found = page_files.find_files([str(book)], False, tmp_path)
    assert [file.path.name for file in found] == ["2.PNG", "10.png"]
    out = tmp_path / "out"
    result = run("--json", "read", *models, "-r", book, "-o", out)
    assert result.exit_code == 0, result.stderr
    written = {str(path.relative_to(out)) for path in out.rglob("*.txt")}
    assert written == {"2.txt", "10.txt", "part/1.txt"}
    summary = json.loads(result.stdout)
    assert summary["succeeded"] == 3 and summary["results"][0]["outputs"] == [str(out / "2.txt")]
    empty = run("read", *models, book / ".hidden" / "..", "-o", out, tmp_path / "nothing*")
    assert empty.exit_code == 2 and "nothing*" in empty.stderr
    (tmp_path / "empty").mkdir()
    assert "--recursive" in run("read", tmp_path / "empty").stderr


def test_patterns_and_repeated_names(run: Run, models: list[object], image: Path) -> None:
    image.with_name("page2.png").write_bytes(image.read_bytes())
    result = run("read", *models, image.parent / "page*.png", image)
    assert result.exit_code == 0 and result.stdout.count("\f") == 1


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"text", "json", "pdf"}))
def test_documents(kind: str, run: Run, models: list[object], image: Path) -> None:
    result = run("read", *models, "-f", kind, image)
    assert result.exit_code == 0, result.stderr
    root = etree.fromstring(result.stdout.encode(), etree.XMLParser(recover=kind == "hocr", load_dtd=False))
    names = {"alto": "alto", "page": "PcGts", "hocr": "html", "abbyyxml": "document"}
    assert etree.QName(root).localname == names[kind]
    if kind == "alto":
        assert len(root.findall(".//{*}TextLine")) == 4 and "Text line recognition" in result.stdout
    several = run("read", *models, "-f", kind, image, image.parent / "*.png", image.parent)
    assert several.exit_code == 0, "these are one page"
    image.with_name("page2.png").write_bytes(image.read_bytes())
    several = run("read", *models, "-f", kind, image.parent)
    assert several.exit_code == 2 and "2 pages" in several.stderr and "-o" in several.stderr


def test_json_has_a_line_for_each_page(run: Run, models: list[object], image: Path, expected: str) -> None:
    image.with_name("page2.png").write_bytes(image.read_bytes())
    target = image.with_name("all.json")
    result = run("read", *models, image.parent, "-o", target)
    assert result.exit_code == 0 and result.stdout == "", result.stderr
    pages = [Segmentation(**json.loads(line)) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [Path(str(found.imagename)).name for found in pages] == ["page.png", "page2.png"]
    for found in pages:
        assert "\n".join(line.text or "" for line in found.lines or []) + "\n" == expected


def test_a_file_for_all_pages_is_written_only_if_all_are_there(
    run: Run, models: list[object], image: Path, expected: str
) -> None:
    target = image.with_name("all.txt")
    assert run("read", *models, image, "-o", target).exit_code == 0
    assert target.read_text(encoding="utf-8") == expected
    image.with_name("zbad.png").write_text("no image")
    result = run("read", *models, image.parent, "-o", target)
    assert result.exit_code == 1 and "isn't written" in result.stderr
    assert target.read_text(encoding="utf-8") == expected


def test_pages_of_a_pdf(run: Run, models: list[object], tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
    book = tmp_path / "book.pdf"
    page().save(book, save_all=True, append_images=[page((500, 350))], resolution=300)
    text = run("read", *models, book)
    assert text.exit_code == 0 and text.stdout.count("\f") == 1
    result = run("read", *models, book, "-f", "alto", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["book_0001.xml", "book_0002.xml"]
    assert "PDF image extraction" in (tmp_path / "out" / "book_0002.xml").read_text()
    piped = CliRunner().invoke(cli, [str(a) for a in ("read", *models, "-")], input=book.read_bytes())
    assert piped.stdout == text.stdout
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    broken = run("read", *models, tmp_path / "broken.pdf")
    assert broken.exit_code == 1 and "can't be read as PDF" in broken.stderr


def test_pages_of_a_tiff(run: Run, models: list[object], tmp_path: Path, expected: str) -> None:
    book, other = tmp_path / "book.tif", page((500, 350))
    other.save(book, save_all=True, append_images=[page()])
    text = run("read", *models, book)
    assert text.exit_code == 0, text.stderr
    assert text.stdout.split("\f")[1] == expected and "only the first" not in text.stderr
    piped = CliRunner().invoke(cli, [str(a) for a in ("read", *models, "-")], input=book.read_bytes())
    assert piped.stdout == text.stdout
    result = run("read", *models, book, "-f", "alto", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    second = tmp_path / "out" / "book_0002.xml"
    assert sorted(path.name for path in second.parent.iterdir()) == ["book_0001.xml", "book_0002.xml"]
    # the documents say which page they are of, so that what reads them finds its picture
    other.save(tmp_path / "first.png")
    page().save(tmp_path / "second.png")
    for name, number in (("first", "book_0001"), ("second", "book_0002")):
        document = read_document(second.with_name(f"{number}.xml"))
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert document.open_image().tobytes() == picture.tobytes()
    assert read_document(second, page_number=1).open_image().size == other.size
    pages = run("read", *models, book, "-f", "page", "-o", tmp_path / "pages")
    assert pages.exit_code == 0, pages.stderr
    for number, size in (("0001", other.size), ("0002", page().size)):
        assert read_document(tmp_path / "pages" / f"book_{number}.xml").open_image().size == size
    other.save(book)  # a name that only looks like one of several pages
    assert read_document(tmp_path / "pages" / "book_0002.xml").open_image().size == other.size


def test_a_pdf_of_a_tiff_shows_every_page(run: Run, models: list[object], tmp_path: Path) -> None:
    pdfium: Any = pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
    pytest.importorskip("fpdf", reason="fpdf2 (extra pdf) isn't installed")
    book = tmp_path / "book.tif"
    page().save(book, save_all=True, append_images=[page((900, 350))])
    result = run("read", *models, book, "-o", tmp_path / "book.pdf")
    assert result.exit_code == 0, result.stderr
    with pdfium.PdfDocument(tmp_path / "book.pdf") as document:
        shapes = [round(page.get_width() / page.get_height(), 2) for page in document]
    width, height = page().size
    assert shapes == [round(width / height, 2), round(900 / 350, 2)]


def test_searchable_pdf(run: Run, models: list[object], image: Path) -> None:
    pdfium: Any = pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
    pytest.importorskip("fpdf", reason="fpdf2 (extra pdf) isn't installed")
    image.with_name("page2.png").write_bytes(image.read_bytes())
    printed = run("read", *models, "-f", "pdf", image.parent)
    assert printed.exit_code == 0, printed.stderr
    with pdfium.PdfDocument(printed.stdout_bytes) as document:
        assert len(document) == 2
    result = run("read", *models, image, "-o", image.with_name("one.pdf"))
    assert result.exit_code == 0 and image.with_name("one.pdf").read_bytes().startswith(b"%PDF")
    assert run("read", *models, image, "-f", "pdf", "-o", image.with_name("each")).exit_code == 0
    assert (image.with_name("each") / "page.pdf").read_bytes().startswith(b"%PDF")
    piped = CliRunner().invoke(
        cli, [str(a) for a in ("read", *models, "-", "-f", "pdf")], input=image.read_bytes()
    )
    assert piped.exit_code == 0 and piped.stdout_bytes.startswith(b"%PDF")


def test_without_models_the_bundled_ones_are_used(run: Run, image: Path) -> None:
    blank = image.with_name("blank.png")
    Image.new("L", (400, 300), 255).save(blank)
    result = run("read", blank)
    assert result.exit_code == 0 and result.stdout.strip() == "", result.stderr
    chained = run("-i", blank, "-", "segment", "-bl", "ocr")
    assert chained.exit_code == 0 and chained.stdout.strip() == "", chained.stderr


def test_options_of_decoders_and_batches(run: Run, models: list[object], image: Path, expected: str) -> None:
    assert run("read", *models, "-B", "1", image).stdout == expected
    assert run("read", *models, "--decoder", "beam", "--beam-size", "4", image).exit_code == 0
    result = run("read", *models, "--lm-weight", "1", image)
    assert result.exit_code == 2 and "--lm-weight" in result.stderr


@pytest.mark.parametrize(
    ("before", "args", "word"),
    [
        ([], [], "No input"),
        ([], ["missing.png"], "missing.png"),
        ([], ["{page}", "-i", "nowhere"], "nowhere"),
        ([], ["{page}", "-m", "nowhere"], "nowhere"),
        ([], ["{page}", "-o", "{page}.xml"], "-f"),
        ([], ["{page}", "-o", "{page}.txt", "-f", "alto"], "*.xml"),
        ([], ["{page}", "-o", "{page}/sub"], "can't be made"),
        ([], ["{page}", "-f", "pdf", "-o", "{page}.d/x.pdf"], "doesn't exist"),
        (["--json"], ["{page}"], "--json"),
        (["-a"], ["{page}"], "--alto"),
        (["-f", "pdf"], ["{page}"], "-f"),
        (["-i", "{page}", "out.txt"], ["{page}"], "read"),
    ],
)
def test_what_cant_work_is_said_at_once(
    before: list[str],
    args: list[str],
    word: str,
    run: Run,
    image: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a page was read")

    monkeypatch.setattr(read, "run_jobs", fail)
    result = run(*(text.format(page=image) for text in [*before, "read", *args]))
    assert result.exit_code == 2, result.exception
    assert word in result.stderr and "Traceback" not in result.stderr


def test_pages_with_one_name_collide(run: Run, models: list[object], image: Path, tmp_path: Path) -> None:
    page().save(image.with_suffix(".bmp"))
    result = run("read", *models, tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 2 and "page.txt" in result.stderr


def test_formats_follow_names(tmp_path: Path) -> None:
    assert choose_format(None, None) == "text"
    assert choose_format(None, Path("book.PDF")) == "pdf"
    assert choose_format(None, Path("folder")) == "text"
    (tmp_path / "a.xml").mkdir()
    assert choose_format(None, tmp_path / "a.xml") == "text"
    with pytest.raises(CommandError, match="alto, page, abbyyxml"):
        choose_format(None, Path("a.xml"))


def test_who_stops_reading_ends_the_run(
    run: Run, models: list[object], image: Path, monkeypatch: Any
) -> None:
    calls: list[object] = []

    def gone(*args: object, **_: object) -> None:
        calls.append(args)
        raise BrokenPipeError

    monkeypatch.setattr("kraken._cli.results.click.echo", gone)
    image.with_name("page2.png").write_bytes(image.read_bytes())
    result = run("read", *models, image.parent)
    assert result.exit_code != 0 and len(calls) == 1
