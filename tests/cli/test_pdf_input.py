"""Pages of PDF files as inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from tests.robustness.images import page

pytest.importorskip("pypdfium2", reason="pypdfium2 (extra pdf) isn't installed")
Run = Callable[..., Result]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Two pages, drawn at 300 dpi."""
    path = tmp_path / "book.pdf"
    pages = [page((420, 300)), page((500, 350))]
    pages[0].save(path, save_all=True, append_images=pages[1:], resolution=300)
    return path


def test_every_page_has_an_output_of_its_own(run: Run, layout_model: Path, book: Path) -> None:
    result = run("-f", "pdf", "-I", book, "-o", ".json", "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 0, result.stderr
    for index in range(2):
        found = json.loads(Path(f"{book}_{index:06d}.json").read_text())
        assert found["lines"] and found["imagename"] == str(book)


def test_pages_are_drawn_at_300_dpi(run: Run, book: Path) -> None:
    result = run("-f", "pdf", "-p", "{src}-{idx}", "-I", book, "-o", ".png", "binarize")
    assert result.exit_code == 0, result.stderr
    for index, expected in enumerate([(420, 300), (500, 350)]):
        with Image.open(f"{book}-{index}.png") as image:
            assert image.size == expected
            assert {value for _, value in image.convert("L").getcolors() or []} == {0, 255}


def test_the_history_names_the_extraction(run: Run, layout_model: Path, book: Path) -> None:
    result = run("-a", "-f", "pdf", "-I", book, "-o", ".xml", "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 0, result.stderr
    text = Path(f"{book}_000001.xml").read_text()
    assert text.index("PDF image extraction") < text.index("Baseline and region segmentation")


def test_outputs_given_with_inputs_are_ignored_with_a_warning(run: Run, book: Path) -> None:
    result = run("-f", "pdf", "-i", book, book.with_name("o.png"), "-o", ".png", "binarize")
    assert result.exit_code == 0
    assert result.stderr.count("Warning") == 1
    assert not book.with_name("o.png").exists() and Path(f"{book}_000000.png").exists()


@pytest.mark.parametrize(
    ("pattern", "word"),
    [("{src}", "Several inputs"), ("{page}", "{page}"), ("{idx:zz}", "--pdf-format"), ("{", "--pdf-format")],
)
def test_bad_names_are_usage_errors_before_any_page(run: Run, book: Path, pattern: str, word: str) -> None:
    result = run("-f", "pdf", "-p", pattern, "-I", book, "-o", ".png", "binarize")
    assert result.exit_code == 2
    assert word in result.stderr and len(result.stderr.splitlines()) == 1
    assert [path.name for path in book.parent.iterdir()] == [book.name]


def test_unique_names_need_no_index(run: Run, book: Path) -> None:
    result = run("-f", "pdf", "-p", "{src}{uuid}", "-I", book, "-o", ".png", "binarize")
    assert result.exit_code == 0, result.stderr
    assert len(list(book.parent.glob("book.pdf_*.png"))) == 2


def test_a_file_that_is_no_pdf_costs_only_itself(run: Run, book: Path) -> None:
    (book.parent / "cut.pdf").write_bytes(book.read_bytes()[:300])
    (book.parent / "text.pdf").write_text("no PDF")
    result = run("-f", "pdf", "-I", book.parent / "*.pdf", "-o", ".png", "binarize")
    assert result.exit_code == 1
    assert "2 of 4 inputs failed" in result.stderr
    assert "cut.pdf, page 1" in result.stderr and "text.pdf, page 1" in result.stderr
    assert len(list(book.parent.glob("*.png"))) == 2


def test_a_missing_package_is_a_usage_error(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kraken._cli.pdf_input.find_spec", lambda _: None)
    result = run("-f", "pdf", "-I", book, "-o", ".png", "binarize")
    assert result.exit_code == 2 and "kraken[pdf]" in result.stderr


def test_pages_of_a_pdf_become_a_searchable_one(
    run: Run, layout_model: Path, text_model: Path, book: Path
) -> None:
    pytest.importorskip("fpdf", reason="fpdf2 (extra pdf) isn't installed")
    target = book.with_name("read.pdf")
    chain = ("segment", "-bl", "-i", layout_model, "ocr", "-m", text_model)
    result = run("--pdf", target, "-f", "pdf", "-I", book, "-o", ".txt", *chain)
    assert result.exit_code == 0, result.stderr
    import pypdfium2

    with pypdfium2.PdfDocument(target) as document, pypdfium2.PdfDocument(book) as original:
        sizes = [[pdf[index].get_size() for index in range(2)] for pdf in (document, original)]
    assert sizes[0] == [pytest.approx(size, abs=1) for size in sizes[1]]
