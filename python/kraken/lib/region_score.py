"""Agreement of regions with annotated ones, region by region.

Average precision as in the PASCAL VOC and COCO challenges (Everingham et al., "The PASCAL Visual Object
Classes Challenge: A Retrospective", 2015; Lin et al., "Microsoft COCO: Common Objects in Context", 2014): the
area below the curve of precision over recall, a found region being right if its intersection over union with
an annotated one of the page, which no surer region has taken, is at least the threshold. The mean over the
thresholds 0.50, 0.55, …, 0.95 and the classes is usually called mAP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

__all__ = ["THRESHOLDS", "RegionMatches", "average_precision", "compare_regions"]

#: Overlaps from which on a region is right.
THRESHOLDS = tuple(np.arange(0.5, 1.0, 0.05).round(2).tolist())

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RegionMatches:
    """Regions of one class on one page.

    Attributes:
        confidence: (found,) how sure the network is of each.
        overlap: (found, annotated) intersections over unions.
    """

    confidence: npt.NDArray[np.float64]
    overlap: npt.NDArray[np.float64]


def _mask(outline: Sequence[Sequence[float]], size: tuple[int, int]) -> Mask:
    picture = Image.new("1", size)
    if len(outline) > 2:
        ImageDraw.Draw(picture).polygon([(float(x), float(y)) for x, y in outline], fill=1, outline=1)
    return np.asarray(picture)


def compare_regions(
    found: Sequence[Sequence[Sequence[float]]],
    truth: Sequence[Sequence[Sequence[float]]],
    probabilities: npt.NDArray[np.float32],
) -> RegionMatches:
    """Sets the regions of one class on a page against the annotated ones.

    Args:
        found: Outlines (N, 2) in pixels of the network's map.
        truth: Annotated outlines, likewise.
        probabilities: The map (H, W); a region's confidence is the mean inside.
    """
    height, width = probabilities.shape
    masks, true_masks = ([_mask(outline, (width, height)) for outline in group] for group in (found, truth))
    overlap = np.zeros((len(masks), len(true_masks)))
    for i, mask in enumerate(masks):
        for j, true in enumerate(true_masks):
            either = np.count_nonzero(mask | true)
            overlap[i, j] = np.count_nonzero(mask & true) / either if either else 0.0
    confidence = [float(probabilities[mask].mean()) if mask.any() else 0.0 for mask in masks]
    return RegionMatches(np.array(confidence, dtype=float), overlap)


def average_precision(pages: Sequence[RegionMatches], threshold: float) -> float | None:
    """Average precision of one class over pages; None if no such region is annotated.

    Args:
        pages: Comparisons of all pages.
        threshold: Least intersection over union of a right region.
    """
    total = sum(page.overlap.shape[1] for page in pages)
    if not total:
        return None
    ranked = sorted(
        ((page.confidence[i], p, i) for p, page in enumerate(pages) for i in range(len(page.confidence))),
        key=lambda item: -item[0],
    )
    taken = [np.zeros(page.overlap.shape[1], dtype=bool) for page in pages]
    right = np.zeros(len(ranked))
    for rank, (_, p, i) in enumerate(ranked):
        overlap = np.where(taken[p], 0.0, pages[p].overlap[i])
        if len(overlap) and overlap.max() >= threshold:
            taken[p][overlap.argmax()] = True
            right[rank] = 1
    precision = np.cumsum(right) / np.arange(1, len(ranked) + 1)
    # the best precision at this recall or a higher one
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((precision * right).sum() / total)
