"""Binarisation: recorded pages, SciPy's filters, and what no page should do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy import ndimage

from kraken._rust import image as rust
from kraken.binarization import nlbin
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.functional_im_transforms import pil_to_bin
from kraken.lib.util import open_image
from tests.conftest import SHARED, golden_json
from tests.reference import nlbin as slow

FOLDER = SHARED / "golden" / "cli"
CASES: list[dict[str, Any]] = golden_json("cli", "binarize.json")["cases"] if FOLDER.exists() else []

floats = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30),
    elements=st.floats(-1, 1, width=16),
)
sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded_pages(case: dict[str, Any]) -> None:
    im: Image.Image = open_image(FOLDER / case["image"])
    if case["crop"]:
        im = im.crop(case["crop"])
    if case["convert"]:
        im = im.convert(case["convert"])
    found = nlbin(im, **case["params"])
    assert found.mode == "L" and found.size == im.size
    with Image.open(FOLDER / case["output"]) as expected:
        differing = np.asarray(found) != np.asarray(expected.convert("L"))
    assert set(np.unique(found)) == {0, 255}
    assert differing.mean() <= case["max_disagree"]


@settings(max_examples=40)
@given(data=floats, sigmas=st.tuples(st.floats(0, 9), st.floats(0, 9)), threads=st.integers(1, 3))
def test_gaussian(data: Any, sigmas: Any, threads: int) -> None:
    for orders in ((0, 0), (1, 0), (0, 1)):
        if all(sigma > 0.3 or not order for sigma, order in zip(sigmas, orders, strict=True)):
            expected = ndimage.gaussian_filter(data, sigmas, order=orders)
            found = rust.gaussian_filter(data, sigmas, orders, threads)
            np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=40)
@given(data=floats, size=sizes, percentile=st.floats(0, 100), threads=st.integers(1, 3))
def test_windows(data: Any, size: Any, percentile: float, threads: int) -> None:
    rank = min(int(size[0] * size[1] * percentile / 100), size[0] * size[1] - 1)
    # not SciPy's filter, which is wrong for some windows that are larger than the image
    padded = np.pad(data, [(n // 2, n - n // 2 - 1) for n in size], mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    expected = np.sort(windows.reshape(*data.shape, -1))[..., rank]
    assert (rust.percentile_filter(data, size, percentile, threads) == expected).all()
    assert (rust.maximum_filter(data, size, threads) == ndimage.maximum_filter(data, size)).all()
    assert (rust.minimum_filter(data, size, threads) == ndimage.minimum_filter(data, size)).all()
    np.testing.assert_allclose(
        rust.uniform_filter(data, size, threads), ndimage.uniform_filter(data, size), atol=1e-12
    )


@settings(max_examples=40)
@given(data=floats, places=st.lists(st.floats(-2, 32), max_size=9), threads=st.integers(1, 3))
def test_cubic_resampling(data: Any, places: list[float], threads: int) -> None:
    found = rust.resample_cubic(data, places, places[::-1], threads)
    grid = np.meshgrid(places, places[::-1], indexing="ij")
    expected = ndimage.map_coordinates(data, grid, order=3, mode="constant") if places else np.zeros((0, 0))
    np.testing.assert_allclose(found, expected, atol=1e-10)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**31),
    shape=st.tuples(st.integers(40, 150), st.integers(40, 150)),
    zoom=st.sampled_from([0.3, 0.5, 1.0, 1.3]),
    escale=st.floats(0.1, 1.5),
    border=st.floats(0, 0.3),
    perc=st.sampled_from([50, 80, 100]),
    window=st.integers(1, 30),
)
def test_noise(
    seed: int, shape: Any, zoom: float, escale: float, border: float, perc: int, window: int
) -> None:
    rng = np.random.default_rng(seed)
    ink = ndimage.gaussian_filter(rng.random(shape), 2) < 0.47
    light = ndimage.gaussian_filter(rng.random(shape), 15) * 400
    grey = np.clip(light + 40 - 90 * ink + rng.normal(0, 8, shape), 0, 255).astype(np.uint8)
    params = {"zoom": zoom, "escale": escale, "border": border, "perc": perc, "range": window}
    expected = slow.nlbin(grey, **params)
    found = np.asarray(nlbin(Image.fromarray(grey), threads=2, **params)) > 0
    assert (found != expected).mean() <= 0.001


def test_images_of_two_colours_come_back_as_they_are() -> None:
    noise = np.random.default_rng(0).random((20, 30)) > 0.5
    for im in (
        Image.fromarray(noise),
        Image.fromarray(np.where(noise, 7, 8).astype(np.uint8)),
        Image.fromarray(np.where(noise[..., None], [1, 2, 3], [4, 5, 6]).astype(np.uint8)),
    ):
        assert nlbin(im) is im
        assert pil_to_bin(im) is im


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "I;16"])
def test_images_of_one_colour_are_empty(mode: str) -> None:
    with pytest.raises(KrakenInputException, match="Image is empty"):
        nlbin(Image.new(mode, (30, 20)))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "CMYK", "I;16", "I", "F"])
def test_every_mode(mode: str) -> None:
    shades = np.full((80, 120), 200, np.uint8)
    shades[20:24, 20:100] = 20
    shades[40:60:2, 30:90] = 60
    grey = Image.fromarray(shades)
    im: Image.Image
    if mode.startswith("I"):
        im = Image.fromarray(
            (shades.astype(np.uint16) * 257) if mode == "I;16" else shades.astype(np.int32) * 257
        )
    elif mode == "F":
        im = Image.fromarray(shades.astype(np.float32))
    else:
        im = grey.convert("RGB").convert(mode) if mode in ("P", "CMYK") else grey.convert(mode)
    assert (np.asarray(nlbin(im)) == np.asarray(nlbin(grey))).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 1.0),
        ("threshold", -0.1),
        ("zoom", 0),
        ("zoom", 5),
        ("escale", 0),
        ("border", 0.5),
        ("perc", 0),
        ("perc", 101),
        ("range", 0),
        ("range", -3),
        ("low", -1),
        ("low", 95),
        ("high", 101),
        ("high", float("nan")),
    ],
)
def test_bad_parameters_are_named(name: str, value: Any) -> None:
    im = Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30))
    blamed = "high" if name == "low" and value > 90 else name
    with pytest.raises(KrakenInputException, match=blamed):
        nlbin(im, **{name: value})


@pytest.mark.parametrize("size", [(1, 3), (3, 1), (5, 5), (400, 2), (7, 300)])
def test_small_images(size: tuple[int, int]) -> None:
    width, height = size
    im = Image.fromarray(np.linspace(10, 240, width * height).astype(np.uint8).reshape(height, width))
    assert set(np.unique(nlbin(im))) <= {0, 255}
