"""Steps of the box segmenter with loops over components, columns and pixels."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def sorted_boxes(mask: np.ndarray) -> list[tuple[slice, slice]]:
    """Boxes of four-connected components by area."""
    return sorted(ndimage.find_objects(ndimage.label(mask)[0]), key=area)


def area(box: tuple[slice, slice]) -> int:
    rows, columns = box
    return (rows.stop - rows.start) * (columns.stop - columns.start)


def script_size(mask: np.ndarray) -> float | None:
    sizes = np.zeros(mask.shape)
    for box in sorted_boxes(mask):
        if not sizes[box].any():
            sizes[box] = area(box) ** 0.5
    seen = sizes[(sizes > 3) & (sizes < 100)]
    return float(np.median(seen)) if seen.size else None


def filled_boxes(mask: np.ndarray, low: float, high: float) -> np.ndarray:
    filled = np.zeros(mask.shape, np.uint8)
    for box in sorted_boxes(mask):
        if low <= area(box) ** 0.5 <= high:
            filled[box] = 1
    return filled


def line_seeds(bottom: np.ndarray, top: np.ndarray, delta: int, reach: float) -> np.ndarray:
    seeds = np.zeros(bottom.shape, np.uint8)
    for x in range(bottom.shape[1]):
        marks = [(int(y), 1) for y in np.flatnonzero(bottom[:, x])]
        marks += [(int(y), 0) for y in np.flatnonzero(top[:, x])]
        marks.sort(reverse=True)
        for i, (y0, lower) in enumerate(marks):
            if lower:
                if y0 >= delta:
                    seeds[y0 - delta : y0, x] = 1
                if i + 1 < len(marks) and not marks[i + 1][1] and y0 - marks[i + 1][0] < reach:
                    seeds[marks[i + 1][0] : y0, x] = 1
    return seeds


def owners(seeds: np.ndarray, boxmap: np.ndarray) -> np.ndarray:
    """For each pixel the label of the only seed that its component touches, -1 for several, 0 for none."""
    labels, parts = ndimage.label(seeds)[0], ndimage.label(boxmap)[0]
    found = np.zeros(seeds.shape, int)
    for part in range(1, parts.max() + 1):
        touched = set(labels[parts == part]) - {0}
        found[parts == part] = touched.pop() if len(touched) == 1 else -1 if touched else 0
    return found


def nearest(seeds: np.ndarray, at: tuple[int, int], reach: float) -> set[int]:
    """Labels of the seeds that are nearest to a pixel and nearer than a distance."""
    labels = ndimage.label(seeds)[0]
    rows, columns = np.nonzero(labels)
    if not rows.size:
        return set()
    squares = (rows - at[0]) ** 2 + (columns - at[1]) ** 2
    if squares.min() >= reach * reach:
        return set()
    near = squares == squares.min()
    return set(labels[rows[near], columns[near]])
