"""Input transforms, their functional steps, batches, the centre normaliser's edges."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from kraken.lib import functional_im_transforms as steps
from kraken.lib.dataset import ImageInputTransforms, collate_sequences
from kraken.lib.dataset import utils as dataset_utils
from kraken.lib.dataset.transforms import PILToTensor, pad_sequences
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.lineest import CenterNormalizer, dewarp


def _noise(width: int = 60, height: int = 30) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width), dtype=np.uint8))


def test_lanczos_is_pillows() -> None:
    tensor = ImageInputTransforms(1, 48, 0, 1, 0, valid_norm=False)(_noise())
    expected = np.asarray(_noise().resize((96, 48), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(
        (255 * (tensor.max() - tensor)).round().numpy()[0], expected - expected.min()
    )


@pytest.mark.parametrize(
    ("pad", "border"),
    [(3, (3, 3, 3, 3)), ((2, 1), (2, 1, 2, 1)), ([1, 2, 3, 4], (1, 2, 3, 4)), (0, (0, 0, 0, 0))],
)
def test_padding(pad: Any, border: tuple[int, ...]) -> None:
    transforms = ImageInputTransforms(1, 30, 0, 1, pad, valid_norm=False)
    left, top, right, bottom = border
    tensor = transforms(_noise())
    assert tuple(tensor.shape) == (1, 30 + top + bottom, 60 + left + right)
    inner = tensor[0, top : top + 30, left : left + 60]
    assert tensor.sum() == pytest.approx(inner.sum())
    assert transforms.pad == pad


@pytest.mark.parametrize(
    ("pad", "error"), [("3", TypeError), (None, TypeError), ((1, 2, 3), ValueError), (-1, ValueError)]
)
def test_bad_padding(pad: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="pad"):
        ImageInputTransforms(1, 48, 0, 1, pad)
    transforms = ImageInputTransforms(1, 48, 0, 1, 4)
    with pytest.raises(error, match="pad"):
        transforms.pad = pad
    assert transforms.pad == 4


def test_properties_rebuild_the_pipeline() -> None:
    transforms = ImageInputTransforms(1, 48, 0, 1, (16, 0), valid_norm=True)
    assert transforms.centerline_norm and transforms.mode == "L"
    transforms.valid_norm = False
    assert not transforms.centerline_norm
    transforms.height = 20
    assert transforms(_noise()).shape == (1, 20, 72)
    transforms.channels = 3
    assert transforms.mode == "RGB"
    assert transforms(_noise()).shape == (3, 20, 72)
    with pytest.raises(KrakenInputException):
        transforms.force_binarization = True
    assert not transforms.force_binarization
    with pytest.raises(KrakenInputException):
        transforms.channels = 2
    transforms.width = 50
    assert transforms.pad == 0
    assert transforms(_noise()).shape == (3, 20, 50)
    transforms.scale = (25, 0)
    assert transforms.pad == (16, 0)
    assert transforms(_noise()).shape == (3, 25, 82)
    transforms.batch = 8
    assert transforms.batch == 8
    rows = ImageInputTransforms(1, 1, 0, 48, 0, valid_norm=False)
    rows.height = 24
    assert rows(_noise()).shape == (24, 1, 48)
    assert "tensor_permute" in repr(rows)


def test_steps_before_the_tensor_map_images() -> None:
    transforms = ImageInputTransforms(1, 48, 0, 1, 4)
    index = next(i for i, step in enumerate(transforms.transforms) if isinstance(step, PILToTensor))
    image: Any = _noise()
    for step in transforms.transforms[:index]:
        image = step(image)
        assert isinstance(image, Image.Image)
    copy = pickle.loads(pickle.dumps(transforms))
    torch.testing.assert_close(copy(_noise()), transforms(_noise()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_element_types(dtype: torch.dtype) -> None:
    assert ImageInputTransforms(1, 0, 0, 3, 0, dtype=dtype)(_noise()).dtype == dtype


def test_deep_images_are_scaled(caplog: pytest.LogCaptureFixture) -> None:
    deep = Image.fromarray(np.asarray(_noise()).astype(np.uint16) * 257)
    with caplog.at_level(logging.WARNING, logger="kraken"):
        tensor = ImageInputTransforms(1, 0, 0, 1, 0)(deep)
    torch.testing.assert_close(tensor, ImageInputTransforms(1, 0, 0, 1, 0)(_noise()))
    assert "8 bits" in caplog.text


def test_lines_without_width_are_errors() -> None:
    with pytest.raises(ValueError, match="width"):
        ImageInputTransforms(1, 4, 0, 1, 0, valid_norm=False)(Image.new("L", (1, 100)))


def test_batches() -> None:
    images = [torch.full((1, 4, w), float(w)) for w in (2, 5, 3)]
    batch = collate_sequences([{"image": i, "target": f"t{i.shape[2]}"} for i in images])
    assert batch["target"] == ["t5", "t3", "t2"]
    assert batch["seq_lens"].tolist() == [5, 3, 2]
    assert batch["target_lens"].tolist() == [2, 2, 2]
    assert batch["image"].shape == (3, 1, 4, 5)
    assert batch["image"][2, 0, 0].tolist() == [2, 2, 0, 0, 0]
    labels = collate_sequences([{"image": i, "target": torch.tensor([i.shape[2]] * 2).int()} for i in images])
    assert labels["target"].tolist() == [5, 5, 3, 3, 2, 2]
    with pytest.raises(ValueError, match="heights"):
        pad_sequences([torch.zeros(1, 4, 2), torch.zeros(1, 5, 2)])
    with pytest.raises(ValueError, match="heights"):
        pad_sequences([])
    assert dataset_utils.collate_sequences is collate_sequences


def test_importing_the_package_leaves_torch_alone() -> None:
    modules = "kraken.lib.dataset, kraken.lib.util, kraken.lib.segmentation.extraction"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_texts() -> None:
    assert steps.text_normalize("é", "NFD") == "e\u0301"
    assert steps.text_whitespace_normalize("\u2003a\u00a0\tb\n") == "a  b"
    assert steps.text_reorder("אב", "R") == "בא"
    assert steps.dummy(steps) is steps


@pytest.mark.parametrize("kind", [str, Path])
def test_paths(kind: Any) -> None:
    assert steps.default_split(kind("x.y/a.b.png")) == kind("x.y/a")
    assert steps.default_split(kind("a")) == kind("a")
    split = partial(steps.suffix_split, split=steps.default_split, suffix=".gt.txt")
    assert pickle.loads(pickle.dumps(split))(kind("x.y/a.b.png")) == kind("x.y/a.gt.txt")


def test_centre_normaliser() -> None:
    normalizer = CenterNormalizer()
    normalizer.setHeight(32)
    blank = dewarp(normalizer, Image.new("L", (50, 10), 200))
    assert (blank.mode, blank.size, blank.getextrema()) == ("F", (160, 32), (200.0, 200.0))
    assert dewarp(normalizer, _noise()).height == 32
    assert dewarp(normalizer, _noise().convert("1")).height == 32
    with pytest.raises(ValueError, match="grey"):
        dewarp(normalizer, Image.new("RGB", (5, 5)))
    with pytest.raises(ValueError, match="empty"):
        dewarp(normalizer, Image.new("L", (0, 5)))
    with pytest.raises(Exception, match="isn't the one measured"):
        normalizer.dewarp(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="H×W"):
        normalizer.measure(np.zeros(3))
    with pytest.raises(ValueError, match="finite"):
        normalizer.measure(np.full((3, 3), np.nan))
    normalizer.measure(np.eye(20))
    assert normalizer.normalize(np.eye(20), order=0).shape == normalizer.normalize(np.eye(20)).shape
    with pytest.raises(ValueError, match="order"):
        normalizer.normalize(np.eye(20), order=3)


@pytest.mark.parametrize("size", [(1, 1), (300, 1), (2, 2), (7, 40)])
def test_centre_normaliser_takes_any_size(size: tuple[int, int]) -> None:
    values = np.zeros(size[::-1], np.uint8)
    values[0, 0] = 200
    assert dewarp(CenterNormalizer(20), Image.fromarray(values)).height == 20


def test_lines_that_would_vanish_are_errors() -> None:
    values = np.zeros((40, 1), np.uint8)
    values[0, 0] = 200
    with pytest.raises(ValueError, match="0×20 pixels"):
        dewarp(CenterNormalizer(20), Image.fromarray(values))
