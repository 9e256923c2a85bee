"""The ridge filter with scipy's filters, one scale and one derivative at a time."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def ridge_strength(image: np.ndarray, sigmas: list[float]) -> np.ndarray:
    """Largest of σ² · max(0, larger eigenvalue of the negated image's Hessian) over all σ."""
    image = -image.astype(np.float64)
    best = np.zeros_like(image)
    for sigma in sigmas:

        def derive(a: np.ndarray, order: tuple[int, int], sd: float = sigma / np.sqrt(2)) -> np.ndarray:
            return ndimage.gaussian_filter(a, sd, order=order, mode="constant", cval=0.0, truncate=12)

        down, right = derive(image, (1, 0)), derive(image, (0, 1))
        yy, xy, xx = derive(down, (1, 0)), derive(down, (0, 1)), derive(right, (0, 1))
        for y in range(image.shape[0]):
            for x in range(image.shape[1]):
                hessian = np.array([[yy[y, x], xy[y, x]], [xy[y, x], xx[y, x]]])
                best[y, x] = max(best[y, x], sigma**2 * np.linalg.eigvalsh(hessian)[1])
    return best
