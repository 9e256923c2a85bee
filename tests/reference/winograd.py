"""Transforms of Winograd's algorithm F(4×4, 3×3), tile by tile with the matrices of the paper."""

from __future__ import annotations

import numpy as np

B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=float,
).T
A = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], dtype=float
).T


def _padded(image: np.ndarray) -> np.ndarray:
    """Zeros around an image (H, W, C): one pixel left and above, enough for all tiles right and below."""
    height, width, _ = image.shape
    return np.pad(image.astype(float), ((1, 1 + -height % 4), (1, 1 + -width % 4), (0, 0)))


def inputs(image: np.ndarray) -> np.ndarray:
    """Bᵀ d B of all tiles: (36, rows, columns, C)."""
    padded, (height, width, channels) = _padded(image), image.shape
    out = np.zeros((6, 6, -(-height // 4), -(-width // 4), channels))
    for row, column, channel in np.ndindex(out.shape[2:]):
        tile = padded[4 * row : 4 * row + 6, 4 * column : 4 * column + 6, channel]
        out[:, :, row, column, channel] = B.T @ tile @ B
    return out.reshape(36, *out.shape[2:])


def gradients(image: np.ndarray) -> np.ndarray:
    """A g Aᵀ of all tiles: (36, rows, columns, C)."""
    padded, (height, width, channels) = _padded(image)[1:, 1:], image.shape
    out = np.zeros((6, 6, -(-height // 4), -(-width // 4), channels))
    for row, column, channel in np.ndindex(out.shape[2:]):
        tile = padded[4 * row : 4 * row + 4, 4 * column : 4 * column + 4, channel]
        out[:, :, row, column, channel] = A @ tile @ A.T
    return out.reshape(36, *out.shape[2:])


def outputs(products: np.ndarray, height: int, width: int) -> np.ndarray:
    """Aᵀ m A of all tiles, cut to an image (H, W, C)."""
    _, rows, columns, channels = products.shape
    out = np.zeros((4 * rows, 4 * columns, channels))
    for row, column, channel in np.ndindex(products.shape[1:]):
        tile = products[:, row, column, channel].reshape(6, 6).astype(float)
        out[4 * row : 4 * row + 4, 4 * column : 4 * column + 4, channel] = A.T @ tile @ A
    return out[:height, :width]
