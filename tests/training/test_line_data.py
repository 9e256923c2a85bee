"""Data sets of lines: caches, memory, compiled files, distortions."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kraken.containers import BaselineLine, BBoxLine, Segmentation
from kraken.lib.arrow_dataset import build_binary_dataset
from kraken.lib.dataset import (
    ArrowIPCRecognitionDataset,
    GroundTruthDataset,
    ImageInputTransforms,
    PolygonGTDataset,
    recognition,
)
from kraken.lib.dataset.augment import DefaultAugmenter
from kraken.lib.dataset.pages import BoundedCache, parse_path, text_file_of
from kraken.lib.dataset.text import text_transforms, transform_text
from kraken.lib.util import open_image
from kraken.lib.xml import XMLPage
from kraken.train import VGSLRecognitionDataModule
from tests.training.conftest import WORDS, data_config, write_page

TRANSFORMS = ImageInputTransforms(1, 16, 0, 1, (2, 0), valid_norm=False)


def container(page: Path) -> Segmentation:
    return XMLPage(page).to_container()


# -- lines of pages ---------------------------------------------------------------


def test_each_page_is_opened_once(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def count(path: Any) -> Any:
        opened.append(path)
        return open_image(path)

    monkeypatch.setattr(recognition, "open_image", count)
    lines = PolygonGTDataset(im_transforms=TRANSFORMS)
    lines.add(page=container(page))
    lines.no_encode()
    for _ in range(2):
        assert [lines[i]["target"] for i in range(len(lines))] == list(WORDS)
    assert len(opened) == 1


def test_cache_stays_within_its_limit() -> None:
    cache: BoundedCache[bytes] = BoundedCache(100, len)
    made = []

    def make(size: int) -> bytes:
        made.append(size)
        return bytes(size)

    for key, size in (("a", 40), ("b", 40), ("a", 40), ("c", 40), ("huge", 200)):
        assert len(cache.get(key, lambda size=size: make(size))) == size
    assert made == [40, 40, 40, 200]
    assert len(cache) == 2
    cache.get("b", lambda: make(40))
    assert made[-1] == 40 and len(made) == 5  # the one used least recently had gone
    assert len(pickle.loads(pickle.dumps(cache))) == 0


def test_wrong_additions_are_refused(page: Path) -> None:
    lines = PolygonGTDataset()
    with pytest.raises(ValueError, match="Neither line nor page"):
        lines.add()
    with pytest.raises(ValueError, match="Invalid segmentation of type bbox"):
        lines.add(page=container(page).to_bbox())
    for line, text in (
        (BBoxLine(id="x", text="a", bbox=(0, 0, 1, 1)), "type"),
        (BaselineLine(id="x", text=" ", baseline=[(0, 0), (9, 0)], boundary=[(0, 0)] * 3), "empty"),
        (BaselineLine(id="x", text=None, baseline=[(0, 0), (9, 0)], boundary=[(0, 0)] * 3), "empty"),
        (BaselineLine(id="x", text="a", boundary=[(0, 0)] * 3), "baseline"),
        (BaselineLine(id="x", text="a", baseline=[(0, 0), (9, 0)]), "boundary"),
    ):
        with pytest.raises(ValueError, match=text):
            lines.add(line=line)
    with pytest.raises(ValueError, match="bounding box"):
        GroundTruthDataset().add(line=BBoxLine(id="x", text="a"))


def test_all_lines_faulty_is_an_error(tmp_path: Path) -> None:
    page = write_page(tmp_path, "p", ["abba", "cab"], broken=[0, 1])
    lines = PolygonGTDataset(im_transforms=TRANSFORMS)
    lines.add(page=container(page))
    lines.encode()
    with pytest.raises(ValueError, match="All 2 samples in dataset invalid"):
        lines[0]
    assert lines.failed_samples == {0, 1}
    assert len(lines.failures()) == 2


@pytest.mark.parametrize(
    ("options", "good"), [({"max_width": 40}, {1, 3, 5, 8}), ({"subsampling": 16}, set())]
)
def test_lines_that_do_not_fit_the_network_are_faulty(
    page: Path, options: dict[str, int], good: set[int]
) -> None:
    lines = PolygonGTDataset(im_transforms=TRANSFORMS, **options)
    lines.add(page=container(page))
    lines.encode()
    if not good:
        with pytest.raises(ValueError, match="invalid"):
            lines[0]
        return
    for i in range(len(lines)):
        lines[i]
    assert set(range(len(lines))) - lines.failed_samples <= {1, 3, 4, 7} | good
    assert 0 in lines.failed_samples and 1 not in lines.failed_samples


def test_colour_and_grey_raise_the_mode(tmp_path: Path) -> None:
    modes = []
    for name, im in (
        ("bi", Image.fromarray(np.array([[0, 255] * 20] * 16, dtype=np.uint8))),
        ("grey", Image.fromarray(np.arange(640, dtype=np.uint8).reshape(16, 40))),
    ):
        im.save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.gt.txt").write_text("a")
        lines = GroundTruthDataset(im_transforms=ImageInputTransforms(1, 0, 0, 1, 0, valid_norm=False))
        lines.add(page=parse_path(tmp_path / f"{name}.png"))
        lines.no_encode()
        assert lines.im_mode == "1"
        lines[0]
        modes.append(lines.im_mode)
    assert modes == ["1", "L"]


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_line_images_on_their_side_are_as_large_as_upright(
    tmp_path: Path, name: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("L", (40, 16)).save(tmp_path / name, exif=exif)
    page = parse_path(tmp_path / name, needs_text=False, skip_empty_lines=False)
    assert page.lines is not None
    assert page.lines[0].bbox == ((0, 0, 16, 40) if orientation >= 6 else (0, 0, 40, 16))
    assert open_image(tmp_path / name).size == page.lines[0].bbox[2:]


def test_text_files_of_images(tmp_path: Path) -> None:
    assert text_file_of("/x/a.b.png").name == "a.gt.txt"
    Image.new("L", (5, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.gt.txt").write_bytes("é\r\n".encode())
    page = parse_path(tmp_path / "a.png")
    assert page.lines is not None and page.lines[0].text == "é"
    (tmp_path / "a.gt.txt").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="UTF-8"):
        parse_path(tmp_path / "a.png")
    (tmp_path / "a.gt.txt").write_bytes(b"\n")
    with pytest.raises(ValueError, match="empty"):
        parse_path(tmp_path / "a.png")


def test_text_transforms() -> None:
    assert transform_text(None, text_transforms()) == ""
    assert transform_text(" a\u2003b\x1c\n", text_transforms()) == "a b"
    assert transform_text("אב", text_transforms(reorder=True)) == "בא"
    assert transform_text("אב", text_transforms(reorder=False)) == "אב"
    for options in ({"normalization": "NFX"}, {"reorder": "X"}):
        with pytest.raises(ValueError):
            text_transforms(**options)  # type: ignore[arg-type]


# -- compiled data ------------------------------------------------------------------


def test_compiled_lines_equal_those_of_pages(page: Path, tmp_path: Path) -> None:
    target = tmp_path / "x.arrow"
    report = build_binary_dataset([page, page], target, num_workers=2, recordbatch_size=4)
    assert (report.lines, report.skipped) == (20, [])
    lines = ArrowIPCRecognitionDataset(im_transforms=TRANSFORMS)
    lines.add(target)
    direct = PolygonGTDataset(im_transforms=TRANSFORMS)
    direct.add(page=container(page))
    direct.no_encode()
    copied = pickle.loads(pickle.dumps(lines))
    for i in range(20):
        wanted = direct[i % 10]
        for dataset in (lines, copied):
            assert dataset[i]["target"] == wanted["target"]
            assert torch.equal(dataset[i]["image"], wanted["image"])
    assert lines.size_of(0)[1] in range(15, 19)


def test_only_what_is_sampled_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 3000), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="PNG")
    metadata = {
        "type": "kraken_recognition_bbox",
        "alphabet": {"a": 250},
        "counts": {"all": 250, "train": 0, "validation": 0, "test": 0},
    }
    line = pa.array([{"text": "a", "im": buffer.getvalue()}])
    schema = pa.schema([("lines", line.type)], metadata={"lines": json.dumps(metadata)})
    target = tmp_path / "x.arrow"
    with pa.ipc.new_file(str(target), schema) as file:
        for _ in range(250):
            file.write_batch(pa.record_batch([line], schema=schema))
    assert target.stat().st_size > 200 << 20
    code = (
        "import sys, resource\nfrom kraken.lib.dataset import ArrowIPCRecognitionDataset\n"
        "def used():\n"
        "    fields = open('/proc/self/status').read().split()\n"
        "    return int(fields[fields.index('RssAnon:') + 1])\n"
        f"lines = ArrowIPCRecognitionDataset()\nbefore = used()\nlines.add({str(target)!r})\n"
        "lines.encode()\nlines.image_of(3)\nprint(used() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60 << 10


def test_splits_that_sources_or_chance_give(page: Path, tmp_path: Path) -> None:
    pages = container(page)
    for i, line in enumerate(pages.lines or ()):
        line.split = ("train", "validation", "test")[i % 3]  # type: ignore[assignment]
    target = tmp_path / "x.arrow"
    build_binary_dataset([pages], target, None, ignore_splits=False)
    data = VGSLRecognitionDataModule(
        data_config(target, format_type="binary", evaluation_data=None, binary_dataset_split=True)
    )
    assert data.train_set is not None and data.val_set is not None
    assert (len(data.train_set), len(data.val_set)) == (4, 3)
    with pytest.raises(ValueError, match="sum up"):
        build_binary_dataset([pages], target, None, random_split=(0.5, 0.2, 0.1))


def test_faulty_lines_and_files_are_named(tmp_path: Path) -> None:
    page = write_page(tmp_path, "p", WORDS, broken=[2])
    report = build_binary_dataset([page, tmp_path / "none.xml"], tmp_path / "x.arrow")
    assert report.lines == 9
    assert any("p_l2" in entry for entry in report.skipped)
    assert any("none.xml" in entry for entry in report.skipped)
    for options, text in (({"format_type": "x"}, "invalid format x"), ({"force_type": "x"}, "force_type")):
        with pytest.raises(ValueError, match=text):
            build_binary_dataset([page], tmp_path / "y.arrow", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "y.arrow").exists()


def test_files_that_are_no_data_sets(tmp_path: Path) -> None:
    junk = tmp_path / "junk.arrow"
    junk.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="junk"):
        ArrowIPCRecognitionDataset().add(junk)
    plain = tmp_path / "plain.arrow"
    with pa.ipc.new_file(str(plain), pa.schema([("a", pa.int32())])) as file:
        file.write_batch(pa.record_batch([pa.array([1], pa.int32())], names=["a"]))
    with pytest.raises(ValueError, match="valid metadata record"):
        ArrowIPCRecognitionDataset().add(plain)
    with pytest.raises(ValueError, match="split_filter"):
        ArrowIPCRecognitionDataset(split_filter="x")


# -- distortions ----------------------------------------------------------------------


@pytest.mark.parametrize("name", list(DefaultAugmenter.PROBS))
@pytest.mark.parametrize("shape", [(1, 16, 40), (3, 48, 300), (1, 3, 3), (3, 120, 7)])
def test_each_distortion_keeps_shape_and_range(name: str, shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    probs = dict.fromkeys(DefaultAugmenter.PROBS, 0.0) | {name: 1.0}
    augment = DefaultAugmenter(p=1.0, probs=probs)
    im = torch.rand(shape)
    before = im.clone()
    changed = False
    for _ in range(12):
        found = augment(im)
        assert found.shape == im.shape and found.dtype == im.dtype
        assert float(found.min()) >= 0 and float(found.max()) <= 1
        changed |= not torch.equal(found, im)
    assert torch.equal(im, before)
    if name not in ("grayscale",) or shape[0] == 3:
        assert changed or min(shape[1:]) < 8


@settings(max_examples=20)
@given(st.integers(3, 40), st.integers(3, 60), st.integers(0, 2**30))
def test_any_size_survives(height: int, width: int, seed: int) -> None:
    torch.manual_seed(seed)
    augment = DefaultAugmenter(p=1.0, max_ops=13, probs=dict.fromkeys(DefaultAugmenter.PROBS, 1.0))
    assert bool(torch.isfinite(augment(torch.rand(1, height, width))).all())


def test_augmenter_options() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        DefaultAugmenter(probs={"nonsense": 1.0})
    im = torch.rand(1, 9, 9)
    assert DefaultAugmenter(p=0.0)(im) is im
    blank = torch.zeros(1, 16, 64)
    torch.manual_seed(1)
    assert float(DefaultAugmenter(p=1.0, probs={"warp": 1.0}, max_ops=1)(blank).abs().max()) <= 1
