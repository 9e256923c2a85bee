"""Thinning after Zhang and Suen (1984), pixel by pixel over the whole image in every pass."""

from __future__ import annotations

import numpy as np


def neighbours(image: np.ndarray, y: int, x: int) -> list[int]:
    """P2…P9: up, then clockwise; outside is 0."""
    steps = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
    h, w = image.shape
    return [int(image[y + dy, x + dx]) if 0 <= y + dy < h and 0 <= x + dx < w else 0 for dy, dx in steps]


def thin(mask: np.ndarray) -> np.ndarray:
    """Skeleton of a mask: parallel passes, then a sweep that deletes redundant corners."""
    image = (mask != 0).astype(np.uint8)
    while True:
        before = image.copy()
        for half in (0, 1):
            gone = []
            for y, x in np.argwhere(image):
                p = neighbours(image, y, x)
                up, right, down, left = p[0::2]
                rises = sum(a == 0 and b == 1 for a, b in zip(p, p[1:] + p[:1], strict=True))
                if half == 0:
                    open_side = up * right * down == 0 and right * down * left == 0
                else:
                    open_side = up * right * left == 0 and up * down * left == 0
                if 2 <= sum(p) <= 6 and rises == 1 and open_side:
                    gone.append((y, x))
            for y, x in gone:
                image[y, x] = 0
        if (image == before).all():
            break
    for y, x in np.argwhere(image):
        p = neighbours(image, y, x)
        if sum(p) >= 2 and components(p) == 1:
            image[y, x] = 0
    return image


def components(p: list[int]) -> int:
    """Number of 8-connected groups of neighbours, told apart by background at an edge (Yokoi)."""
    return sum((1 - p[k]) - (1 - p[k]) * (1 - p[k + 1]) * (1 - p[(k + 2) % 8]) for k in (0, 2, 4, 6))
