"""Errors, modes and odd lines of the extractor."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kraken.lib.segmentation.extraction import (
    apply_polygonal_mask,
    extract_lines,
    extract_polygons,
    make_polygonal_mask,
)

W, H = 400, 300
BOX = [(20, 40), (380, 40), (380, 280), (20, 280)]
FLAT = [(20, 200), (380, 200)]
BENT = [(20, 200), (200, 210), (380, 200)]


def _page(mode: str = "L") -> Image.Image:
    values = np.random.default_rng(0).integers(30, 250, (H, W, 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def _line(baseline: Any = FLAT, boundary: Any = BOX, name: str = "line-7") -> Any:
    return SimpleNamespace(id=name, type="baselines", baseline=baseline, boundary=boundary)


def _bounds(*lines: Any, kind: str = "baselines", direction: str = "horizontal-lr") -> Any:
    return SimpleNamespace(type=kind, text_direction=direction, lines=list(lines))


@pytest.mark.parametrize(
    ("baseline", "boundary", "message"),
    [
        (FLAT, None, "No boundary given for line"),
        (None, BOX, "No baseline given for line"),
        (FLAT, [], "fewer than 2 points"),
        (FLAT, [(1, 1)], "fewer than 2 points"),
        ([], BOX, "Baseline length below minimum 5px"),
        ([(30, 50)], BOX, "Baseline length below minimum 5px"),
        ([(30, 50), (30, 50)], BOX, "Baseline length below minimum 5px"),
        ([(30, 50), (34, 50)], BOX, "Baseline length below minimum 5px"),
        (FLAT, [(20, 40), (W, 40), (20, 50)], "Line polygon outside of image bounds"),
        (FLAT, [(-1, 40), (30, 40), (20, 50)], "Line polygon outside of image bounds"),
        (FLAT, [(math.nan, 40), (30, 40), (20, 50)], "Line polygon outside of image bounds"),
        ([(20, 200), (380, H)], BOX, "Baseline outside of image bounds"),
        ([(20, 200), (math.inf, 20)], BOX, "Baseline outside of image bounds"),
        (FLAT, [1, 2, 3], "not a sequence of points"),
        ("abcd", BOX, "not a sequence of points"),
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_bad_lines(baseline: Any, boundary: Any, message: str, legacy: bool) -> None:
    bad, good = _line(baseline, boundary), _line(name="good")
    images = extract_polygons(_page(), _bounds(good, bad), legacy)
    assert next(images)[1] is good
    with pytest.raises(ValueError, match=message) as error:
        next(images)
    assert "line-7" in str(error.value)
    first, second, third = extract_lines(_page(), [good, bad, good], legacy=legacy)
    assert isinstance(first, np.ndarray) and isinstance(third, np.ndarray)
    assert isinstance(second, str) and message in second and "line-7" in second


def test_straight_horizontal_line_is_the_crop() -> None:
    page = _page("RGB")
    [(image, _)] = extract_polygons(page, _bounds(_line()))
    assert image.mode == "RGB"
    assert image.tobytes() == page.crop((20, 40, 381, 281)).tobytes()


def _spiral() -> list[tuple[float, float]]:
    return [
        ((20 + 6 * a) * math.cos(a) + 200, (20 + 6 * a) * math.sin(a) + 150) for a in np.arange(0, 15, 0.3)
    ]


ODD_BASELINES: dict[str, list[tuple[float, float]]] = {
    "hairpin": [(50, 100), (390, 100), (390, 103), (60, 103)],
    "flat hairpin": [(50, 100), (390, 100), (60, 100)],
    "crossing": [(50, 200), (300, 200), (300, 150), (200, 150), (200, 260)],
    "ring": [
        (200 + 80 * math.cos(a), 150 + 80 * math.sin(a))
        for a in np.linspace(0, 2 * math.pi, 40, endpoint=False)
    ],
    "spiral": _spiral(),
    "zigzag": [(100, 200), (110, 230), (120, 200), (130, 230), (140, 200)],
    "repeats": [(20, 200), (20, 200), (200, 210), (200, 210), (380, 200), (380, 200)],
    "top row": [(0, 0), (200, 0), (399, 0)],
    "bottom row": [(0, 299), (200, 299), (399, 299)],
    "right to left": [(380, 200), (20, 190)],
    "down": [(200, 45), (203, 150), (200, 275)],
}
ODD_BOUNDARIES: dict[str, list[tuple[float, float]]] = {
    "box": BOX,
    "page": [(0, 0), (W - 1, 0), (W - 1, H - 1), (0, H - 1), (0, 0)],
    "two points": [(20, 150), (380, 160)],
    "no area": [(20, 150), (200, 150), (380, 150), (20, 150)],
    "one place": [(100, 100), (100, 100), (100, 100)],
    "bow": [(20, 40), (380, 280), (380, 40), (20, 280)],
    "elsewhere": [(300, 10), (320, 10), (320, 20), (300, 20)],
    "many points": [
        (200 + 150 * math.cos(a), 150 + 100 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 300)
    ],
}


@pytest.mark.parametrize(("baseline", "boundary"), list(itertools.product(ODD_BASELINES, ODD_BOUNDARIES)))
def test_odd_lines_give_images(baseline: str, boundary: str) -> None:
    line = _line(ODD_BASELINES[baseline], ODD_BOUNDARIES[boundary])
    for mode, legacy in itertools.product(("1", "L", "RGB"), (False, True)):
        [(image, _)] = extract_polygons(_page(mode), _bounds(line), legacy)
        assert image.mode == ("L" if mode == "1" else mode)
        assert min(image.size) >= 1
        assert max(image.size) < 20_000


def test_repeated_points_change_nothing() -> None:
    once, twice = _line(BENT), _line([p for p in BENT for _ in range(2)])
    [(a, _)], [(b, _)] = (extract_polygons(_page(), _bounds(line)) for line in (once, twice))
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "P", "I", "F", "I;16"])
@pytest.mark.parametrize("baseline", [FLAT, [(20, 200), (380, 190)], BENT])
def test_modes_are_kept(mode: str, baseline: Any) -> None:
    page = Image.fromarray(np.full((H, W), 40_000, np.uint16)) if mode == "I;16" else _page(mode)
    before = page.tobytes()
    [(image, _)] = extract_polygons(page, _bounds(_line(baseline)))
    assert image.mode == mode
    assert page.tobytes() == before
    if baseline is FLAT:
        assert image.tobytes() == page.crop((20, 40, 381, 281)).tobytes()
    if mode == "P":
        colours = {tuple(c) for c in np.asarray(page.convert("RGB")).reshape(-1, 3).tolist()}
        assert image.convert("RGB").getpixel((150, 100)) in colours
    if mode == "I;16":
        assert image.getpixel((150, 100)) == 40_000
    [(legacy, _)] = extract_polygons(page, _bounds(_line(baseline)), legacy=True)
    assert legacy.mode == (mode if mode in ("L", "LA", "RGB", "RGBA") else "L")


def test_invisible_surroundings_do_not_darken_edges() -> None:
    page = Image.new("RGBA", (W, H), (200, 100, 50, 255))
    [(image, _)] = extract_polygons(page, _bounds(_line([(20, 200), (380, 190)])))
    pixels = np.asarray(image)
    visible = pixels[pixels[..., 3] > 8][:, :3].astype(int)
    assert np.abs(visible - (200, 100, 50)).max() <= 1


def test_bitonal_pages_stay_bitonal() -> None:
    [(image, _)] = extract_polygons(_page("1"), _bounds(_line(BENT)))
    assert image.mode == "L"
    assert set(np.unique(np.asarray(image))) <= {0, 255}


def test_a_straight_stroke_stays_straight() -> None:
    """Quadrilaterals aren't cut to whole pixels, so the text doesn't wobble."""
    values = np.zeros((H, W), dtype=np.uint8)
    baseline = [(20, 150), (110, 153), (200, 156), (290, 159), (380, 162)]
    x = np.arange(W)
    for row in range(H):
        values[row] = 255 * np.clip(2.5 - np.abs(row + 0.5 - (150 + (x + 0.5 - 20) / 30) + 8), 0, 1)
    [(image, _)] = extract_polygons(
        Image.fromarray(values), _bounds(_line(baseline, [(20, 125), (380, 137), (380, 172), (20, 160)]))
    )
    pixels = np.asarray(image).astype(float)[:, 5:-5]
    middle = (pixels * np.arange(pixels.shape[0])[:, None]).sum(axis=0) / pixels.sum(axis=0)
    assert np.ptp(middle) < 0.6


def test_boxes() -> None:
    page = _page("RGB")
    box = SimpleNamespace(id="b", type="bbox", bbox=np.array([10, 20, 110, 60]))
    [(flat, found)] = extract_polygons(page, _bounds(box, kind="bbox"))
    [(turned, _)] = extract_polygons(page, _bounds(box, kind="bbox", direction="vertical-rl"))
    assert found is box
    assert flat.tobytes() == page.crop((10, 20, 110, 60)).tobytes()
    np.testing.assert_array_equal(np.asarray(turned), np.rot90(np.asarray(flat)))
    [array] = extract_lines(page, [box], type="bbox", text_direction="vertical-lr")
    np.testing.assert_array_equal(array, np.asarray(turned))
    overhang = SimpleNamespace(id="b", bbox=(390, 290, 410, 310))
    [(image, _)] = extract_polygons(page, _bounds(overhang, kind="bbox"))
    assert image.size == (20, 20) and image.getpixel((15, 15)) == (0, 0, 0)


@pytest.mark.parametrize(
    "bbox",
    [
        (-1, 0, 5, 5),
        (0, -1, 5, 5),
        (5, -1, 9, 5),
        (W + 1, 0, W + 5, 5),
        (W, 0, W + 5, 5),
        (0, H + 1, 5, H + 5),
        (0, H, 5, H + 5),
        (10, 10, 5, 20),
        (10, 20, 30, 10),
        (10, 10, 10, 20),
        (10, 10, 20),
        (math.nan, 0, 5, 5),
        "abcd",
        None,
    ],
)
def test_bad_boxes(bbox: Any) -> None:
    box = SimpleNamespace(id="box-3", bbox=bbox)
    with pytest.raises(ValueError, match="box-3"):
        list(extract_polygons(_page(), _bounds(box, kind="bbox")))
    [error] = extract_lines(_page(), [box], type="bbox")
    assert isinstance(error, str) and "box-3" in error


def test_unknown_types_are_refused() -> None:
    with pytest.raises(ValueError, match="polygons"):
        list(extract_polygons(_page(), _bounds(kind="polygons")))
    with pytest.raises(ValueError, match="polygons"):
        extract_lines(_page(), [], type="polygons")


def test_transparent_pages_lie_on_white_paper() -> None:
    page = Image.new("RGBA", (W, H), (0, 0, 0, 0))
    [image] = extract_lines(page, [_line()])
    assert isinstance(image, np.ndarray) and image.shape == (241, 361, 3) and image.min() == 255


def test_masks() -> None:
    ring = [(2.9, 2.9), (8, 2), (8, 6), (2, 6)]
    mask = make_polygonal_mask(np.array(ring), (12, 10))
    assert (mask.mode, mask.size) == ("L", (12, 10))
    expected = np.zeros((10, 12), np.uint8)
    expected[2:7, 2:9] = 255
    np.testing.assert_array_equal(np.asarray(mask), expected)
    for mode, value in (("L", 7), ("RGB", (7, 7, 7)), ("RGBA", (7, 7, 7, 7)), ("P", 7), ("1", 0)):
        page = Image.new(mode, (12, 10), 1 if mode == "1" else 0)
        image = apply_polygonal_mask(page, ring, 0 if mode == "1" else 7)
        assert image.mode == mode
        assert image.getpixel((0, 0)) == value
        assert image.getpixel((5, 4)) == page.getpixel((5, 4))
    with pytest.raises(ValueError, match="-1"):
        make_polygonal_mask(ring, (-1, 5))
    with pytest.raises(ValueError, match="polygon"):
        make_polygonal_mask([1, 2], (5, 5))


def test_endless_zigzag_is_refused_instead_of_filling_the_memory() -> None:
    zigzag = [(20 + 360 * i / 4000, 45 + 230 * (i % 2)) for i in range(4000)]
    with pytest.raises(ValueError, match="larger than"):
        list(extract_polygons(_page(), _bounds(_line(zigzag, [(20, 40), (380, 40), (380, 280), (20, 280)]))))
