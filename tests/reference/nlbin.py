"""Binarisation with SciPy's filters, step by step as the specification says."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage


def nlbin(
    grey: np.ndarray,
    threshold: float = 0.5,
    zoom: float = 0.5,
    escale: float = 1.0,
    border: float = 0.1,
    perc: float = 80,
    range: int = 20,
    low: float = 5,
    high: float = 90,
) -> np.ndarray:
    """Pixels above the threshold."""
    page = grey / 255
    page = (page - page.min()) / (page.max() - page.min())
    small = ndimage.zoom(page, zoom)
    small = ndimage.percentile_filter(small, perc, size=(range, 2))
    small = ndimage.percentile_filter(small, perc, size=(2, range))
    height, width = page.shape
    scale = (small.shape[0] / height, small.shape[1] / width)
    ground = ndimage.affine_transform(small, scale, output_shape=page.shape, order=3)
    flat = np.clip(page - ground + 1, 0, 1)
    top, left = int(border * height), int(border * width)
    area = flat[top : height - top, left : width - left]
    variation = area - ndimage.gaussian_filter(area, escale * 20)
    variation = ndimage.gaussian_filter(variation**2, escale * 20) ** 0.5
    mask: Any = variation > 0.3 * variation.max()
    mask = ndimage.binary_dilation(mask, structure=np.ones((int(escale * 50), 1)))
    mask = ndimage.binary_dilation(mask, structure=np.ones((1, int(escale * 50))))
    black, white = np.percentile(area[mask], [low, high])
    return np.clip((flat - black) / (white - black), 0, 1) > threshold
