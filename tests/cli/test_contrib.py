"""The scripts of kraken.contrib."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from lxml import etree
from PIL import Image

from kraken.contrib._runner import slug
from kraken.contrib.forced_alignment_overlay import matched, split_words
from kraken.lib.ro import ROMLP
from kraken.lib.xml import XMLPage
from kraken.models import load_models, write_models
from kraken.serialization import serialize
from tests.cli.documents import SIZE, segmentation, write_all
from tests.conftest import shared_path
from tests.robustness.images import page

Script = Callable[..., Result]

SCRIPTS = (
    "add_neural_ro",
    "baselineset_overlay",
    "extract_lines",
    "forced_alignment_overlay",
    "heatmap_overlay",
    "recognition_boxes",
    "repolygonize",
    "segmentation_overlay",
    "set_seg_options",
)
TEXTS = ("ab c", "cab", "bca", "")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Runs a script in a folder of its own."""
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")

    def run(name: str, *args: object) -> Result:
        module = importlib.import_module(f"kraken.contrib.{name}")
        return CliRunner().invoke(module.cli, [str(arg) for arg in args])

    return run


def written(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def transcribed(folder: Path, kind: str) -> Path:
    """A document whose texts the small model knows."""
    page(SIZE).save(folder / "page.png")
    seg = segmentation(str(folder / "page.png"))
    for line, text in zip(seg.lines or (), TEXTS, strict=True):
        line.text = text
    path = folder / f"{kind}.xml"
    path.write_text(serialize(seg, image_size=SIZE, template=kind), encoding="utf-8")
    return path


def picture(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run_as_modules_and_go_on_after_a_failure(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"kraken.contrib.{name}", "--help"], capture_output=True, text=True, check=True
    )
    assert "FILES..." in done.stdout
    (tmp_path / "a.png").write_text("nothing")
    (tmp_path / "b.png").write_text("nothing")
    models = Path(importlib.import_module("kraken").__file__ or "").parent / "assets"
    needed = {
        "add_neural_ro": [
            "-i",
            write_models([ROMLP(class_mapping={}, level="baselines")], tmp_path / "o.safetensors"),
        ],
        "heatmap_overlay": ["-i", models / "tiny_layout.safetensors"],
        "forced_alignment_overlay": ["-i", models / "tiny_recognition.safetensors"],
        "recognition_boxes": ["-i", models / "tiny_recognition.safetensors"],
    }
    module = importlib.import_module(f"kraken.contrib.{name}")
    args = [*needed.get(name, []), tmp_path / "a.png", tmp_path / "b.png"]
    result = CliRunner().invoke(module.cli, [str(arg) for arg in args])
    assert result.exit_code == 1, result.output
    assert "2 of 2 inputs failed" in result.stderr and "Traceback" not in result.stderr
    assert CliRunner().invoke(module.cli, [str(arg) for arg in needed.get(name, [])]).exit_code == 2


@pytest.mark.parametrize("kind", ["alto", "pagexml"])
def test_segmentation_overlay_of_documents(kind: str, script: Script, tmp_path: Path) -> None:
    source = write_all(tmp_path)[kind]
    result = script("segmentation_overlay", source, tmp_path / "gone*.xml")
    assert result.exit_code == 2 and not written(tmp_path)
    result = script("segmentation_overlay", source)
    assert result.exit_code == 0, result.stderr
    names = [f"high_{kind}.xml_lines_default.png", f"high_{kind}.xml_regions_text.png"]
    assert written(tmp_path) == names and all(name in result.stdout for name in names)
    pixels = picture(names[0])
    assert pixels.shape == (*SIZE[::-1], 3)
    for row in range(4):
        assert (pixels[66 + 50 * row, 60:370] == (20, 70, 220)).all(axis=-1).mean() > 0.95
    before = picture(names[0])
    args = ("--repolygonize", "--height-scale", 300, "-tl", source)
    assert script("segmentation_overlay", *args).exit_code == 0
    assert (picture(names[0]) != before).any()


def test_segmentation_overlay_with_a_model(script: Script, layout_model: Path, tmp_path: Path) -> None:
    page().save(tmp_path / "page.png")
    result = script("segmentation_overlay", "-i", layout_model, "-d", "horizontal-rl", tmp_path / "page.png")
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == ["high_page.png_lines_default.png"]
    pixels = picture("high_page.png_lines_default.png")
    assert ((pixels == (20, 70, 220)).all(axis=-1)).sum() > 1000


def test_names_of_types_in_files() -> None:
    assert slug("Überschrift: Größe/1") == "uberschrift-große1"
    assert slug("a  b-c") == "a-b-c" and slug("///") == "unnamed"


def test_baselineset_overlay_shows_the_targets(script: Script, tmp_path: Path) -> None:
    source = write_all(tmp_path)["pagexml"]
    result = script("baselineset_overlay", "-f", "page", "--line-width", 9, source)
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == ["page.heat.png", "page.overlay.png"]
    heat = picture("page.heat.png")[..., 0]
    assert heat.shape[0] == 1200 and set(np.unique(heat)) == {0, 255}
    rows = [66 * 4, 116 * 4, 166 * 4, 216 * 4]
    assert (heat[rows, 800] == 255).all() and heat[40, 800] == 0
    over = picture("page.overlay.png")
    assert over[rows[0], 800, 2] > over[rows[0], 800, 0]
    assert script("baselineset_overlay", "-f", "alto", source).exit_code == 1


def test_heatmap_overlay_shows_probabilities(script: Script, layout_model: Path, tmp_path: Path) -> None:
    page().save(tmp_path / "page.png")
    result = script("heatmap_overlay", "-i", layout_model, tmp_path / "page.png")
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == ["page.heat.png", "page.overlay.png"]
    heat = picture("page.heat.png")[..., 0]
    assert heat[55, 44] > 200 and heat[20, 44] < 20


@pytest.mark.parametrize("kind", ["alto", "pagexml"])
def test_extract_lines_of_documents(kind: str, script: Script, tmp_path: Path) -> None:
    source = transcribed(tmp_path, kind)
    result = script("extract_lines", "-f", "alto" if kind == "alto" else "page", source)
    assert result.exit_code == 0, result.stderr
    texts = [Path(f"{kind}.{number}.gt.txt").read_text() for number in range(4)]
    assert texts == list(TEXTS)
    with Image.open(f"{kind}.0.jpg") as image:
        assert image.width > 300
    wrong = script("extract_lines", "-f", "page" if kind == "alto" else "alto", source)
    assert wrong.exit_code == 1 and "format" in wrong.stderr


def test_extract_lines_of_data_sets_and_images(
    script: Script, ketos: Script, layout_model: Path, tmp_path: Path
) -> None:
    source = transcribed(tmp_path, "alto")
    assert ketos("compile", "-o", tmp_path / "set.arrow", "--keep-empty-lines", source).exit_code == 0
    result = script("extract_lines", "-f", "binary", tmp_path / "set.arrow")
    assert result.exit_code == 0, result.stderr
    assert [Path(f"set.{number}.gt.txt").read_text() for number in range(4)] == list(TEXTS)
    assert script("extract_lines", "-f", "binary", "--legacy-polygons", tmp_path / "set.arrow").exit_code == 2
    result = script("extract_lines", "-i", layout_model, "--legacy-polygons", tmp_path / "page.png")
    assert result.exit_code == 0, result.stderr
    assert Path("page.0.jpg").exists() and Path("page.0.gt.txt").read_text() == ""


@pytest.mark.parametrize("kind", ["alto", "pagexml"])
def test_repolygonize_changes_polygons_only(kind: str, script: Script, tmp_path: Path) -> None:
    source = write_all(tmp_path)[kind]
    result = script("repolygonize", "-s", 300, "-bl", source)
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == [f"{kind}_rewrite.xml"]
    before, after = XMLPage(source), XMLPage(f"{kind}_rewrite.xml")
    for old, new in zip(before.lines.values(), after.lines.values(), strict=True):
        assert old.baseline == new.baseline and old.text == new.text and old.boundary != new.boundary


@pytest.mark.parametrize(("kind", "schema"), [("alto", "alto-4-3.xsd"), ("pagexml", "pagecontent.xsd")])
def test_forced_alignment_writes_characters(
    kind: str, schema: str, script: Script, text_model: Path, tmp_path: Path
) -> None:
    source = transcribed(tmp_path, kind)
    result = script("forced_alignment_overlay", "-i", text_model, "-o", "xml", "-u", "NFC", source)
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == [f"{kind}_algn.xml"]
    document = XMLPage(f"{kind}_algn.xml", level="word")
    assert [line.text for line in document.lines.values()] == list(TEXTS)
    words = [word for word in (document.words or {})["l0"] if not word.text.isspace()]
    assert ["".join(glyph.text for glyph in word.glyphs) for word in words] == ["ab", "c"]
    edges = [glyph.boundary[0][0] for word in words for glyph in word.glyphs if glyph.boundary]
    assert len(edges) == 3 and edges == sorted(edges)
    assert all(0 <= (glyph.confidence or -1) <= 1 for word in words for glyph in word.glyphs)
    rules = etree.XMLSchema(etree.parse(str(shared_path("schemas", schema))))
    assert rules.validate(etree.parse(f"{kind}_algn.xml")), rules.error_log


def test_forced_alignment_draws_characters(script: Script, text_model: Path, tmp_path: Path) -> None:
    source = transcribed(tmp_path, "alto")
    result = script("forced_alignment_overlay", "-i", text_model, "-f", "alto", source)
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == ["high_alto_algn.png"]
    pixels = picture("high_alto_algn.png")
    coloured = np.ptp(pixels, axis=-1) > 30
    assert coloured[46:74].mean() > 0.2 and not coloured[:30].any()


def test_characters_that_a_network_does_not_know_stay_in_the_text() -> None:
    box = ((0, 0), (9, 0), (9, 9), (0, 9))
    words = split_words(matched("aß b", [("a", box, 0.5), (" ", box, 0.5), ("b", box, 1.0)]))
    assert [word.text for word in words] == ["aß", " ", "b"]
    assert [len(word.glyphs) for word in words] == [1, 1, 1]
    assert words[0].confidence == 0.5
    # what doesn't come in the text's order stands for itself
    assert [c for c, _, _ in matched("ab", [("b", box, 1.0), ("a", box, 1.0)])] == ["b", "a"]


@pytest.mark.parametrize("level", ["baselines", "regions"])
def test_add_neural_ro(level: str, script: Script, tmp_path: Path) -> None:
    model = ROMLP(class_mapping={"default": 0, "text": 1}, level=level)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    source = write_all(tmp_path)["alto"]
    path = write_models([model], tmp_path / "order.safetensors")
    result = script("add_neural_ro", "-i", path, source)
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == ["alto.ro.xml"]
    orders = XMLPage("alto.ro.xml").reading_orders
    expected = ["l0", "l1", "l2", "l3"]
    assert sorted(orders["neural_ro"]["order"]) == expected
    rules = etree.XMLSchema(etree.parse(str(shared_path("schemas", "alto-4-3.xsd"))))
    assert rules.validate(etree.parse("alto.ro.xml")), rules.error_log
    again = script("add_neural_ro", "-i", path, "alto.ro.xml")
    assert again.exit_code == 0 and len(XMLPage("alto.ro.ro.xml").reading_orders) == len(orders) + 2


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_recognition_boxes(suffix: str, script: Script, text_model: Path, tmp_path: Path) -> None:
    page().convert("RGB").save(tmp_path / f"page{suffix}")
    result = script("recognition_boxes", "-i", text_model, tmp_path / f"page{suffix}")
    assert result.exit_code == 0, result.stderr
    assert written(tmp_path) == [f"high_page{suffix}"]
    assert (np.ptp(picture(f"high_page{suffix}"), axis=-1) > 60).sum() > 50


def _layout(tmp_path: Path, layout_model: Path, suffix: str) -> Path:
    model = load_models(layout_model)[0]
    order = ROMLP(class_mapping={"default": 2}, level="baselines")
    model.aux_layers = {"ro_model": order}  # type: ignore[attr-defined]
    return write_models([model], tmp_path / f"model{suffix}")


@pytest.mark.parametrize("suffix", [".safetensors", ".mlmodel"])
def test_set_seg_options(suffix: str, script: Script, layout_model: Path, tmp_path: Path) -> None:
    path = _layout(tmp_path, layout_model, suffix)
    before = path.read_bytes()
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"regions": {"column": 3}, "baselines": {"line": 2}}))
    result = script(
        "set_seg_options",
        "-b",
        "column",
        "--centerline",
        "--pad",
        10,
        20,
        "--output-identifiers",
        names,
        path,
    )
    assert result.exit_code == 0, result.stderr
    assert '"text": 3' in result.stdout and '"column": 3' in result.stdout and "centerline" in result.stdout
    assert (tmp_path / f"model{suffix}.bak").read_bytes() == before
    assert not list(tmp_path.glob(".*"))
    models = load_models(path)
    layout = next(model for model in models if "segmentation" in model.model_type)
    assert layout.user_metadata["bounding_regions"] == ["column"]
    assert layout.user_metadata["topline"] is None
    assert layout.user_metadata["hyper_params"]["padding"] == [10, 20]
    assert layout.user_metadata["class_mapping"]["baselines"] == {"line": 2}
    assert any("reading_order" in model.model_type for model in models)


