"""Prints how fast lines are found, cut and ordered, as a table in Markdown.

    python benches/python/table.py

Times are medians: of one thread the processor time, so that other work on the
machine matters little; of two threads the time on the clock. The last column
compares with the slow, obvious versions in ``tests/reference`` that the kernels
are tested against; where one of them would take minutes, both are timed on the
smaller input that the row names.
The page is ``../shared/bench/page-33-lines`` or, without that, a drawn one.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from kraken.containers import BaselineLine, BaselineOCRRecord, precompute_polygon_sections  # noqa: E402
from kraken.lib.segmentation import (  # noqa: E402
    calculate_polygonal_environment,
    polygonal_reading_order,
    vectorize_lines,
)
from kraken.lib.segmentation.extraction import extract_line_arrays, extract_lines  # noqa: E402
from kraken.lib.segmentation.polygons import edge_energy  # noqa: E402
from tests.reference import extract as slow_extract  # noqa: E402
from tests.reference import order as slow_order  # noqa: E402
from tests.reference import polygonise as slow_polygonise  # noqa: E402
from tests.reference import ridge as slow_ridge  # noqa: E402
from tests.reference import sections as slow_sections  # noqa: E402
from tests.reference import thin as slow_thin  # noqa: E402

BENCH = ROOT.parent / "shared" / "bench"
WIDTH, HEIGHT, LINES = 1144, 1975, 33
#: Characters of the record, and the pixels of each along the line.
CHARACTERS, ADVANCE = 80, 10


def median(call: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    """Median time of a call in seconds; the first call doesn't count."""
    call()
    times: list[float] = []
    end = time.perf_counter() + 1
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 1000):
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times)


def with_threads(call: Callable[[int], Any]) -> tuple[float, float]:
    """Processor time with one thread, time on the clock with two."""
    return median(lambda: call(1)), median(lambda: call(2), time.perf_counter)


def once(call: Callable[[], Any]) -> float:
    """Time of one call in seconds, for the slow versions."""
    start = time.process_time()
    call()
    return time.process_time() - start


