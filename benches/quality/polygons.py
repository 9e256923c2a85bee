"""Polygonises the ground-truth baselines of real pages and compares with the ground truth's polygons.

    python benches/quality/polygons.py ../shared/data/pages

FOLDER holds one folder of page images with ALTO or PAGE files per set. Prints a table in Markdown: pages,
lines, polygons that are missing, not simple or outside the image, bands used for want of a seam, and the
intersection over union with the annotated polygons: mean and median, and the mean of the lines that come
first, last and in between on their page. Pages are scaled to a height of 1,800 px first, as the segmenter
does, and polygons back to the page. Ends with status 1 if any polygon is missing, not simple or outside, or a
page can't be read.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely

from kraken.lib.segmentation import calculate_polygonal_environment, scale_polygonal_lines
from kraken.lib.segmentation.polygons import make_valid
from kraken.lib.util import open_image
from kraken.lib.xml import XMLPage

HEIGHT = 1800
#: Where on its page a line stands.
PLACES = ("first", "between", "last")


@dataclass
class Figures:
    """Counts of one set of pages."""

    pages: int = 0
    lines: int = 0
    missing: int = 0
    invalid: int = 0
    outside: int = 0
    fallbacks: int = 0
    seconds: float = 0.0
    overlaps: list[float] = field(default_factory=list)
    by_place: dict[str, list[float]] = field(default_factory=lambda: {place: [] for place in PLACES})

    def add(self, other: Figures) -> None:
        """Adds the counts of another set."""
        for name in ("pages", "lines", "missing", "invalid", "outside", "fallbacks", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.overlaps += other.overlaps
        for place, values in other.by_place.items():
            self.by_place[place] += values


class _Counter(logging.Handler):
    """Counts the warnings of the polygoniser."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def _overlap(a: list[list[int]], b: list[list[int]]) -> float:
    p, q = shapely.make_valid(shapely.Polygon(a)), shapely.make_valid(shapely.Polygon(b))
    union = p.union(q).area
    return p.intersection(q).area / union if union else 0.0


def measure(path: Path, figures: Figures, counter: _Counter) -> None:
    """Adds one page to the figures of its set."""
    page = XMLPage(path)
    lines = [line for line in page.lines.values() if line.baseline and len(line.baseline) > 1]
    if not lines:
        return
    im = open_image(page.imagename)
    start, before = time.perf_counter(), counter.count
    scale = HEIGHT / im.size[1]
    small = im.convert("L").resize((max(1, round(im.size[0] * scale)), HEIGHT))
    factor = (small.size[0] / im.size[0], small.size[1] / im.size[1])
    scaled = [b for b, _ in scale_polygonal_lines([(line.baseline, None) for line in lines], factor)]
    found = calculate_polygonal_environment(small, scaled, topline=False, num_threads=2)
    figures.seconds += time.perf_counter() - start
    figures.fallbacks += counter.count - before
    figures.pages += 1
    figures.lines += len(lines)
    back = (1 / factor[0], 1 / factor[1])
    heights = [float(np.mean(np.asarray(line.baseline)[:, 1])) for line in lines]
    places = {int(np.argmin(heights)): "first", int(np.argmax(heights)): "last"}
    for i, (line, polygon) in enumerate(zip(lines, found, strict=True)):
        ring = None
        if polygon is not None:
            _check(polygon, small.size, figures)
            ring = make_valid(scale_polygonal_lines([(polygon, polygon)], back)[0][1], im.size)
        if ring is None:
            figures.missing += 1
            continue
        _check(ring, im.size, figures)
        if line.boundary and len(line.boundary) > 3:
            figures.overlaps.append(_overlap(ring, line.boundary))
            figures.by_place[places.get(i, "between")].append(figures.overlaps[-1])


def _check(ring: list[list[int]], size: tuple[int, int], figures: Figures) -> None:
    points = np.array(ring)
    figures.invalid += not shapely.Polygon(ring).is_valid
    figures.outside += bool((points < 0).any() or (points >= size).any())


def _row(name: str, f: Figures) -> str:
    def mean(values: list[float]) -> str:
        return f"{np.mean(values):.3f}" if values else "–"

    median = f"{np.median(f.overlaps):.3f}" if f.overlaps else "–"
    counts = (f.pages, f.lines, f.missing, f.invalid, f.outside, f.fallbacks)
    means = (mean(f.overlaps), median, *(mean(f.by_place[place]) for place in PLACES))
    return f"| {name} | {' | '.join(map(str, counts))} | {' | '.join(means)} |"


def measure_folder(folder: Path) -> tuple[dict[str, Figures], list[str]]:
    """Figures of every set in ``folder`` that has baselines, and what couldn't be read."""
    counter = _Counter()
    logger = logging.getLogger("kraken")
    logger.addHandler(counter)
    sets: dict[str, Figures] = defaultdict(Figures)
    unread = []
    for path in sorted(folder.rglob("*.xml")):
        try:
            measure(path, sets[path.relative_to(folder).parts[0]], counter)
        except Exception as error:
            unread.append(f"{path.name}: {error}")
    logger.removeHandler(counter)
    return {name: f for name, f in sorted(sets.items()) if f.lines}, unread


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder with one folder of pages per set")
    logging.getLogger("kraken").propagate = False
    sets, unread = measure_folder(parser.parse_args().folder)
    head = ("set", "pages", "lines", "missing", "invalid", "outside", "bands", "mean IoU", "median", *PLACES)
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    total = Figures()
    for name, figures in sets.items():
        print(_row(name, figures))
        total.add(figures)
    print(_row("**all**", total))
    if total.lines:
        print(f"{1000 * total.seconds / total.lines:.1f} ms a line, reading excluded", file=sys.stderr)
    for line in unread:
        print(line, file=sys.stderr)
    return int(bool(unread or not total.lines or total.missing or total.invalid or total.outside))


if __name__ == "__main__":
    sys.exit(main())