def test_set_seg_options_shows_and_converts(script: Script, layout_model: Path, tmp_path: Path) -> None:
    path = _layout(tmp_path, layout_model, ".safetensors")
    before = path.read_bytes()
    result = script("set_seg_options", path)
    assert result.exit_code == 0 and "line position" in result.stdout
    assert path.read_bytes() == before and not (tmp_path / "model.safetensors.bak").exists()
    for args in (("-b", "nowhere"), ("--output-identifiers", tmp_path / "bad.json")):
        (tmp_path / "bad.json").write_text('{"regions": {"x": 9}}')
        failed = script("set_seg_options", *args, path)
        assert failed.exit_code == 1 and "regions" in failed.stderr
        assert path.read_bytes() == before
    (tmp_path / "bad.json").write_text('["x"]')
    assert script("set_seg_options", "--output-identifiers", tmp_path / "bad.json", path).exit_code == 2
    result = script("set_seg_options", "-f", "coreml", path)
    assert result.exit_code == 0, result.stderr
    assert len(load_models(tmp_path / "model.mlmodel")) == 2 and path.read_bytes() == before


def test_all_scripts_are_tested() -> None:
    folder = Path(importlib.import_module("kraken.contrib").__file__ or "").parent
    assert {path.stem for path in folder.glob("[!_]*.py")} == set(SCRIPTS)
