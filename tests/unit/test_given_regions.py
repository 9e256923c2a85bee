"""Segmenting inside given regions, splitting at borders, joining fragments: with the bundled network."""

from __future__ import annotations

import logging
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from shapely.geometry import LineString, Polygon

from kraken.configs import SegmentationInferenceConfig
from kraken.containers import Region, Segmentation
from kraken.lib.vgsl.arrangement import FoundLine, arrange_lines, given_regions
from kraken.tasks import SegmentationTaskModel
from tests.robustness.images import page as marks

PAGE_SIZE = (1000, 1400)


def drawn_page() -> Image.Image:
    """A page with a heading and twelve lines of words in one column."""
    page = Image.new("L", PAGE_SIZE, 243)
    draw = ImageDraw.Draw(page)
    rng = np.random.default_rng(2)
    for y in [200, *range(330, 1200, 70)]:
        x = 100
        while x < 860:
            width = int(rng.integers(60, 140))
            for left in range(x, x + width - 16, 20):
                top = y - (34 if rng.random() < 0.3 else 24)
                draw.rectangle([left, top, left + 4, y], fill=30)
                draw.line([(left, y - 24), (left + 14, y - 12), (left + 14, y)], fill=30, width=4)
            x += width + 18
    return page


def ring(x0: int, y0: int, x1: int, y1: int) -> list[list[int]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


@pytest.fixture(scope="module")
def task() -> SegmentationTaskModel:
    with as_file(files("kraken") / "assets" / "tiny_layout.safetensors") as path:
        return SegmentationTaskModel.load_model(path)


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return drawn_page()


@pytest.fixture(scope="module")
def plain(task: SegmentationTaskModel, page: Image.Image) -> Segmentation:
    result = task.predict(page, SegmentationInferenceConfig())
    assert len(result.lines) >= 13
    return result


def predict(task: SegmentationTaskModel, page: Image.Image, **options: Any) -> Segmentation:
    return task.predict(page, SegmentationInferenceConfig(**options))


def middle(line: Any) -> Any:
    return LineString(line.baseline).interpolate(0.5, normalized=True)


UPPER = Region("upper", boundary=ring(60, 270, 940, 700), tags={"type": [{"type": "body"}]})
LOWER = Region("lower", boundary=ring(60, 740, 940, 1260))


def test_lines_inside_are_kept_and_know_their_region(
    task: SegmentationTaskModel, page: Image.Image, plain: Segmentation, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "kraken"):
        result = predict(task, page, regions={"body": [UPPER], "note": [LOWER]})
    assert {name: [r.id for r in group] for name, group in result.regions.items()} == {
        "body": ["upper"],
        "note": ["lower"],
    }
    assert result.regions["body"][0].tags == UPPER.tags
    expected = {"upper": 0, "lower": 0}
    for line in plain.lines:
        for region in (UPPER, LOWER):
            expected[region.id] += Polygon(region.boundary).contains(middle(line))
    found = [line.regions for line in result.lines]
    assert {name: found.count([name]) for name in expected} == expected
    assert sum(expected.values()) == len(found) >= 12
    dropped = len(plain.lines) - len(found)
    assert dropped >= 1
    assert f"{dropped} of {len(plain.lines)} lines lie outside" in caplog.text


def test_lines_outside_are_kept_on_request(
    task: SegmentationTaskModel, page: Image.Image, plain: Segmentation
) -> None:
    result = predict(task, page, regions={"body": [UPPER]}, keep_outside=True)
    assert len(result.lines) == len(plain.lines)
    assert [] in [line.regions for line in result.lines]


def test_no_line_crosses_a_border(
    task: SegmentationTaskModel, page: Image.Image, plain: Segmentation
) -> None:
    left, right = (
        Region("left", boundary=ring(50, 60, 480, 1300)),
        Region("right", boundary=ring(480, 60, 950, 1300)),
    )
    for options in (
        {"regions": {"column": [left, right]}},
        {"regions": {"column": [left, right]}, "keep_outside": True, "join_gap": 0.5},
    ):
        result = predict(task, page, **options)
        assert len(result.lines) == 2 * len(plain.lines)
        for line in result.lines:
            (name,) = line.regions
            own = Polygon({"left": left, "right": right}[name].boundary)
            # Two truncations of up to a pixel of the network, which is 1.75 here.
            assert own.buffer(4).covers(LineString(line.baseline))
            assert Polygon(line.boundary).difference(own).area < 0.1 * Polygon(line.boundary).area


def test_lines_on_the_border_of_a_tight_region_are_kept(
    task: SegmentationTaskModel, page: Image.Image, plain: Segmentation
) -> None:
    for y in (line.baseline[0][1] for line in plain.lines[1:4]):
        tight = Region("tight", boundary=ring(60, y - 60, 940, y))
        result = predict(task, page, regions={"body": [tight]})
        assert [line.regions for line in result.lines] == [["tight"]]


def test_regions_off_the_page_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    off = [Region("off", boundary=ring(5000, 5000, 6000, 6000)), Region("thin", boundary=[[1, 1], [9, 1]])]
    over = Region("over", boundary=ring(-50, -50, 60, 70))
    found = given_regions({"a": off, "b": [over], "c": []}, (100, 100))
    assert {name: [r.id for r in group] for name, group in found.items()} == {"a": [], "b": ["over"], "c": []}
    assert Polygon(found["b"][0].boundary).bounds == (0, 0, 60, 70)
    assert "Region off" in caplog.text and "Region thin" in caplog.text
    assert over.boundary == ring(-50, -50, 60, 70), "what was given must not change"


def arranged(lines: list[Any], outlines: list[Any] | None = None, **options: Any) -> list[Any]:
    separators = options.pop("separators", np.zeros((2, 400, 400), np.float32))
    config = SegmentationInferenceConfig(**options)
    found = [FoundLine("default", line) for line in lines]
    return [line.baseline for line in arrange_lines(found, outlines or [], separators, config)]


def test_nothing_is_arranged_by_default() -> None:
    lines = [[[10, 50], [100, 50]], [[110, 50], [200, 50]]]
    assert arranged(lines, [ring(50, 0, 150, 90)]) == lines


def test_fragments_are_joined_inside_a_region() -> None:
    rows = [[[10, y], [200, y]] for y in (20, 80, 110)]
    lines = [[[10, 50], [100, 50]], [[110, 50], [200, 50]], *rows]
    joined = [[10, 50], [100, 50], [110, 50], [200, 50]]
    assert arranged(lines, join_gap=0.5) == [joined, *rows]
    assert arranged(lines, join_gap=0.2) == lines
    columns = [ring(0, 0, 105, 150), ring(105, 0, 300, 150)]
    assert arranged(lines[:2], columns, join_gap=1.2) == lines[:2]
    assert arranged(lines[:2], [ring(0, 0, 300, 150)], join_gap=1.2) == [joined]


def test_separators_direct_joined_lines() -> None:
    lines = [[[10, 50], [100, 50]], [[105, 50], [200, 50]]]
    separators = np.zeros((2, 400, 400), np.float32)
    separators[0, 45:55, 195:205] = separators[1, 45:55, 5:15] = 1
    (line,) = arranged(lines, join_gap=0.9, separators=separators)
    assert line[0] == [200, 50] and line[-1] == [10, 50]
    (line,) = arranged(lines, join_gap=0.9, separators=separators[::-1])
    assert line[0] == [10, 50]


def test_lines_are_split_at_regions_on_request() -> None:
    outline = ring(50, 0, 150, 90)
    assert arranged([[[10, 50], [200, 50]]], [outline], split_at_regions=True) == [
        [[10, 50], [50, 50]],
        [[50, 50], [150, 50]],
        [[150, 50], [200, 50]],
    ]


def test_two_models_have_the_given_regions_once(task: SegmentationTaskModel, page: Image.Image) -> None:
    both = SegmentationTaskModel([*task.seg_models, *task.seg_models])
    result = predict(both, page, regions={"body": [UPPER, LOWER]})
    assert [r.id for r in result.regions["body"]] == ["upper", "lower"]
    assert all(len(line.regions) == 1 for line in result.lines)


def test_a_page_without_lines_in_the_regions(task: SegmentationTaskModel) -> None:
    result = predict(
        task, marks((800, 1000)), regions={"body": [Region("r", boundary=ring(700, 900, 790, 990))]}
    )
    assert result.lines == [] and len(result.regions["body"]) == 1
