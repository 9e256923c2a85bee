"""Pages of every mode, turned by EXIF data or too large: every command treats them alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from kraken.containers import Segmentation
from kraken.lib import util
from kraken.lib.image_modes import to_grey, to_rgb
from kraken.lib.xml import XMLPage
from tests.cli.documents import SIZE, write_all
from tests.robustness.images import page

Run = Callable[..., Result]
_ORIENTATION = 0x0112


def _with_transparency() -> Image.Image:
    """Ink of full opacity on transparent black, as vector programs export."""
    ink = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    ink.putalpha(Image.eval(page(SIZE), lambda value: 255 if value < 128 else 0))
    return ink


def _palette() -> Image.Image:
    colours = page(SIZE).convert("RGB").quantize(4)
    colours.info["transparency"] = int(np.asarray(colours)[0, 0])
    return colours


#: Mode -> the page in it, and the suffix of a format that holds it (None if there is none).
MODES: dict[str, tuple[Callable[[], Image.Image], str | None]] = {
    "1": (lambda: page(SIZE).point(lambda value: 255 * (value > 128)).convert("1"), ".png"),
    "L": (lambda: page(SIZE), ".png"),
    "LA": (lambda: page(SIZE).convert("LA"), ".png"),
    "P": (_palette, ".png"),
    "RGB": (lambda: page(SIZE).convert("RGB"), ".png"),
    "RGBA": (_with_transparency, ".png"),
    "CMYK": (lambda: page(SIZE).convert("RGB").convert("CMYK"), ".tif"),
    "I;16": (lambda: Image.fromarray(np.asarray(page(SIZE), dtype=np.uint16) * 257), ".png"),
    "I": (lambda: Image.fromarray(np.asarray(page(SIZE), dtype=np.int32) * 257), ".tif"),
    "F": (lambda: Image.fromarray(np.asarray(page(SIZE), dtype=np.float32) / 255), ".tif"),
    "YCbCr": (lambda: page(SIZE).convert("RGB").convert("YCbCr"), None),
    "HSV": (lambda: page(SIZE).convert("RGB").convert("HSV"), None),
    "LAB": (lambda: _lab(), ".tif"),
}
STORED = [mode for mode, (_, suffix) in MODES.items() if suffix]


def _lab() -> Image.Image:
    from PIL import ImageCms

    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(page(SIZE).convert("RGB"), *spaces, outputMode="LAB")
    assert lab is not None
    return lab


def store(mode: str, folder: Path) -> Path:
    make, suffix = MODES[mode]
    image = make()
    path = folder / f"page{suffix}"
    image.save(path, **({"transparency": image.info["transparency"]} if mode == "P" else {}))
    with Image.open(path) as stored:
        assert stored.mode == mode, f"{suffix} doesn't hold {mode}"
    return path


@pytest.mark.parametrize("mode", MODES)
def test_ink_is_dark_and_paper_is_light_in_every_mode(mode: str) -> None:
    image = MODES[mode][0]()
    assert image.mode == mode
    for grey in (np.asarray(to_grey(image)), np.asarray(to_rgb(image)).mean(axis=-1)):
        assert grey[57, 44] < 60 and grey[20, 200] > 220


def _boxes(path: Path) -> list[Any]:
    found = Segmentation(**json.loads(path.read_text()))
    return [getattr(line, "bbox", None) or line.baseline for line in found.lines or []]


@pytest.mark.parametrize("mode", STORED)
def test_every_mode_is_treated_alike_by_every_step(
    mode: str, run: Run, layout_model: Path, text_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "grey").mkdir()
    paths = {"grey": store("L", tmp_path / "grey"), "other": store(mode, tmp_path)}
    found: dict[str, list[Any]] = {}
    for name, path in paths.items():
        out = tmp_path / f"{name}.out"
        results = []
        for steps in (["binarize", "segment"], ["segment", "-bl", "-i", layout_model]):
            result = run("-i", path, out, *steps)
            assert result.exit_code == 0, result.stderr
            results.append(_boxes(out))
        result = run("-i", path, out, "segment", "-bl", "-i", layout_model, "ocr", "-m", text_model)
        assert result.exit_code == 0, result.stderr
        results.append(out.read_text().count("\n"))
        result = run("-i", path, tmp_path / f"{name}.png", "binarize")
        assert result.exit_code == 0, result.stderr
        with Image.open(tmp_path / f"{name}.png") as image:
            black = np.asarray(image.convert("L")) < 128
        assert black[57, 44] and not black[20, 200] and 0.03 < black.mean() < 0.3
        found[name] = results
    assert found["grey"][2] == found["other"][2]
    for ours, theirs in zip(found["grey"][0], found["other"][0], strict=True):
        assert np.abs(np.subtract(ours, theirs)).max() <= 2
    for ours, theirs in zip(found["grey"][1], found["other"][1], strict=True):
        assert np.abs(np.asarray(ours)[[0, -1]] - np.asarray(theirs)[[0, -1]]).max() <= 4


@pytest.mark.parametrize("mode", STORED)
def test_every_mode_is_treated_alike_by_commands_over_documents(mode: str, run: Run, tmp_path: Path) -> None:
    source = write_all(tmp_path)["json"]
    image = store(mode, tmp_path)
    source.write_text(json.dumps({**json.loads(source.read_text()), "imagename": str(image)}))
    for command in (
        ["lines"],
        ["lines", "--legacy-polygons", "-f", "png"],
        ["overlay"],
        ["overlay", "-f", "html"],
    ):
        result = run(*command, "-o", tmp_path / "out", source)
        assert result.exit_code == 0, result.stderr
    with Image.open(tmp_path / "out" / "seg.0.jpg") as line:
        grey = np.asarray(line.convert("L")).astype(int)
    assert (grey < 90).mean() > 0.15 and (grey > 200).mean() > 0.15
    with Image.open(tmp_path / "out" / "seg.overlay.png") as picture:
        assert picture.mode == "RGB" and np.asarray(picture)[20, 200].min() > 220
    result = run("convert", "-t", "pdf", "-o", tmp_path / "out", source)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_photographs_are_upright(
    orientation: int, run: Run, layout_model: Path, tmp_path: Path
) -> None:
    upright = page(SIZE)
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(back[orientation]) if orientation in back else upright
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    out = tmp_path / "out.xml"
    result = run("-a", "-i", tmp_path / "photo.png", out, "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 0, result.stderr
    document = XMLPage(out)
    assert document.image_size == SIZE
    assert len(document.lines) == 4
    for command in ("overlay", "lines"):
        result = run(command, "-o", tmp_path / "drawn", out)
        assert result.exit_code == 0 and result.stderr == ""
    with Image.open(tmp_path / "drawn" / "out.overlay.png") as picture:
        assert picture.size == SIZE


@pytest.mark.parametrize("kind", ["alto", "pagexml"])
def test_documents_about_the_stored_pixels_of_a_turned_photograph(
    kind: str, run: Run, text_model: Path, tmp_path: Path
) -> None:
    """The size that the document states says which way its coordinates are meant."""
    source = write_all(tmp_path)[kind]
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    page(SIZE).save(tmp_path / "page.png", exif=exif)
    with util.open_image(tmp_path / "page.png") as image:
        assert image.size == SIZE[::-1]
    result = run("overlay", source, "-o", tmp_path / "out")
    assert result.exit_code == 0 and "EXIF" in result.stderr
    with Image.open(tmp_path / "out" / f"{kind}.overlay.png") as picture:
        assert picture.size == SIZE
        assert (np.asarray(picture)[66, 60:370] == (20, 70, 220)).all(axis=-1).mean() > 0.95
    result = run("lines", source, "-o", tmp_path / "out", "-f", "png")
    with Image.open(tmp_path / "out" / f"{kind}.0.png") as line:
        assert line.width > 300 and (np.asarray(line.convert("L")) < 60).mean() > 0.2
    result = run("-f", "xml", "-a", "-i", source, tmp_path / "read.xml", "ocr", "-m", text_model)
    assert result.exit_code == 0, result.stderr
    assert XMLPage(tmp_path / "read.xml").image_size == SIZE


def test_images_beyond_the_pixel_budget_are_named(
    run: Run, layout_model: Path, text_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_all(tmp_path)["json"]
    monkeypatch.setattr(util, "MAX_PIXELS", SIZE[0] * SIZE[1] - 1)
    steps: list[list[Any]] = [
        ["binarize"],
        ["segment", "-bl", "-i", layout_model],
        ["binarize", "segment"],
        ["ocr", "-s", "-m", text_model],
    ]
    for names in steps:
        result = run("-i", tmp_path / "page.png", tmp_path / "out.png", *names)
        assert result.exit_code == 1 and not (tmp_path / "out.png").exists()
        assert "page.png" in result.stderr and "pixels" in result.stderr
    for command in ("overlay", "lines"):
        result = run(command, "-o", tmp_path / "out", source)
        assert result.exit_code == 1 and "page.png" in result.stderr and "pixels" in result.stderr
        assert not list((tmp_path / "out").iterdir())
