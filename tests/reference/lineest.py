"""Slow, obvious version of the centre normaliser, with SciPy's filters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter, uniform_filter

Array = NDArray[Any]


def measure(line: Array, smoothness: float = 1.0, extra: float = 0.3) -> tuple[Array, float]:
    """Centre row per column and mean distance of the ink from it."""
    h, w = line.shape
    blurred = gaussian_filter(line, (h * 0.5, h * smoothness), mode="constant")
    blurred += 0.001 * uniform_filter(blurred, (int(h * 0.5), w), mode="constant")
    center = gaussian_filter(np.argmax(blurred, axis=0), h * extra)
    distance = np.abs(np.arange(h)[:, None] - center[None])
    return center, float(distance[line != 0].mean())


def normalize(image: Array, center: Array, r: int, target: int, cval: float) -> Array:
    """Band around the centre, scaled to the target height."""
    h, _ = image.shape
    padded = np.pad(image.astype(float), ((2 * r + h, 2 * r + h), (0, 0)), constant_values=cval)
    first = center + 2 * r + h - r
    band = np.stack([padded[c : c + 2 * r, i] for i, c in enumerate(first)], axis=1)
    factor = target / band.shape[0]
    shape = (target, int(factor * band.shape[1]))
    return affine_transform(band, np.eye(2) / factor, order=1, output_shape=shape, mode="constant", cval=cval)
