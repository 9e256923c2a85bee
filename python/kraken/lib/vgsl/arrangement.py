"""Between finding baselines and polygons: regions that come with the page, lines split and joined."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kraken.containers import Region
from kraken.lib.segmentation import is_in_region, join_baseline_fragments, split_at_regions
from kraken.lib.segmentation.fragments import line_pitch
from kraken.lib.segmentation.polygons import make_valid

if TYPE_CHECKING:
    from kraken.configs import SegmentationInferenceConfig

logger = logging.getLogger("kraken")

__all__ = ["FoundLine", "arrange_lines", "given_regions"]

#: Distance of lines as a part of the page's height, where a page has too few to tell.
_PITCH = 1 / 40
#: Separators are looked for so many pixels around a line's end …
_WINDOW = 10
#: … and count from this difference on.
_EVIDENCE = 0.2

Points = list[list[int]]


@dataclass(frozen=True)
class FoundLine:
    """A baseline in heatmap coordinates.

    Attributes:
        kind: Its class.
        baseline: Its points (x, y).
    """

    kind: str
    baseline: Points


def given_regions(regions: Mapping[str, Sequence[Region]], size: tuple[int, int]) -> dict[str, list[Region]]:
    """Regions that come with the page instead of from the network, cut to the page; ids and tags stay.

    Regions without any area on the page are left out with a warning.
    """
    usable: dict[str, list[Region]] = {}
    for name, group in regions.items():
        usable[name] = []
        for region in group:
            ring = make_valid(region.boundary, size) if region.boundary else None
            if ring is None:
                logger.warning("Region %s has no area on the page of %dx%d px; left out.", region.id, *size)
            else:
                usable[name].append(dataclasses.replace(region, boundary=ring))
    return usable


def arrange_lines(
    lines: list[FoundLine],
    outlines: Sequence[Points],
    separators: npt.NDArray[np.float32],
    config: SegmentationInferenceConfig,
) -> list[FoundLine]:
    """Splits lines at the borders of regions and joins fragments, as far as ``config`` asks for it.

    Args:
        lines: What the network found.
        outlines: Outlines of all regions in heatmap coordinates.
        separators: Heatmaps (2, H, W) of where lines start and end.
        config: Its ``split_at_regions``, ``regions`` and ``join_gap`` count.
    """
    if config.split_at_regions or config.regions is not None:
        lines = [
            FoundLine(line.kind, part) for line in lines for part in split_at_regions(line.baseline, outlines)
        ]
    if config.join_gap <= 0:
        return lines
    pitch = line_pitch([line.baseline for line in lines]) or separators.shape[1] * _PITCH
    # Only lines of one class and in the same regions belong together.
    places = [
        (line.kind, *(i for i, outline in enumerate(outlines) if is_in_region(line.baseline, outline)))
        for line in lines
    ]
    numbers = {place: k for k, place in enumerate(dict.fromkeys(places))}
    joined, chains = join_baseline_fragments(
        [line.baseline for line in lines],
        config.join_gap * pitch,
        groups=[numbers[place] for place in places],
    )
    return [
        FoundLine(lines[chain[0]].kind, line if len(chain) == 1 else _directed(line, separators))
        for line, chain in zip(joined, chains, strict=True)
    ]


def _directed(line: Points, separators: npt.NDArray[np.float32]) -> Points:
    """A joined line from its start to its end, as far as the separators know more than its fragments."""

    def evidence(point: list[int]) -> float:
        x, y = point
        around = separators[:, max(0, y - _WINDOW) : y + _WINDOW, max(0, x - _WINDOW) : x + _WINDOW]
        start, end = around.max(axis=(1, 2), initial=0)
        return float(start - end)

    reverse = evidence(line[0]) < -_EVIDENCE and evidence(line[-1]) > _EVIDENCE
    return line[::-1] if reverse else line
