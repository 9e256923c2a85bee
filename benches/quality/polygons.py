"""Polygonises the ground-truth baselines of real pages and compares with the ground truth's polygons.

    python benches/quality/polygons.py ../shared/data/pages

Prints, per set: pages, lines, polygons that are missing, not simple or outside the image, fallbacks, and
mean and median intersection over union with the annotated polygons. Pages are scaled to a height of 1,800 px
first, as the segmenter does.
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
    if not lines or not Path(page.imagename).is_file():
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
    for line, polygon in zip(lines, found, strict=True):
        ring = None
        if polygon is not None:
            ring = make_valid(scale_polygonal_lines([(polygon, polygon)], back)[0][1], im.size)
        if ring is None:
            figures.missing += 1
            continue
        figures.invalid += not shapely.Polygon(ring).is_valid
        points = np.array(ring)
        figures.outside += bool((points < 0).any() or (points >= im.size).any())
        if line.boundary and len(line.boundary) > 3:
            figures.overlaps.append(_overlap(ring, line.boundary))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder with one folder of pages per set")
    args = parser.parse_args()
    counter = _Counter()
    logger = logging.getLogger("kraken")
    logger.addHandler(counter)
    logger.propagate = False
    sets: dict[str, Figures] = defaultdict(Figures)
    for path in sorted(args.folder.rglob("*.xml")):
        try:
            measure(path, sets[path.relative_to(args.folder).parts[0]], counter)
        except Exception as error:
            print(f"{path.name}: {error}", file=sys.stderr)
    print(f"{'set':32} pages lines missing invalid outside fallback  mean IoU  median   ms/line")
    for name, f in sorted(sets.items()):
        if not f.lines:
            continue
        mean = np.mean(f.overlaps) if f.overlaps else float("nan")
        median = np.median(f.overlaps) if f.overlaps else float("nan")
        print(
            f"{name:32} {f.pages:5} {f.lines:5} {f.missing:7} {f.invalid:7} {f.outside:7} {f.fallbacks:8}"
            f"  {mean:8.3f}  {median:6.3f}  {1000 * f.seconds / f.lines:8.2f}"
        )


if __name__ == "__main__":
    main()