def load() -> tuple[Image.Image, list[Any], np.ndarray]:
    """Page, its lines, and its heatmap."""
    if BENCH.exists():
        page = Image.open(BENCH / "page-33-lines.webp").convert("RGB")
        data = json.loads((BENCH / "page-33-lines.seg.json").read_text(encoding="utf-8"))
        heat = np.load(BENCH / "page-33-lines.heat.npz")["heat"].astype(np.float32) / np.float32(255)
        return page, [SimpleNamespace(**line) for line in data["lines"]], heat
    noise = np.random.default_rng(0).integers(1, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    heat = np.zeros((3, HEIGHT, WIDTH), np.float32)
    lines = waves(0)
    for line in lines:
        (x0, y0), (x1, _) = line.baseline[0], line.baseline[-1]
        heat[2, int(y0) - 4 : int(y0) + 4, int(x0) : int(x1)] = 1
    return Image.fromarray(noise), lines, heat


def waves(swing: float) -> list[Any]:
    """Lines of nine points over a page, each with a ring of 18."""
    xs = np.linspace(80, WIDTH - 80, 9 if swing else 2)
    lines = []
    for k in range(LINES):
        ys = 80 + 56 * k + swing * np.sin(xs / 200 + k)
        above, below = (np.stack([xs, ys + d], axis=1).tolist() for d in (-32, 14))
        baseline = np.stack([xs, ys], axis=1).tolist()
        lines.append(SimpleNamespace(id=str(k), baseline=baseline, boundary=[*above, *below[::-1]]))
    return lines


def in_ms(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def row(name: str, one: float, two: float | None, compared: tuple[float, float, str] | None = None) -> None:
    """``compared``: our and the slow version's time, and what they were given."""
    ratio = ""
    if compared is not None:
        ours, slow, what = compared
        ratio = f"{slow / ours:,.0f}×{f' ({what})' if what else ''}"
    print(f"| {name} | {in_ms(one)} | {'' if two is None else in_ms(two)} | {ratio} |", flush=True)


def section_rows(lines: list[Any]) -> None:
    line = max(lines, key=lambda item: len(item.boundary))
    cuts = [(ADVANCE * k, ADVANCE * (k + 1)) for k in range(CHARACTERS)]
    source = BaselineLine(id="", baseline=line.baseline, boundary=line.boundary)

    def slow(count: int) -> None:
        for start, end in cuts[:count]:
            slow_sections.section(line.baseline, line.boundary, start, end)

    def ours(count: int) -> float:
        return median(lambda: precompute_polygon_sections(line.baseline, line.boundary, cuts[:count]))

    one = (ours(CHARACTERS) - ours(1)) / (CHARACTERS - 1)
    row("one section of many of a line", one, None, (one, once(lambda: slow(CHARACTERS)) / CHARACTERS, ""))
    text, confidences = "a" * CHARACTERS, [0.9] * CHARACTERS
    record = median(lambda: BaselineOCRRecord(text, cuts, confidences, source).cuts)
    name = f"`BaselineOCRRecord` of {CHARACTERS} characters with its cuts"
    row(name, record, None, (record, once(lambda: slow(CHARACTERS)), ""))


def vectorise_row(heat: np.ndarray) -> None:
    one, two = with_threads(lambda n: vectorize_lines(heat, num_threads=n))
    middle = heat.shape[1] // 2
    part = np.ascontiguousarray(heat[:, middle : middle + 160, 200:360])

    def slow() -> None:
        ridges = slow_ridge.ridge_strength(part[2], [1.0, 3.0, 5.0, 7.0, 9.0])
        slow_thin.thin((ridges > 0.17).astype(np.uint8))

    compared = median(lambda: vectorize_lines(part)), once(slow), "160×160 px, slow one only to the skeleton"
    row(f"`vectorize_lines`, {heat.shape[1]}×{heat.shape[2]}", one, two, compared)


def polygonise_row(page: Image.Image, lines: list[Any]) -> None:
    grey = np.asarray(page.convert("L"))
    baselines = [line.baseline for line in lines]

    def ours(threads: int) -> None:
        energy = edge_energy(grey, num_threads=threads)
        calculate_polygonal_environment(baselines=baselines, im_feats=energy, num_threads=threads)

    def slow() -> None:
        slow_polygonise.edge_energy(grey)
        for i, line in enumerate(baselines):
            others = [other for k, other in enumerate(baselines) if k != i]
            (x0, y0), (x1, _) = line[0], line[-1]
            level = [[x0, y0], [x1, y0]]
            above, below = slow_polygonise.region_of_interest(level, others, page.size)
            for reach in (-above.min(), below.max()):
                slow_polygonise.seam_cost(np.ones((min(len(below), 600), max(1, int(reach))), np.float32))

    one, two = with_threads(ours)
    compared = one, once(slow), "slow one: energy, regions and seams only"
    row(f"polygonise {len(lines)} lines", one, two, compared)


def extract_rows(page: Image.Image, lines: list[Any]) -> None:
    grey = page.convert("L")
    pixels = np.asarray(grey)
    # The slow version of a tilted piece of 120 × 40 px.
    x, y = 200, page.height // 2
    ring = [(x, y - 30), (x + 120, y - 26), (x + 120, y + 14), (x, y + 10)]
    piece = SimpleNamespace(id="", baseline=[(x, y), (x + 120, y + 4)], boundary=ring)
    slow = once(lambda: slow_extract.straight(pixels, np.array(piece.baseline), np.array(ring)))
    compared = median(lambda: extract_lines(grey, [piece], num_threads=1)), slow, "a piece of 120 px"
    one, two = with_threads(lambda n: extract_lines(grey, lines, num_threads=n))
    row(f"extract {len(lines)} lines, grey", one, two, compared)
    one, two = with_threads(lambda n: extract_lines(page, lines, num_threads=n))
    row(f"extract {len(lines)} lines, RGB", one, two)
    options: dict[str, Any] = {"height": 120, "channels": 1, "padding": (16, 0, 16, 0)}
    one, two = with_threads(lambda n: extract_line_arrays(page, lines, num_threads=n, **options))
    row(f"the same as network inputs, {options['height']} px high", one, two)
    bent = waves(12)

    def slow_legacy() -> None:
        for line in bent:
            slow_extract.legacy_curved(pixels, np.array(line.baseline), np.array(line.boundary))

    one, two = with_threads(lambda n: extract_lines(grey, bent, legacy=True, num_threads=n))
    row(f"extract {len(bent)} curved lines, legacy", one, two, (one, once(slow_legacy), ""))


def order_row() -> None:
    """Regions in four columns with 25 lines each."""
    lines, regions = [], []
    for k in range(40):
        x, y = 600 * (k % 4), 700 * (k // 4)
        ring = [(x, y), (x + 550, y), (x + 550, y + 650), (x, y + 650)]
        regions.append(SimpleNamespace(id=f"r{k}", boundary=ring))
        for i in range(25):
            baseline = [(x + 10, y + 20 + 25 * i), (x + 540, y + 20 + 25 * i)]
            lines.append(SimpleNamespace(id=f"{k}-{i}", baseline=baseline, boundary=None))

    def slow() -> None:
        for region in regions:
            inside = [
                (*line.baseline[0], *line.baseline[1])
                for line in lines
                if slow_sections.inside(
                    ((line.baseline[0][0] + line.baseline[1][0]) / 2, line.baseline[0][1]), region.boundary
                )
            ]
            slow_order.order_boxes(inside)
        slow_order.order_boxes([(*region.boundary[0], *region.boundary[2]) for region in regions])

    shuffled = [lines[i] for i in np.random.default_rng(0).permutation(len(lines))]
    one = median(lambda: polygonal_reading_order(shuffled, regions=regions))
    row(f"reading order of {len(lines):,} lines in {len(regions)} regions", one, None, (one, once(slow), ""))


def main() -> None:
    page, lines, heat = load()
    print("| | 1 thread | 2 threads | against the slow version |")
    print("|---|---|---|---|")
    section_rows(lines)
    vectorise_row(heat)
    polygonise_row(page, lines)
    extract_rows(page, lines)
    order_row()


if __name__ == "__main__":
    main()
