"""The box segmenter: recorded pages, its steps one by one, and pages that aren't any."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw
from scipy import stats

from kraken._rust import seg as rust
from kraken.lib.exceptions import KrakenInputException
from kraken.pageseg import segment
from tests.conftest import SHARED, golden_json
from tests.reference import pageseg as slow

FOLDER = SHARED / "golden" / "cli"
CASES: list[dict[str, Any]] = golden_json("cli", "pageseg.json")["cases"] if FOLDER.exists() else []
masks = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=25),
    elements=st.sampled_from([0, 0, 0, 1]),
)


def overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inside = max(0, width) * max(0, height)
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return float(inside / max(1, sum(areas) - inside))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded_pages(case: dict[str, Any]) -> None:
    found = segment(Image.open(FOLDER / case["image"]), **case["params"])
    assert (found.type, found.text_direction) == ("bbox", case["text_direction"])
    boxes = [line.bbox for line in found.lines]
    matched = [
        max(range(len(boxes)), key=lambda j: overlap(boxes[j], box), default=None) for box in case["boxes"]
    ]
    pairs = [
        (i, j)
        for i, (j, box) in enumerate(zip(matched, case["boxes"], strict=True))
        if j is not None and overlap(boxes[j], box) >= 0.9
    ]
    allowed = max(1, 0.03 * len(case["boxes"]))
    assert len(case["boxes"]) - len(pairs) <= allowed
    assert len(boxes) - len(pairs) <= allowed
    if len(pairs) > 1:
        assert stats.kendalltau(*zip(*pairs, strict=True)).statistic >= 0.99


@settings(max_examples=60)
@given(mask=masks, low=st.floats(0, 5), more=st.floats(0, 9))
def test_components(mask: Any, low: float, more: float) -> None:
    assert sorted(rust.component_boxes(mask)) == sorted(
        (columns.start, rows.start, columns.stop, rows.stop) for rows, columns in slow.sorted_boxes(mask)
    )
    assert (rust.filled_boxes(mask, low, low + more) == slow.filled_boxes(mask, low, low + more)).all()
    large = np.kron(mask, np.ones((3, 3), np.uint8))
    assert rust.script_size(mask) == pytest.approx(slow.script_size(mask))
    assert rust.script_size(large) == pytest.approx(slow.script_size(large))


@settings(max_examples=60)
@given(mask=masks, axis=st.sampled_from([0, 1]), least=st.floats(0, 6), most=st.integers(0, 4))
def test_longest_components(mask: Any, axis: int, least: float, most: int) -> None:
    found = rust.longest_components(mask, axis, least, most)
    extents = sorted((box[axis].stop - box[axis].start for box in slow.sorted_boxes(mask)), reverse=True)
    kept = [box[axis].stop - box[axis].start for box in slow.sorted_boxes(found)]
    assert sorted(kept, reverse=True) == [extent for extent in extents if extent > least][:most]
    assert (found <= mask).all()


@settings(max_examples=60)
@given(data=st.data(), bottom=masks, delta=st.integers(1, 5), reach=st.floats(0, 20))
def test_seeds(data: Any, bottom: Any, delta: int, reach: float) -> None:
    top = data.draw(hnp.arrays(np.uint8, bottom.shape, elements=st.sampled_from([0, 0, 1])))
    assert (rust.line_seeds(bottom, top, delta, reach) == slow.line_seeds(bottom, top, delta, reach)).all()


@settings(max_examples=60)
@given(data=st.data(), seeds=masks, reach=st.floats(0.5, 8))
def test_lines_grow_from_seeds(data: Any, seeds: Any, reach: float) -> None:
    """One pixel of ink at a time, so that the boxes tell where its label came from."""
    boxmap = data.draw(hnp.arrays(np.uint8, seeds.shape, elements=st.integers(0, 1)))
    at = tuple(data.draw(st.integers(0, side - 1)) for side in seeds.shape)
    ink = np.zeros_like(seeds)
    ink[at] = 1
    grown = rust.grow_lines(seeds, boxmap, ink, reach)
    labelled = {i for i, box in enumerate(grown, 1) if box != (0, 0, 0, 0)}
    owner = slow.owners(seeds, boxmap)[at]
    expected = {owner} if owner > 0 else slow.nearest(seeds, at, reach)
    assert len(labelled) == bool(expected)
    assert labelled <= expected
    assert all(box in ((0, 0, 0, 0), (at[1], at[0], at[1] + 1, at[0] + 1)) for box in grown)


def page(size: tuple[int, int] = (600, 400)) -> Image.Image:
    im = Image.new("1", size, 1)
    draw = ImageDraw.Draw(im)
    for y in range(40, size[1] - 40, 40):
        for x in range(40, size[0] - 60, 16):
            draw.rectangle((x, y, x + 9, y + 15), fill=0)
    return im


@pytest.mark.parametrize("direction", ["horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl"])
def test_directions_are_rotations(direction: str) -> None:
    turn = {"vertical-lr": Image.Transpose.ROTATE_90, "vertical-rl": Image.Transpose.ROTATE_270}.get(
        direction
    )
    im = page() if turn is None else page().transpose(turn)
    found = segment(im, direction, pad=(3, 5))
    assert len(found.lines) == 8
    flat = [line.bbox for line in segment(page(), pad=(3, 5)).lines]
    width, height = page().size
    turned = {
        "vertical-lr": lambda x0, y0, x1, y1: (y0, width - x1, y1, width - x0),
        "vertical-rl": lambda x0, y0, x1, y1: (height - y1, x0, height - y0, x1),
    }.get(direction, lambda *box: box)
    assert [line.bbox for line in found.lines] == [turned(*box) for box in flat]
    assert {line.text_direction for line in found.lines} == {direction}
    assert len({line.id for line in found.lines}) == 8


def test_masks_hide_and_pad_is_clipped() -> None:
    mask = Image.new("1", (600, 400), 1)
    ImageDraw.Draw(mask).rectangle((0, 0, 300, 400), fill=0)
    for either in (mask, np.asarray(mask)):
        boxes = [line.bbox for line in segment(page(), mask=either).lines]
        assert len(boxes) == 8
        assert all(box is not None and box[0] > 300 for box in boxes)
    padded = [line.bbox for line in segment(page(), pad=1000).lines]
    assert {(box[0], box[2]) for box in padded if box} == {(0, 600)}


def test_the_order_is_asked_for_by_position() -> None:
    asked = []

    def backwards(*arguments: Any) -> list[int]:
        asked.append(arguments[1:])
        return list(range(len(arguments[0])))[::-1]

    plain = {line.bbox for line in segment(page()).lines}
    found = segment(page(), "horizontal-rl", reading_order_fn=backwards)
    assert {line.bbox for line in found.lines} == plain
    assert asked == [("rl",)]


@pytest.mark.parametrize(
    ("im", "options", "message"),
    [
        (Image.linear_gradient("L"), {}, "is not bi-level"),
        (Image.new("L", (30, 30), 9), {}, "is not bi-level"),
        (page(), {"text_direction": "diagonal"}, "Invalid text direction diagonal"),
        (page(), {"mask": Image.new("1", (9, 9))}, "Mask has"),
        (page(), {"mask": Image.linear_gradient("L").resize((600, 400))}, "Mask is not bi-level"),
    ],
)
def test_bad_input(im: Image.Image, options: Any, message: str) -> None:
    with pytest.raises(KrakenInputException, match=message):
        segment(im, **options)


@pytest.mark.parametrize("options", [{"scale": 0}, {"scale": float("nan")}, {"maxcolseps": -1}])
def test_bad_options(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        segment(page(), **options)


def noise(share: float) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).random((1000, 800)) > share)


def stripes(*, diagonal: bool) -> Image.Image:
    y, x = np.mgrid[:1000, :800]
    return Image.fromarray((y + x * diagonal) % 5 > 1)


@pytest.mark.parametrize(
    "im",
    [
        Image.new("1", (50, 40), 1),
        Image.new("1", (50, 40), 0),
        Image.new("1", (1, 1), 0),
        *map(noise, (0.001, 0.05, 0.3, 0.5, 0.999)),
        stripes(diagonal=False),
        stripes(diagonal=True),
        Image.fromarray(np.arange(3) > 0).resize((300, 1)),
    ],
    ids=lambda im: f"{im.size}",
)
def test_what_is_no_page_gives_no_error(im: Image.Image, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = segment(im, black_colseps=True)
    assert found.lines or caplog.text or im.size == (800, 1000)
