"""How sure a network is of the lines that were found in its map, and which of them count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["line_confidences", "sure_lines"]

#: Points along a line, and steps across it at both sides, are so many pixels apart.
_SPACING = 3.0
#: Doubtful lines count where there are at most so many of them for each sure one, and from this part of the
#: least confidence on.
_FEW, _DOUBTFUL = 0.04, 0.7


def line_confidences(
    baselines: Sequence[Sequence[Sequence[float]]], heatmap: npt.NDArray[np.float32], reach: float = 4.0
) -> npt.NDArray[np.float32]:
    """Mean over a line of the network's best probability across it.

    Lines that the network is of two minds about (show-through, cut text at the page's edge, textures) stay
    far below those that it knows.

    Args:
        baselines: Polylines of at least two points (x, y) in pixels of the map.
        heatmap: Probabilities (H, W) of lines of their class.
        reach: How far from the polyline the probability may be, in pixels: polylines are simplified.

    Returns:
        (lines,) means between 0 and 1; 0 for a line without length.
    """
    found = np.zeros(len(baselines), dtype=np.float32)
    height, width = heatmap.shape
    offsets = np.arange(-reach, reach + 1)[:, None]
    for i, line in enumerate(baselines):
        points = np.asarray(line, dtype=float)
        steps = np.diff(points, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        points, steps, lengths = points[:-1][lengths > 0], steps[lengths > 0], lengths[lengths > 0]
        if not len(lengths):
            continue
        ends = np.cumsum(lengths)
        along = np.linspace(0, ends[-1], max(2, int(ends[-1] / _SPACING)))
        part = np.minimum(np.searchsorted(ends, along), len(ends) - 1)
        unit = steps[part] / lengths[part, None]
        x, y = (points[part] + unit * (along - ends[part] + lengths[part])[:, None]).T
        columns = np.clip(np.rint(x - offsets * unit[:, 1]), 0, width - 1).astype(np.intp)
        rows = np.clip(np.rint(y + offsets * unit[:, 0]), 0, height - 1).astype(np.intp)
        found[i] = heatmap[rows, columns].max(axis=0).mean()
    return found


def sure_lines(
    confidences: npt.NDArray[np.float32], least: float, *, lenient: bool = False
) -> npt.NDArray[np.bool_]:
    """Which lines of a page count.

    Short lines, first of all page numbers, get low confidences, as networks are less sure of the ends of
    lines than of what is between. So does what is no line, but that comes in numbers, on bad paper: one
    doubtful line among many sure ones is mostly writing.

    Args:
        confidences: Of all lines of the page (`line_confidences`).
        least: From where on lines count.
        lenient: Whether a few doubtful lines among many sure ones count, too.

    Returns:
        (lines,) whether they count.
    """
    sure = confidences >= least
    doubtful = ~sure & (confidences >= _DOUBTFUL * least)
    if lenient and doubtful.sum() <= _FEW * sure.sum():
        return sure | doubtful
    return sure
