"""Options that no other test is about: each changes what it says, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image, ImageDraw

from kraken._version import version
from kraken.binarization import nlbin
from kraken.containers import Region
from kraken.lib.xml import XMLPage
from kraken.models import load_models, write_models
from kraken.pageseg import segment
from tests.cli.documents import segmentation, write_all
from tests.robustness.images import page

Run = Callable[..., Result]
BLUE = (20, 70, 220)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A page with noise and a shadow, which is not of two colours."""
    grey = np.asarray(page()).astype(int) - np.linspace(0, 60, 420).astype(int)
    noise = np.random.default_rng(1).integers(-6, 7, grey.shape)
    Image.fromarray((grey + noise).clip(0, 255).astype(np.uint8)).save(tmp_path / "scan.png")
    return tmp_path / "scan.png"


def array(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("program", ["kraken.kraken", "kraken.ketos"])
def test_version(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", program, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{program.split('.')[1]}, version {version()}\n" and done.stderr == ""


@pytest.mark.parametrize("precision", ["64-true", "bf16-true", "bf16-mixed", "32-true"])
def test_precision(precision: str, run: Run, layout_model: Path, scan: Path) -> None:
    out = scan.with_suffix(".json")
    result = run("--precision", precision, "-i", scan, out, "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(out.read_text())["lines"]) == 4


def test_words_and_characters_can_be_left_out(
    run: Run, layout_model: Path, text_model: Path, scan: Path
) -> None:
    out = scan.with_suffix(".xml")
    chain = ("segment", "-bl", "-i", layout_model, "ocr", "-m", text_model)
    glyphs = {}
    for option in ("--subline-segmentation", "--no-subline-segmentation"):
        assert run("-a", option, "-i", scan, out, *chain).exit_code == 0
        glyphs[option] = out.read_text().count("<Glyph")
    assert glyphs["--no-subline-segmentation"] == 0 < glyphs["--subline-segmentation"]


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--threshold", "threshold", 0.2),
        ("--zoom", "zoom", 0.25),
        ("--escale", "escale", 0.3),
        ("--border", "border", 0.3),
        ("--perc", "perc", 40),
        ("--range", "range", 5),
        ("--low", "low", 30),
        ("--high", "high", 60),
    ],
)
def test_binarize_passes_its_options_on(option: str, name: str, value: Any, run: Run, scan: Path) -> None:
    out = scan.with_name("out.png")
    assert run("-i", scan, out, "binarize", option, value).exit_code == 0
    with Image.open(scan) as image:
        expected = np.asarray(nlbin(image, **{name: value}))
    with Image.open(out) as image:
        assert (np.asarray(image) == expected).all()


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        (["-b"], {"black_colseps": True}),
        (["--black-colseps"], {"black_colseps": True}),
        (["-w"], {}),
        (["--white_colseps"], {}),
        (["--white-colseps"], {}),
        (["-r"], {}),
        (["--remove-hlines"], {}),
        (["-l"], {"no_hlines": False}),
        (["--hlines"], {"no_hlines": False}),
        (["-m", "0"], {"maxcolseps": 0}),
        (["--maxcolseps", "1"], {"maxcolseps": 1}),
        (["-p", "7"], {"pad": 7}),
        (["--pad", "7"], {"pad": 7}),
        (["--scale", "9"], {"scale": 9.0}),
        (["-d", "vertical-rl"], {"text_direction": "vertical-rl"}),
        (["--text-direction", "horizontal-rl"], {"text_direction": "horizontal-rl"}),
    ],
)
def test_boxes_pass_their_options_on(
    options: list[str], parameters: dict[str, Any], run: Run, tmp_path: Path
) -> None:
    """On two columns with a line between them and a rule below."""
    image = Image.new("L", (900, 420), 255)
    image.paste(page().point(lambda value: 255 * (value > 128)), (0, 0))
    image.paste(page().point(lambda value: 255 * (value > 128)), (470, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((443, 10, 447, 400), fill=0)
    draw.rectangle((40, 320, 860, 326), fill=0)
    image.save(tmp_path / "page.png")
    out = tmp_path / "out.json"
    result = run("-i", tmp_path / "page.png", out, "segment", "-x", *options)
    assert result.exit_code == 0, result.stderr
    found = json.loads(out.read_text())
    expected = segment(image, **parameters)
    boxes: list[Any] = list(expected.lines or ())
    assert [tuple(line["bbox"]) for line in found["lines"]] == [line.bbox for line in boxes]
    assert found["text_direction"] == expected.text_direction


def test_input_padding_leaves_coordinates_where_they_are(run: Run, layout_model: Path, scan: Path) -> None:
    found = []
    for pad in (0, 25):
        out = scan.with_suffix(".json")
        chain = ("segment", "-bl", "-i", layout_model, "--input-pad", pad)
        assert run("-i", scan, out, *chain).exit_code == 0
        found.append([line["baseline"][0] for line in json.loads(out.read_text())["lines"]])
    assert len(found[1]) == 4 and np.abs(np.subtract(*found)).max() <= 6
    assert (
        run(
            "-i", scan, scan.with_name("o"), "segment", "-bl", "-i", layout_model, "--input-pad", -1
        ).exit_code
        == 2
    )


def test_lines_are_split_at_regions(run: Run, layout_model: Path, scan: Path) -> None:
    regions = scan.with_name("regions.json")
    seg = segmentation(str(scan))
    boxes = [[(30, 30), (200, 30), (200, 260), (30, 260)], [(210, 30), (400, 30), (400, 260), (210, 260)]]
    page_with_regions = dataclasses.replace(
        seg, lines=[], regions={"text": [Region(f"r{i}", box) for i, box in enumerate(boxes)]}
    )
    regions.write_text(json.dumps(dataclasses.asdict(page_with_regions)))
    counts = []
    for extra in ((), ("--split-at-regions",)):
        out = scan.with_name("out.json")
        chain = ("segment", "-bl", "-i", layout_model, "--regions-from", regions, *extra)
        result = run("-i", scan, out, *chain)
        assert result.exit_code == 0, result.stderr
        counts.append(len(json.loads(out.read_text())["lines"]))
    assert len(seg.lines or ()) <= counts[0] <= counts[1] and counts[1] == 8


@pytest.fixture
def alto(tmp_path: Path) -> Path:
    return write_all(tmp_path)["alto"]


def read(run: Run, source: Path, model: Path, *options: Any) -> tuple[str, list[float], str]:
    """Text, confidences and messages of `ocr` on a document."""
    out = source.with_name("read.xml")
    result = run("-f", "xml", "-a", "-i", source, out, "ocr", "-m", model, *options)
    assert result.exit_code == 0, result.stderr
    document = XMLPage(out, level="word")
    words = [word for group in (document.words or {}).values() for word in group]
    text = "\n".join(line.text or "" for line in document.lines.values())
    return text, [word.confidence for word in words if word.confidence is not None], result.stderr


def test_ocr_options_that_only_change_how_fast(run: Run, text_model: Path, alto: Path) -> None:
    plain = read(run, alto, text_model)
    for options in (
        ("-B", 3),
        ("--batch-size", 64),
        ("--num-line-workers", 0),
        ("--num-line-workers", 3),
        ("--linetype", "baselines"),
    ):
        other = read(run, alto, text_model, *options)
        assert other[0] == plain[0], options
        np.testing.assert_allclose(other[1], plain[1], atol=1e-4)


def test_ocr_padding_temperature_and_linetype(run: Run, text_model: Path, alto: Path) -> None:
    _, plain, _ = read(run, alto, text_model)
    for options in (("-t", 4), ("--temperature", "4")):
        assert np.mean(read(run, alto, text_model, *options)[1]) < np.mean(plain)
    texts = []
    for options in (("-p", 90), ("--pad", 90), ("-p", 16)):
        read(run, alto, text_model, *options)
        content = alto.with_name("read.xml").read_text()
        texts.append(re.sub(r'ID="\w*-[\w-]*"|pad: \d+|<Processing.*', "", content))
    assert texts[0] == texts[1] != texts[2]
    _, _, messages = read(run, alto, text_model, "--linetype", "bbox")
    assert "baselines" in messages
    boxes = XMLPage(alto.with_name("read.xml"), linetype="bbox")
    assert len(boxes.lines) == 4 and "BASELINE=" not in alto.with_name("read.xml").read_text()


def test_ocr_without_the_legacy_extractor(run: Run, text_model: Path, alto: Path, tmp_path: Path) -> None:
    model = load_models(text_model)[0]
    model.user_metadata["legacy_polygons"] = True
    old = write_models([model], tmp_path / "old.safetensors")
    assert read(run, alto, old, "--no-legacy-polygons")[:2] == read(run, alto, text_model)[:2]


@pytest.mark.parametrize("command", ["segment", "ocr"])
@pytest.mark.parametrize(
    ("option", "mark"),
    [
        ("--alto", "<alto"),
        ("--pagexml", "<PcGts"),
        ("--hocr", "ocr_page"),
        ("--abbyy", "<document"),
        ("--native", ""),
    ],
)
def test_old_formats_of_subcommands(
    command: str, option: str, mark: str, run: Run, layout_model: Path, text_model: Path, scan: Path
) -> None:
    out = scan.with_name("out")
    chain: tuple[Any, ...] = ("segment", "-bl", "-i", layout_model)
    chain = (*chain, option) if command == "segment" else (*chain, "ocr", option, "-m", text_model)
    result = run("-x" if option == "--native" else "-n", "-i", scan, out, *chain)
    assert result.exit_code == 0, result.stderr
    assert f"{command} {option} is deprecated" in result.stderr
    assert mark in out.read_text() and ("<" in out.read_text()) == bool(mark)


@pytest.mark.parametrize("command", ["segment", "ocr"])
def test_old_threads_of_subcommands(
    command: str, run: Run, layout_model: Path, text_model: Path, scan: Path
) -> None:
    chain = ["segment", "-bl", "-i", layout_model, "ocr", "-m", text_model]
    chain[chain.index(command) + 1 : chain.index(command) + 1] = ["--threads", "2"]
    result = run("-i", scan, scan.with_name("out"), *chain)
    assert result.exit_code == 0 and "kraken --threads 2" in result.stderr


def test_layers_of_overlays(run: Run, alto: Path, tmp_path: Path) -> None:
    def drawn(*options: Any) -> np.ndarray:
        result = run("overlay", "-o", tmp_path / "out", *options, alto)
        assert result.exit_code == 0, result.stderr
        return array(tmp_path / "out" / "alto.overlay.png")

    everything = drawn("--regions", "--lines", "--baselines", "--numbers")
    assert (everything == drawn()).all()
    plain = array(tmp_path / "page.png")
    nothing = drawn("--no-regions", "--no-lines", "--no-baselines", "--no-numbers")
    assert (nothing == plain).all()
    no_baselines = drawn("--no-baselines")
    assert (everything[66, 60:370] == BLUE).all(axis=-1).mean() > 0.95
    assert not (no_baselines[66, 60:370] == BLUE).all(axis=-1).any()
    assert np.ptp(drawn("--no-lines", "--no-regions", "--no-numbers")[48, 60:370], axis=-1).max() == 0
    for option, place in (("--no-regions", (42, 200)), ("--no-numbers", (66, 28)), ("--no-lines", (48, 200))):
        y, x = place
        part = np.s_[y - 4 : y + 5, x - 4 : x + 5]
        assert (everything[part] != drawn(option)[part]).any(), option
    assert drawn("--height", 100).shape[0] == 100
    boxes = drawn("--linetype", "bbox")
    assert not (boxes == BLUE).all(axis=-1).any() and (boxes != plain).any()


def test_repolygonize_options(run: Run, alto: Path, tmp_path: Path) -> None:
    rings = []
    for options in ((), ("-bl",), ("-tl",), ("-cl",), ("--scale", 900), ("--topline",), ("--centerline",)):
        assert run("repolygonize", "-o", tmp_path / "out", *options, alto).exit_code == 0
        document = XMLPage(tmp_path / "out" / "alto_rewrite.xml")
        rings.append([line.boundary for line in document.lines.values()])
    assert rings[0] == rings[1] and rings[2] == rings[5] and rings[3] == rings[6]
    assert rings[4] != rings[0] and rings[0] != rings[2] and rings[0] != rings[3] != rings[2]


def test_lines_without_text_are_kept(run: Run, alto: Path, tmp_path: Path) -> None:
    assert run("lines", "--keep-empty-lines", "-o", tmp_path / "out", alto).exit_code == 0
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 4
