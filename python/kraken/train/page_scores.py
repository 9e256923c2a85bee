"""Figures of a test of a layout model that follow the size of the script, set of pages by set of pages."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kraken.lib.baseline_score import BaselineScore, mean_score, score_baselines
from kraken.lib.region_score import THRESHOLDS, RegionMatches, average_precision, compare_regions
from kraken.lib.segmentation import vectorize_regions

__all__ = ["PageScores"]

#: Lines that a page of average print has from edge to edge: the distance of lines if a page has but one.
_LINES_ON_A_PAGE = 30


class PageScores:
    """Collects baselines and regions of pages.

    Args:
        region_classes: Name of the region class → channel of the map.
    """

    def __init__(self, region_classes: Mapping[str, int]) -> None:
        self._classes = dict(region_classes)
        self._lines: dict[str, list[BaselineScore]] = defaultdict(list)
        self._regions: dict[str, list[RegionMatches]] = defaultdict(list)

    def add(
        self,
        source: str,
        found: Sequence[Any],
        truth: Sequence[Any],
        maps: npt.NDArray[np.float32],
        regions: Mapping[int, Sequence[Any]],
    ) -> None:
        """Adds a page; everything is in pixels of the network's map.

        Args:
            source: File of the page.
            found: Baselines (N, 2) that were found.
            truth: Annotated baselines; a page without any doesn't count among them.
            maps: Probabilities (classes, H, W).
            regions: Channel → annotated outlines.
        """
        if truth:
            self._lines[source].append(score_baselines(found, truth, maps.shape[1] / _LINES_ON_A_PAGE))
        for name, channel in self._classes.items():
            outlines = vectorize_regions(maps[channel])
            matches = compare_regions(outlines, regions.get(channel, ()), maps[channel])
            self._regions[name].append(matches)

    def by_set(self) -> dict[str, BaselineScore]:
        """Means over the pages of each folder below the one that holds all pages, ``''`` being all pages."""
        if not self._lines:
            return {}
        parents = {source: Path(source).absolute().parent for source in self._lines}
        root = Path(os.path.commonpath([str(parent) for parent in parents.values()]))
        sets: dict[str, list[BaselineScore]] = defaultdict(list)
        for source, scores in self._lines.items():
            inside = parents[source].relative_to(root).parts
            sets[inside[0] if inside else root.name].extend(scores)
        found = {name: mean_score(scores) for name, scores in sorted(sets.items())}
        return {**found, "": mean_score([score for scores in sets.values() for score in scores])}

    def region_precision(self) -> dict[str, tuple[float, float]]:
        """Average precision per class of regions that occur: at an overlap of 0.5, and the mean over all."""
        found = {}
        for name, pages in self._regions.items():
            values = [average_precision(pages, threshold) for threshold in THRESHOLDS]
            known = [value for value in values if value is not None]
            if known:
                found[name] = (known[0], float(np.mean(known)))
        return found
