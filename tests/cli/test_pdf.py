"""One searchable PDF of all pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.robustness.images import page

pytest.importorskip("fpdf", reason="fpdf2 (extra pdf) isn't installed")
Run = Callable[..., Result]


def page_files(folder: Path) -> list[Path]:
    files = [folder / f"page{n}.png" for n in (2, 1)]
    for n, file in enumerate(files):
        page((420, 180 + 120 * n)).save(file)
    return files


@pytest.fixture
def chain(layout_model: Path, text_model: Path) -> list[object]:
    return ["segment", "-bl", "-i", layout_model, "ocr", "-m", text_model]


def test_pages_come_in_the_order_of_the_inputs(run: Run, chain: list[object], tmp_path: Path) -> None:
    files = page_files(tmp_path)
    book = tmp_path / "book.pdf"
    pairs = [argument for file in files for argument in ("-i", file, file.with_suffix(".txt"))]
    result = run("--pdf", book, *pairs, *chain)
    assert result.exit_code == 0, result.stderr
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) isn't installed")
    text = subprocess.run(["pdftotext", str(book), "-"], capture_output=True, text=True, check=True).stdout
    pages = text.split("\f")[:-1]
    for found, file in zip(pages, files, strict=True):
        words = file.with_suffix(".txt").read_text(encoding="utf-8")
        assert words.strip()
        assert sorted(found.replace("\n", "").replace(" ", "")) == sorted(
            words.replace("\n", "").replace(" ", "")
        )


def test_nothing_is_written_unless_all_pages_are_there(run: Run, chain: list[object], tmp_path: Path) -> None:
    good, _ = page_files(tmp_path)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    book = tmp_path / "book.pdf"
    book.write_bytes(b"before")
    result = run("--pdf", book, "-i", good, tmp_path / "1.txt", "-i", bad, tmp_path / "2.txt", *chain)
    assert result.exit_code == 1
    assert "book.pdf isn't written" in result.stderr
    assert book.read_bytes() == b"before"
    assert (tmp_path / "1.txt").exists()
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("name", ["page1.png", "out.txt", "none/book.pdf", "folder"])
def test_places_are_checked_first(name: str, run: Run, chain: list[object], tmp_path: Path) -> None:
    page_files(tmp_path)
    (tmp_path / "folder").mkdir()
    out = tmp_path / "out.txt"
    result = run("--pdf", tmp_path / name, "-i", tmp_path / "page1.png", out, *chain)
    assert result.exit_code == 2
    assert name.split("/")[0] in result.stderr
    assert not out.exists()


def test_a_missing_package_is_named_first(
    run: Run, chain: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, _ = page_files(tmp_path)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    result = run("--pdf", tmp_path / "book.pdf", "-i", good, tmp_path / "1.txt", *chain)
    assert result.exit_code == 2
    assert "kraken[pdf]" in result.stderr
