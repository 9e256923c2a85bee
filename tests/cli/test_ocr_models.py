"""``kraken ocr``: a model per type of line, and directions that models state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from examples import draw_page
from kraken.containers import Segmentation
from kraken.models import load_models, write_models
from kraken.serialization import serialize
from tests import example_page

Run = Callable[..., Result]


@pytest.fixture
def tagged_page(tmp_path: Path) -> Path:
    """A PAGE file whose lines are of types head, default and note."""
    example_page.image().save(tmp_path / "example.png")
    page = example_page.segmentation()
    page.lines = list(page.lines or [])[:4]
    for line, kind in zip(page.lines, ("head", "default", "note", "default"), strict=True):
        line.tags = {"type": [{"type": kind}]}
        line.text = None
    page.imagename = "example.png"
    path = tmp_path / "page.xml"
    path.write_text(serialize(page, image_size=example_page.image().size, template="pagexml"))
    return path


def lines(path: Path) -> list[str]:
    return path.read_text().split("\n")


def test_types_are_read_by_their_models(
    run: Run, tagged_page: Path, text_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.txt"

    def ocr(*models: object, code: int = 0) -> Any:
        options = [part for model in models for part in ("-m", model)]
        result = run("-f", "page", "-i", tagged_page, out, "ocr", *options)
        assert result.exit_code == code, result.stderr
        return lines(out) if code == 0 else result.stderr

    truth = list(draw_page.LINES[:4])
    assert ocr("tiny-recognition") == truth
    assert ocr("default:tiny-recognition") == truth
    mixed = ocr("tiny-recognition", f"head:{text_model}", "note:ignore")
    assert mixed[1:] == [truth[1], "", truth[3]]
    assert set(mixed[0]) <= set("abc ")
    assert ocr("head:tiny-recognition") == [truth[0], "", "", ""]
    assert "Several models for one line type" in ocr("tiny-recognition", text_model, code=2)
    assert "all line types are ignored" in ocr("head:ignore", code=2)
    assert "No model path for head:nothing found" in ocr("head:nothing", code=2)
    assert "No model path for nothing found" in ocr("nothing", code=2)
    # a file whose name looks like type and model is a file
    odd = tmp_path / "a:b.safetensors"
    odd.write_bytes(example_page.RECOGNITION_MODEL.read_bytes())
    assert ocr(odd) == truth
    assert ocr(f"default:{odd}") == truth


def test_the_document_says_which_models_were_used(run: Run, tagged_page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.xml"
    result = run(
        "-a", "-f", "page", "-i", tagged_page, out, "ocr", "-m", "tiny-recognition", "-m", "note:ignore"
    )
    assert result.exit_code == 0, result.stderr
    assert "note:ignore" in out.read_text()


def write_model(path: Path, source: Path, **fields: str) -> Path:
    (model,) = load_models(source)
    for name, value in fields.items():
        setattr(model, name, value)
    return write_models([model], path)


def test_base_direction(run: Run, tagged_page: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors", example_page.RECOGNITION_MODEL, base_dir="R")
    out = tmp_path / "out.txt"
    truth = draw_page.LINES[3]
    turned = "," + truth[:-1]

    def ocr(source: Path, *options: str) -> str:
        result = run("-f", "page", "-i", source, out, "ocr", "-m", model, *options)
        assert result.exit_code == 0, result.stderr
        return lines(out)[3]

    assert truth.endswith(",")
    assert ocr(tagged_page) == turned
    assert ocr(tagged_page, "--base-dir", "L") == truth
    assert ocr(tagged_page, "--base-dir", "auto") == truth
    assert ocr(tagged_page, "--no-reorder") == truth
    # what the input states for all lines comes before what the model states
    stated = tmp_path / "stated.xml"
    text = re.sub(r"<TextLine ", '<TextLine readingDirection="left-to-right" ', tagged_page.read_text())
    stated.write_text(text)
    assert ocr(stated) == truth
    assert ocr(stated, "--base-dir", "R") == turned


def test_text_direction(run: Run, tmp_path: Path) -> None:
    example_page.image().save(tmp_path / "page.png")
    layout = write_model(
        tmp_path / "l.safetensors", example_page.LAYOUT_MODEL, text_direction="horizontal-rl"
    )
    out = tmp_path / "out.json"
    for options, expected in (((), "horizontal-rl"), (("-d", "horizontal-lr"), "horizontal-lr")):
        result = run("-i", tmp_path / "page.png", out, "segment", "-bl", "-i", layout, *options)
        assert result.exit_code == 0, result.stderr
        assert Segmentation(**json.loads(out.read_text())).text_direction == expected
    model = write_model(
        tmp_path / "m.safetensors", example_page.RECOGNITION_MODEL, text_direction="vertical-rl"
    )
    xml = tmp_path / "out.xml"
    for options, expected in (((), "vertical-rl"), (("-d", "horizontal-tb"), "horizontal-tb")):
        result = run("-h", "-i", tmp_path / "page.png", xml, "ocr", "-s", "-m", model, *options)
        assert result.exit_code == 0, result.stderr
        assert f"writing-mode: {expected}" in xml.read_text()
