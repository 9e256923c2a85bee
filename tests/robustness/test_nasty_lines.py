"""Lines and outlines that break engines, through everything that takes them: none is lost, nothing fails."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from shapely.geometry import LineString, Polygon, box

from kraken.containers import BaselineLine, Region, Segmentation
from kraken.lib.segmentation import (
    calculate_polygonal_environment,
    compute_polygon_section,
    extract_polygons,
    is_in_region,
    join_baseline_fragments,
    neural_reading_order,
    polygonal_reading_order,
    precompute_polygon_sections,
    scale_polygonal_lines,
    split_at_regions,
    vectorize_lines,
    vectorize_regions,
)
from kraken.serialization import serialize
from tests.robustness.test_heatmaps import bars, comb

WIDTH, HEIGHT = 460, 340
FRAME = box(0, 0, WIDTH - 1, HEIGHT - 1)
TOPLINES = [False, True, None]

_RING = [[230 + 80 * math.cos(k * math.tau / 39), 170 + 80 * math.sin(k * math.tau / 39)] for k in range(40)]
_SPIRAL = [
    [230 + (20 + 6 * a) * math.cos(a), 170 + (20 + 6 * a) * math.sin(a)] for a in np.arange(0, 15, 0.2)
]
SHAPES: dict[str, Any] = {
    "hairpin": [[50, 100], [400, 100], [400, 103], [60, 103]],
    "self-crossing": [[50, 200], [300, 200], [300, 150], [200, 150], [200, 260]],
    "ring": _RING,
    "spiral": _SPIRAL,
    "zigzag": [[100, 200], [110, 230], [120, 200], [130, 230], [140, 200]],
}
BORDERS: dict[str, Any] = {
    "left": [[-30, 100], [200, 104]],
    "right": [[200, 100], [WIDTH + 50, 100]],
    "top": [[100, -40], [140, 90]],
    "bottom": [[100, 300], [160, HEIGHT + 70]],
    "row 0": [[40, 0], [400, 0]],
    "last row": [[40, HEIGHT - 1], [400, HEIGHT - 1]],
}
OUTSIDE: dict[str, Any] = {
    "above": [[40, -30], [400, -20]],
    "below": [[40, HEIGHT + 5], [400, HEIGHT + 5]],
    "left of it": [[-90, 40], [-5, 300]],
    "right of it": [[WIDTH + 9, 40], [WIDTH + 9, 300]],
}


def drawn(lines: list[Any], width: int = 5) -> np.ndarray:
    """A heatmap of lines, without separators."""
    im = Image.new("L", (WIDTH, HEIGHT), 0)
    for line in lines:
        ImageDraw.Draw(im).line([tuple(p) for p in line], fill=255, width=width, joint="curve")
    maps = np.zeros((3, HEIGHT, WIDTH), np.float32)
    maps[2] = np.asarray(im) / np.float32(255)
    return maps


def page() -> Image.Image:
    im = Image.new("L", (WIDTH, HEIGHT), 230)
    draw = ImageDraw.Draw(im)
    for foot in range(50, HEIGHT, 50):
        for x in range(40, WIDTH - 40, 6):
            draw.line([(x, foot), (x + 2, foot - 18)], fill=20, width=2)
    return im


PAGE = page()


def assert_sound(ring: Any, line: Any, size: tuple[int, int]) -> None:
    polygon = Polygon(ring)
    frame = box(0, 0, size[0] - 1, size[1] - 1)
    assert ring[0] == ring[-1]
    assert polygon.is_valid and polygon.area > 0
    assert frame.covers(polygon)
    assert polygon.buffer(2.01).covers(LineString(line).intersection(frame))


# ---- 1: many lines ----


@pytest.mark.parametrize("topline", TOPLINES)
def test_every_bar_has_a_polygon(topline: bool | None) -> None:
    maps, drawn_bars = bars()
    lines = vectorize_lines(maps)
    assert len(lines) == len(drawn_bars) == 360
    height, width = maps.shape[1:]
    rings = calculate_polygonal_environment(baselines=lines, im_feats=maps[2], topline=topline)
    for line, ring in zip(lines, rings, strict=True):
        assert_sound(ring, line, (width, height))
    order = polygonal_reading_order([BaselineLine(str(i), baseline=line) for i, line in enumerate(lines)])
    assert sorted(order) == list(range(360))
    assert len(join_baseline_fragments(lines, 5)[0]) == 360, "columns must not be joined"


# ---- 2: shapes ----


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_in_a_heatmap_are_found_and_outlined(name: str) -> None:
    lines = vectorize_lines(drawn([SHAPES[name]]))
    ink = vectorize_regions(drawn([SHAPES[name]])[2])
    assert lines and ink
    # Hairpin and zigzag are a single blob at this width; what is found lies on it.
    for line in lines:
        assert LineString(SHAPES[name]).buffer(9).covers(LineString(line))
    assert sum(LineString(line).length for line in lines) > 0.35 * LineString(
        SHAPES[name]
    ).length or name == ("zigzag")
    for line, ring in zip(lines, calculate_polygonal_environment(PAGE, lines), strict=True):
        assert_sound(ring, line, PAGE.size)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("topline", TOPLINES)
@pytest.mark.parametrize("name", [*SHAPES, *BORDERS])
def test_lines_go_through_to_their_images(name: str, topline: bool | None, legacy: bool) -> None:
    line = (SHAPES | BORDERS)[name]
    (ring,) = calculate_polygonal_environment(PAGE, [line], topline=topline)
    assert_sound(ring, line, PAGE.size)
    # Images are cut along what lies on the page.
    inside = [[min(max(round(x), 0), WIDTH - 1), min(max(round(y), 0), HEIGHT - 1)] for x, y in line]
    bounds = segmentation([BaselineLine("l", baseline=inside, boundary=ring)])
    ((image, _),) = list(extract_polygons(PAGE, bounds, legacy=legacy))
    assert min(image.size) >= 1
    length = LineString(inside).length
    polygons, _, _ = precompute_polygon_sections(inside, ring, [(0, length / 2), (length / 2, length)])
    assert len(polygons) == 2


# ---- 3: outside ----


@pytest.mark.parametrize("topline", TOPLINES)
@pytest.mark.parametrize("name", OUTSIDE)
def test_lines_wholly_outside_harm_nobody(name: str, topline: bool | None) -> None:
    good = [[40, 150], [400, 150]]
    alone = calculate_polygonal_environment(PAGE, [good], topline=topline)
    rings = calculate_polygonal_environment(PAGE, [OUTSIDE[name], good], topline=topline)
    assert rings[0] is None
    assert rings[1] == alone[0]


# ---- 4: without extent, without boundary ----

BOX = [[10, 10], [90, 10], [90, 40], [10, 40], [10, 10]]
DEGENERATE: dict[str, tuple[Any, Any]] = {
    "zero length": ([[20, 20], [20, 20]], BOX),
    "all points equal": ([[20, 20]] * 5, BOX),
    "one point": ([[20, 20]], BOX),
    "boundary of two points": ([[20, 20], [80, 20]], [[10, 10], [90, 10]]),
    "boundary without area": ([[20, 20], [80, 20]], [[10, 20], [50, 20], [90, 20], [10, 20]]),
    "boundary of one point": ([[20, 20], [80, 20]], [[10, 10]]),
    "boundary beside the line": ([[20, 200], [80, 200]], BOX),
    "no boundary": ([[20, 20], [80, 20]], None),
    "empty boundary": ([[20, 20], [80, 20]], []),
    "nothing at all": (None, None),
}


def segmentation(lines: list[Any], regions: dict[str, Any] | None = None) -> Segmentation:
    return Segmentation(
        type="baselines",
        imagename="page.png",
        text_direction="horizontal-lr",
        script_detection=False,
        lines=lines,
        regions=regions or {},
    )


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_lines_give_an_image_or_say_why(name: str) -> None:
    baseline, boundary = DEGENERATE[name]
    bounds = segmentation([BaselineLine("the-line", baseline=baseline, boundary=boundary)])
    for legacy in (False, True):
        try:
            ((image, line),) = list(extract_polygons(PAGE, bounds, legacy=legacy))
        except ValueError as error:
            assert "the-line" in str(error)
        else:
            assert line.id == "the-line"
            assert image.width * image.height < 200 * 200


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_lines_have_sections(name: str) -> None:
    baseline, boundary = DEGENERATE[name]
    if baseline is None or boundary is None:
        with pytest.raises((ValueError, TypeError)):
            compute_polygon_section(baseline, boundary, 0, 10)
        return
    for first, last in ((0, 10), (10, 0), (-5, 1e9), (math.nan, 3)):
        section = compute_polygon_section(baseline, boundary, first, last)
        assert len(section) in (2, 4)
        assert all(len(point) == 2 and all(isinstance(v, int) for v in point) for point in section)


@pytest.mark.parametrize("template", ["alto", "pagexml", "hocr"])
def test_degenerate_lines_are_written_or_named(template: str, caplog: pytest.LogCaptureFixture) -> None:
    lines = [
        BaselineLine(f"l{i}", baseline=baseline, boundary=boundary)
        for i, (baseline, boundary) in enumerate(DEGENERATE.values())
        if baseline is not None
    ]
    document = serialize(segmentation(lines), image_size=PAGE.size, template=template)
    for line in lines:
        if line.boundary:
            assert f'id="{line.id}"' in document.replace("'", '"').lower()
        else:
            assert f'id="{line.id}"' in document.lower() or line.id in caplog.text


def test_degenerate_lines_keep_their_place_among_others() -> None:
    good = [[40, 150], [400, 150]]
    lines = [baseline for baseline, _ in DEGENERATE.values() if baseline is not None] + [good]
    rings = calculate_polygonal_environment(PAGE, lines)
    assert len(rings) == len(lines)
    for line, ring in zip(lines, rings, strict=True):
        if len({tuple(p) for p in line}) > 1:
            assert_sound(ring, line, PAGE.size)
        else:
            assert ring is None
    containers = [BaselineLine(str(i), baseline=line) for i, line in enumerate(lines)]
    region = Region("r", boundary=BOX)
    assert sorted(polygonal_reading_order(containers, regions=[region])) == list(range(len(lines)))
    assert sorted(i for chain in join_baseline_fragments(lines, 20)[1] for i in chain) == list(
        range(len(lines))
    )
    for line in lines:
        assert is_in_region(line, BOX) in (True, False)
        assert split_at_regions(line, [BOX])
    scaled = scale_polygonal_lines(list(zip(lines, rings, strict=True)), 0.01)
    assert [polygon is None for _, polygon in scaled] == [ring is None for ring in rings]


def test_neural_order_takes_degenerate_lines() -> None:
    torch = pytest.importorskip("torch")
    lines = [
        BaselineLine(str(i), baseline=baseline, boundary=boundary)
        for i, (baseline, boundary) in enumerate(DEGENERATE.values())
        if baseline is not None
    ]
    order = neural_reading_order(
        lines, im_size=PAGE.size, model=torch.nn.Linear(14, 1), class_mapping={"default": 0}
    )
    assert sorted(order.tolist()) == list(range(len(lines)))


# ---- 6: noise ----


def test_lines_of_a_comb_have_polygons_in_time() -> None:
    maps = comb()[:, :, :4000]
    lines = vectorize_lines(maps)
    assert len(lines) >= 490
    start = time.process_time()
    rings = calculate_polygonal_environment(baselines=lines, im_feats=maps[2])
    # Half a thousand lines of 340 px, 8 px apart: milliseconds each.
    assert time.process_time() - start < 20
    for line, ring in zip(lines, rings, strict=True):
        assert_sound(ring, line, (maps.shape[2], maps.shape[1]))


def test_a_nearly_white_page_is_no_trouble() -> None:
    from importlib.resources import as_file, files

    from kraken.configs import SegmentationInferenceConfig
    from kraken.tasks import SegmentationTaskModel

    rng = np.random.default_rng(0)
    noise = rng.integers(249, 256, (3508, 2480), dtype=np.uint8)  # A4 at 300 dpi, 252 ± 3
    with as_file(files("kraken") / "assets" / "tiny_layout.safetensors") as path:
        task = SegmentationTaskModel.load_model(path)
    result = task.predict(Image.fromarray(noise), SegmentationInferenceConfig())
    for line in result.lines:
        assert_sound(line.boundary, line.baseline, (2480, 3508))
    assert len(result.lines) < 200
