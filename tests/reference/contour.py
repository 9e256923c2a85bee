"""Outer boundary of a pixel set by geometry: its pixels that touch the outside."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def boundary_pixels(mask: np.ndarray) -> set[tuple[int, int]]:
    """Pixels of an 8-connected mask that share an edge with background connected to the outside."""
    padded = np.pad(mask != 0, 1)
    background, _ = ndimage.label(~padded)
    outside = ndimage.binary_dilation(background == background[0, 0])
    return {(int(y) - 1, int(x) - 1) for y, x in np.argwhere(padded & outside)}
