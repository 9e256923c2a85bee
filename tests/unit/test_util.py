"""Images that can and can't be opened; characters; ground-truth files."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from kraken.lib import image_files, util
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.image_modes import to_grey, to_mode8, to_rgb


def _picture() -> Image.Image:
    values = np.arange(24 * 16, dtype=np.uint16).reshape(16, 24) % 251
    return Image.fromarray(values.astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_orientation_of_tiff_files_is_applied(
    tmp_path: Path, orientation: int, compression: str | None
) -> None:
    path = tmp_path / "a.tif"
    _picture().save(path, tiffinfo={0x0112: orientation}, compression=compression)
    exif = Image.Exif()
    exif[0x0112] = orientation
    _picture().save(tmp_path / "a.png", exif=exif)
    opened, expected = util.open_image(path), util.open_image(tmp_path / "a.png")
    assert opened.size == expected.size and np.array_equal(np.asarray(opened), np.asarray(expected))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    _picture().save(path, exif=exif)
    image = util.open_image(path)
    assert image.filename == str(path)
    assert image.size == ((24, 16) if orientation < 5 else (16, 24))
    assert image.tobytes() == ImageOps.exif_transpose(Image.open(path)).tobytes()
    assert util.get_im_str(image) == str(path)


def test_damaged_files(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8))
    buffers = {}
    for kind in ("PNG", "JPEG"):
        buffer = io.BytesIO()
        noise.save(buffer, kind)
        buffers[kind] = buffer.getvalue()
    files = {
        "short.png": buffers["PNG"][:200],
        "short.jpg": buffers["JPEG"][:-2000],
        "text.png": b"not an image at all",
        "empty.png": b"",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(KrakenInputException, match=name) as error:
            util.open_image(path)
        assert isinstance(error.value, OSError)
        assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(KrakenInputException, match=r"none\.png doesn't exist"):
        util.open_image(tmp_path / "none.png")
    with pytest.raises(FileNotFoundError):
        util.open_image(str(tmp_path / "none.png"))
    with pytest.raises(KrakenInputException, match="is a directory"):
        util.open_image(tmp_path)


def test_pixel_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.png"
    _picture().save(path)
    monkeypatch.setattr(util, "MAX_PIXELS", 100)
    with pytest.raises(KrakenInputException, match=r"big\.png is larger than the limit of 100 pixels"):
        util.open_image(path)
    assert Image.MAX_IMAGE_PIXELS is not None and Image.MAX_IMAGE_PIXELS >= 400_000_000


def test_open_files_and_handles(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    _picture().save(path)
    with path.open("rb") as file:
        assert util.open_image(file).tobytes() == _picture().tobytes()
    image = util.open_image(path)
    path.unlink()
    assert image.copy().tobytes() == _picture().tobytes()


def test_arrays() -> None:
    bitonal = Image.new("1", (3, 2), 1)
    np.testing.assert_array_equal(util.pil2array(bitonal), np.full((2, 3), 255, np.uint8))
    assert util.array2pil(np.zeros((2, 3), np.uint8)).mode == "L"
    assert util.array2pil(np.zeros((2, 3, 3), np.uint8)).mode == "RGB"
    assert util.array2pil(np.zeros((2, 3), np.float32)).mode == "F"
    with pytest.raises(Exception, match="bad image rank"):
        util.array2pil(np.zeros(3, np.uint8))
    with pytest.raises(Exception, match="bad image rank"):
        util.array2pil(np.zeros((1, 2, 3), np.float32))
    with pytest.raises(Exception, match="unknown image type"):
        util.array2pil(np.zeros((2, 3), np.int64))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I", "F", "I;16"])
@pytest.mark.parametrize("colours", [1, 2, 3])
def test_bitonal(mode: str, colours: int) -> None:
    values = (np.arange(12).reshape(3, 4) % colours * 100).astype(np.uint8)
    if mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16))
    else:
        image = Image.fromarray(values).convert(mode)
    distinct = len(np.unique(np.asarray(image)))
    assert util.is_bitonal(image) == (distinct == 2)


def test_bitonal_tensors() -> None:
    import torch

    assert util.is_bitonal(torch.tensor([[0, 1], [1, 0]]))
    assert not util.is_bitonal(torch.zeros(3))


@pytest.mark.parametrize(
    ("ch", "shown"),
    [
        ("a", "a"),
        ("", ""),
        ("\n", "0xa"),
        (" ", "SPACE"),
        ("\u0301", "COMBINING ACUTE ACCENT"),
        ("\ue000", "0xe000"),
    ],
)
def test_printable(ch: str, shown: str) -> None:
    assert util.make_printable(ch) == shown
    if ch:
        assert util.is_printable(ch) == (shown == ch)


def test_ground_truth(tmp_path: Path) -> None:
    path = tmp_path / "a.b.png"
    _picture().save(path)
    (tmp_path / "a.gt.txt").write_text("\r\n text \n", encoding="utf-8")
    for given in (path, str(path)):
        line = util.parse_gt_path(given, base_dir="R", text_direction="vertical-rl")
        assert (line.text, line.bbox, line.base_dir) == (" text ", (0, 0, 24, 16), "R")
        assert (line.text_direction, line.imagename) == ("vertical-rl", given)
    (tmp_path / "a.gt.txt").write_text("\n", encoding="utf-8")
    assert util.parse_gt_path(path, skip_empty_lines=False).text == ""
    with pytest.raises(KrakenInputException, match="is empty"):
        util.parse_gt_path(path)
    (tmp_path / "a.gt.txt").unlink()
    for skip in (False, True):
        with pytest.raises(KrakenInputException, match="No text file found for ground truth line"):
            util.parse_gt_path(path, skip_empty_lines=skip)
    with pytest.raises(KrakenInputException):
        util.parse_gt_path(tmp_path / "none.png")


def _transparent_palette() -> Image.Image:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.putdata([0, 1])
    image.info["transparency"] = 0
    return image


@pytest.mark.parametrize(
    ("image", "grey"),
    [
        (Image.new("RGBA", (2, 1), (0, 0, 0, 0)), [255, 255]),
        (Image.new("LA", (2, 1), (50, 255)), [50, 50]),
        (Image.new("LA", (2, 1), (50, 0)), [255, 255]),
        (_transparent_palette(), [255, 67]),
        (Image.fromarray(np.array([[65535, 257]], np.uint16)), [255, 1]),
        (Image.fromarray(np.array([[200, 100]], np.uint16)), [200, 100]),
        (Image.fromarray(np.array([[70000, -5]], np.int32)), [255, 0]),
        (Image.fromarray(np.array([[1.0, 0.5]], np.float32)), [255, 127]),
        (Image.fromarray(np.array([[300.0, np.nan]], np.float32)), [255, 0]),
        (Image.new("1", (2, 1), 1), [255, 255]),
    ],
)
def test_depths_and_opacity(image: Image.Image, grey: list[int]) -> None:
    assert np.asarray(to_grey(image)).ravel().tolist() == grey
    assert to_rgb(image).mode == "RGB"
    assert to_mode8(image).mode == ("RGB" if image.mode in ("RGBA", "P") else "L")
    assert to_mode8(image).convert("L").tobytes() == to_grey(image).tobytes()


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_opaque_images_are_converted_as_pillow_does(mode: str) -> None:
    image: Any = Image.fromarray(np.random.default_rng(0).integers(0, 255, (5, 6, 3), dtype=np.uint8))
    for step in {"La": ["LA"], "RGBa": ["RGBA"], "PA": ["P"]}.get(mode, []):
        image = image.convert(step)
    image = image.convert(mode)
    if mode in ("L", "RGB"):
        assert to_mode8(image) is image
    if mode not in ("La", "RGBa"):
        assert to_grey(image).tobytes() == image.convert("L").tobytes()
        assert to_rgb(image).tobytes() == image.convert("RGB").tobytes()
    else:
        assert to_grey(image).mode == "L" and to_rgb(image).mode == "RGB"


def test_lab() -> None:
    image = Image.frombytes("LAB", (1, 1), bytes([255, 128, 128]))
    assert to_grey(image).mode == "L"


def test_more_pages_of_a_tiff_are_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages = [Image.new("L", (20 + i, 30), 255) for i in range(3)]
    path = tmp_path / "book.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    with caplog.at_level(logging.WARNING, logger="kraken"):
        assert util.open_image(path).size == (20, 30)
    assert "book.tif holds 3 pages, only the first" in caplog.text
    caplog.clear()
    pages[0].save(tmp_path / "page.tif")
    util.open_image(tmp_path / "page.tif")
    assert not caplog.text


def test_pages_of_a_tiff_are_opened_by_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_tiff(tmp_path / "book.tif", [(20, 30), (21, 30), (22, 30)])
    assert [util.open_image(path, i).size for i in range(3)] == [(20, 30), (21, 30), (22, 30)]
    assert util.open_for(path, (30, 22), 1).size == (21, 30)
    assert not caplog.text
    for wrong in (3, -1):
        with pytest.raises(util.UnreadableImageError, match=rf"no page {wrong + 1}, only 3"):
            util.open_image(path, wrong)
    Image.new("L", (5, 5)).save(tmp_path / "page.png")
    with pytest.raises(util.UnreadableImageError, match="no page 2, only 1"):
        util.open_image(tmp_path / "page.png", 1)


def test_every_page_of_a_tiff_has_the_same_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiff(tmp_path / "book.tif", [(20, 30), (90, 90)])
    monkeypatch.setattr(util, "MAX_PIXELS", 1000)
    assert util.open_image(path, 0).size == (20, 30)
    with pytest.raises(util.UnreadableImageError, match="larger than the limit"):
        util.open_image(path, 1)


def test_previews_and_masks_in_a_tiff_are_no_pages(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tags = ({254: 1}, {254: 0}, {254: 4}, {255: 2}, {254: 2})
    path = write_tiff(tmp_path / "book.tif", [(20 + i, 30) for i in range(5)], tags)
    assert image_files.count_pages(path) == 2
    assert util.open_image(path).size == (21, 30)
    assert util.open_image(path, 1).size == (24, 30)
    alone = write_tiff(tmp_path / "page.tif", [(20, 30), (5, 8)], ({}, {254: 1}))
    caplog.clear()
    assert util.open_image(alone).size == (20, 30) and not caplog.text


@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File")
def test_damage_in_a_tiff_is_told_of_and_costs_what_follows_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_tiff(tmp_path / "book.tif", [(20, 30)] * 3)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        assert 1 <= image_files.count_pages(path) <= 3
    assert all("is damaged" in record.message for record in caplog.records)
    # the second page is said to stand behind the end
    caplog.clear()
    with Image.open(io.BytesIO(whole)) as image:
        at = image._TiffImageFile__next  # type: ignore[attr-defined]
    path.write_bytes(whole.replace(at.to_bytes(4, "little"), (len(whole) + 99).to_bytes(4, "little")))
    assert image_files.count_pages(path) == 1 and "book.tif is damaged" in caplog.text
    assert util.open_image(path).size == (20, 30)
    assert image_files.count_pages(tmp_path / "missing.tif") == 1 and not image_files.is_tiff(tmp_path)


def write_tiff(path: Path, sizes: list[tuple[int, int]], tags: Sequence[dict[int, int]] = ()) -> Path:
    """A file with an image of each size, and with these tags for each."""
    images = [Image.new("L", size, 255) for size in sizes]
    for image, own in zip(images, tags, strict=False):
        image.encoderinfo = {"tiffinfo": own}
    first = dict(tags[0]) if tags else {}
    images[0].save(path, save_all=True, append_images=images[1:], tiffinfo=first)
    return path
