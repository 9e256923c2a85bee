"""Lines made network inputs by native threads equal those made by way of images and Pillow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kraken.lib.dataset import ImageInputTransforms
from kraken.lib.segmentation.extraction import extract_line_arrays, extract_lines


def _box(page: Image.Image) -> Any:
    """A level line whose image is the whole page."""
    right, bottom = page.width - 1, page.height - 1
    ring = [(0, 0), (right, 0), (right, bottom), (0, bottom)]
    return SimpleNamespace(id="all", baseline=[(0, bottom), (right, bottom)], boundary=ring)


def _noise(seed: int, width: int, height: int, mode: str) -> Image.Image:
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    values = np.random.default_rng(seed).integers(1, 256, shape, dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def _assert_same(page: Image.Image, lines: list[Any], transforms: ImageInputTransforms, threads: int) -> None:
    images = extract_lines(page, lines, num_threads=1)
    arrays = extract_line_arrays(
        page,
        lines,
        height=transforms.height,
        channels=transforms.channels,
        padding=transforms.sides,
        num_threads=threads,
    )
    for image, found in zip(images, arrays, strict=True):
        assert not isinstance(image, str)
        if int(image.shape[1] * transforms.height / image.shape[0]) == 0:
            assert isinstance(found, str) and "resize" in found
            continue
        array, width = found
        assert isinstance(array, np.ndarray) and array.dtype == np.float32
        assert width == image.shape[1]
        expected = transforms(Image.fromarray(image)).numpy()
        # Older releases take the two passes of the filter in the other order, which
        # matters by a unit of the last place (or two, where the maximum changes, too).
        atol = 0 if int(PIL.__version__.split(".")[0]) >= 13 else 2.1 / 255
        np.testing.assert_allclose(array, expected, rtol=0, atol=atol)


@given(
    st.integers(0, 2**31),
    st.integers(6, 160),
    st.integers(2, 160),
    st.sampled_from(["L", "RGB", "1"]),
    st.sampled_from([2, 7, 48, 120]),
    st.sampled_from([1, 3]),
    st.sampled_from([0, (16, 0), (1, 2, 3, 4)]),
)
@settings(max_examples=60, deadline=None)
def test_scaling_equals_pillow(
    seed: int, width: int, height: int, mode: str, to: int, channels: int, pad: Any
) -> None:
    page = _noise(seed, width, height, mode)
    transforms = ImageInputTransforms(1, to, 0, channels, pad, valid_norm=False)
    assert transforms.only_scales
    _assert_same(page, [_box(page)], transforms, 1)


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "RGBA", "P"])
@pytest.mark.parametrize("channels", [1, 3])
def test_many_lines(mode: str, channels: int) -> None:
    page = _noise(1, 300, 260, "RGB").convert(mode)
    lines = []
    for k in range(12):
        y = 20 + 18 * k
        baseline = [(10, y), (290, y + k)] if k % 2 else [(10, y), (150, y + 5), (290, y)]
        ring = [(10, y - 9), (290, y - 9 + k), (290, y + 6 + k), (10, y + 6)]
        lines.append(SimpleNamespace(id=str(k), baseline=baseline, boundary=ring))
    _assert_same(page, lines, ImageInputTransforms(1, 40, 0, channels, (8, 0), valid_norm=False), 3)


def test_a_faulty_line_costs_only_itself() -> None:
    page = _noise(0, 80, 40, "L")
    good = _box(page)
    bad = [
        SimpleNamespace(id="short", baseline=[(0, 0), (1, 0)], boundary=good.boundary),
        SimpleNamespace(id="no ring", baseline=good.baseline, boundary=None),
        SimpleNamespace(id="out", baseline=good.baseline, boundary=[(-4, 0), (9, 0), (9, 9)]),
    ]
    found = extract_line_arrays(page, [bad[0], good, bad[1], good, bad[2]], height=20)
    messages = [f for f in found if isinstance(f, str)]
    assert [m.rsplit("line ", 1)[1] for m in messages] == ["short)", "no ring)", "out)"]
    assert all(np.array_equal(found[1][0], found[k][0]) for k in (1, 3))


def test_bad_inputs_are_refused() -> None:
    page = _noise(0, 80, 40, "L")
    for wrong in ({"height": 0}, {"channels": 2}, {"padding": (0, 0, -1, 0)}, {"padding": (1, 1)}):
        with pytest.raises(ValueError, match="Lines can't have"):
            extract_line_arrays(page, [_box(page)], **{"height": 20, **wrong})  # type: ignore[arg-type]
    assert extract_line_arrays(page, [], height=20) == []
