"""What goes wrong is said in one line, costs only its own input, and shows in the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from kraken.containers import Segmentation
from kraken.models import bundled
from tests.robustness.images import READABLE, UNREADABLE, page

Run = Callable[..., Result]


@pytest.mark.parametrize("name", READABLE)
def test_every_image_mode_is_segmented_alike(name: str, run: Run, layout_model: Path, tmp_path: Path) -> None:
    READABLE[name](tmp_path / name)
    out = tmp_path / "out.json"
    result = run("-i", tmp_path / name, out, "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 0, result.stderr
    found = Segmentation(**json.loads(out.read_text()))
    assert found.lines, "marks weren't found"
    assert all(line.boundary for line in found.lines)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_bad_image_is_named_and_leaves_nothing(
    name: str, run: Run, layout_model: Path, tmp_path: Path
) -> None:
    UNREADABLE[name](tmp_path / name)
    result = run("-i", tmp_path / name, tmp_path / "out.json", "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1 and name in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_blank_page_gives_empty_output(
    run: Run, layout_model: Path, text_model: Path, tmp_path: Path
) -> None:
    Image.new("L", (300, 400), 255).save(tmp_path / "blank.png")
    chain = ("segment", "-bl", "-i", layout_model)
    result = run("-i", tmp_path / "blank.png", tmp_path / "out.json", *chain)
    assert result.exit_code == 0, result.stderr
    assert json.loads((tmp_path / "out.json").read_text())["lines"] == []
    result = run("-i", tmp_path / "blank.png", tmp_path / "out.txt", *chain, "ocr", "-m", text_model)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "out.txt").read_text() == ""
    result = run("-a", "-i", tmp_path / "blank.png", tmp_path / "out.xml", *chain, "ocr", "-m", text_model)
    assert result.exit_code == 0, result.stderr
    assert "<alto" in (tmp_path / "out.xml").read_text()


def test_one_bad_page_does_not_cost_the_others(run: Run, layout_model: Path, tmp_path: Path) -> None:
    for name in ("a.png", "c.png"):
        page().save(tmp_path / name)
    UNREADABLE["text.png"](tmp_path / "b.png")
    args = ("-I", tmp_path / "*.png", "-o", ".json", "segment", "-bl", "-i", layout_model)
    result = run(*args)
    assert result.exit_code == 1
    assert (tmp_path / "a.json").exists() and (tmp_path / "c.json").exists()
    assert not (tmp_path / "b.json").exists()
    assert "1 of 3 inputs failed" in result.stderr and "b.png" in result.stderr.splitlines()[-1]
    (tmp_path / "c.json").unlink()
    assert run("--fail-fast", *args).exit_code == 1
    assert not (tmp_path / "c.json").exists()


def test_a_failing_page_keeps_the_old_output(run: Run, layout_model: Path, tmp_path: Path) -> None:
    UNREADABLE["cut.png"](tmp_path / "page.png")
    (tmp_path / "out.json").write_text("old")
    result = run("-i", tmp_path / "page.png", tmp_path / "out.json", "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 1
    assert (tmp_path / "out.json").read_text() == "old"


def test_a_model_of_the_wrong_kind_is_a_usage_error(
    run: Run, layout_model: Path, text_model: Path, tmp_path: Path
) -> None:
    page().save(tmp_path / "page.png")
    pair = ("-i", tmp_path / "page.png", tmp_path / "out.txt")
    result = run(*pair, "segment", "-bl", "-i", text_model)
    assert result.exit_code == 2 and text_model.name in result.stderr
    result = run(*pair, "segment", "-bl", "-i", layout_model, "ocr", "-m", layout_model)
    assert result.exit_code == 2 and "recognition" in result.stderr
    assert not (tmp_path / "out.txt").exists()


def test_a_corrupt_model_is_a_usage_error(run: Run, text_model: Path, tmp_path: Path) -> None:
    page().save(tmp_path / "page.png")
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(text_model.read_bytes()[:300])
    result = run("-i", tmp_path / "page.png", tmp_path / "o", "ocr", "-s", "-m", bad)
    assert result.exit_code == 2 and "bad.safetensors" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("segment", "-bl"), "segment -i MODEL"),
        (("ocr",), "ocr -m MODEL"),
        (("ocr", "-s"), "-m"),
        (("segment", "-bl", "-i", "nowhere"), "nowhere"),
        (("ocr", "-m", "nowhere"), "nowhere"),
    ],
)
def test_a_missing_model_is_one_sentence_with_its_option(
    args: tuple[str, ...], word: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "BUNDLED", ())
    page().save(tmp_path / "page.png")
    result = run("-i", tmp_path / "page.png", tmp_path / "o.txt", *args)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1 and word in result.stderr


def test_an_unwritable_output_is_refused_before_any_work(
    run: Run, layout_model: Path, tmp_path: Path
) -> None:
    page().save(tmp_path / "page.png")
    for target in (tmp_path / "no" / "out.json", tmp_path, tmp_path / "page.png"):
        result = run("-i", tmp_path / "page.png", target, "segment", "-bl", "-i", layout_model)
        assert result.exit_code == 2, target
        assert "utput" in result.stderr and len(result.stderr.splitlines()) == 1


def test_globs_without_match_or_suffix_are_usage_errors(run: Run, layout_model: Path, tmp_path: Path) -> None:
    chain = ("segment", "-bl", "-i", layout_model)
    assert run("-I", tmp_path / "*.png", "-o", ".json", *chain).exit_code == 2
    page().save(tmp_path / "page.png")
    assert run("-I", tmp_path / "*.png", *chain).exit_code == 2
    assert run(*chain).exit_code == 2
