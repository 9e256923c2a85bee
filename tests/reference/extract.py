"""Slow, obvious versions of the line extractors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[Any]


def mask(ring: Array, width: int, height: int) -> Array:
    """Pillow's own polygon."""
    image = Image.new("L", (width, height))
    if len(ring) > 1:
        ImageDraw.Draw(image).polygon([(int(x), int(y)) for x, y in ring], fill=255)
    return np.asarray(image)


def masked_patch(page: Array, boundary: Array, ring: Array) -> tuple[Array, Array]:
    """Pixels inside of ``ring`` in the box of ``boundary``, and the box's corner."""
    x0, y0 = np.trunc(boundary.min(axis=0)).astype(int)
    x1, y1 = np.trunc(boundary.max(axis=0)).astype(int)
    patch = page[y0 : y1 + 1, x0 : x1 + 1].copy()
    patch[mask(ring - (x0, y0), x1 - x0 + 1, y1 - y0 + 1) == 0] = 0
    return patch, np.array([x0, y0], dtype=float)


def sample(image: Array, x: float, y: float, nearest: bool) -> Array:
    """Value at a continuous position, pixel centres at + 0.5; 0 outside."""
    h, w = image.shape[:2]
    if not (0 <= x < w and 0 <= y < h):
        return np.zeros_like(image[0, 0])
    if nearest:
        return image[int(y), int(x)]
    fx, fy = math.floor(x - 0.5), math.floor(y - 0.5)
    tx, ty = x - 0.5 - fx, y - 0.5 - fy
    total = 0.0
    for j, wy in ((fy, 1 - ty), (fy + 1, ty)):
        for i, wx in ((fx, 1 - tx), (fx + 1, tx)):
            total = total + wx * wy * image[min(max(j, 0), h - 1), min(max(i, 0), w - 1)].astype(float)
    return np.floor(total + 1e-3).astype(image.dtype)


def trim(image: Array) -> Array:
    """Bounding box of what isn't 0."""
    filled = image != 0 if image.ndim == 2 else (image != 0).any(axis=2)
    if not filled.any():
        return image
    rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def straight(page: Array, baseline: Array, boundary: Array, legacy: bool = False) -> Array:
    """A line of two baseline points."""
    patch, _ = masked_patch(page, boundary, boundary)
    h, w = patch.shape[:2]
    (x0, y0), (x1, y1) = baseline
    angle = math.atan2(y1 - y0, x1 - x0)
    to_line = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    corners = np.array([(0, 0), (0, h - 1), (w - 1, h - 1), (w - 1, 0)]) @ to_line.T
    origin = corners.min(axis=0)
    width, height = np.rint(corners.max(axis=0) - origin + 1).astype(int)
    out = np.zeros((height, width, *patch.shape[2:]), dtype=page.dtype)
    first, shift = (0, 0.5) if legacy else (0.5, 0)
    for j in range(height):
        for i in range(width):
            x, y = to_line.T @ (np.array([i + first, j + first]) + origin)
            out[j, i] = sample(patch, x + shift, y + shift, nearest=legacy)
    return trim(out)


def smooth_ring(ring: Array) -> Array:
    """One round of corner cutting (rings of up to 50 points aren't simplified)."""
    points: list[Array] = []
    for p, q in zip(ring[:-1], ring[1:], strict=True):
        points += [0.75 * p + 0.25 * q, 0.25 * p + 0.75 * q]
    if len(ring) > 2 and (ring[0] == ring[-1]).all():
        return np.array(points)
    return np.array([ring[0], *points, ring[-1]])


class Frame:
    """Segments of a baseline."""

    def __init__(self, baseline: Array) -> None:
        self.start = baseline[:-1]
        step = np.diff(baseline, axis=0)
        self.length = np.hypot(*step.T)
        self.unit = step / self.length[:, None]
        self.before = np.concatenate([[0.0], np.cumsum(self.length)])

    def project(self, p: Array, euclidean: bool) -> Array:
        """Position along and across the segment that fits best."""
        d = p - self.start
        x = (d * self.unit).sum(axis=1)
        y = self.unit[:, 0] * d[:, 1] - self.unit[:, 1] * d[:, 0]
        over = np.maximum(-x, x - self.length)
        cost = np.hypot(np.maximum(over, 0), y) if euclidean else over
        k = int(np.argmin(cost))
        return np.array([self.before[k] + x[k], y[k]])


def stations(frame: Frame, height: float) -> tuple[Array, Array, Array]:
    """Lengths, places and normals between which columns are interpolated."""
    at, places, tangents = [0.0], [frame.start[0]], [frame.unit[0]]
    for k in range(1, len(frame.length)):
        vertex, e, f = frame.start[k], frame.unit[k - 1], frame.unit[k]
        a, b = min(frame.length[k - 1] / 2, height / 3), min(frame.length[k] / 2, height / 3)
        steps = max(1, math.ceil((a + b) / (height / 6)))
        for t in np.linspace(0, 1, steps + 1):
            places.append((1 - t) ** 2 * (vertex - a * e) + 2 * t * (1 - t) * vertex + t**2 * (vertex + b * f))
            tangents.append((1 - t) * a * e + t * b * f)
            at.append(frame.before[k] - a * (1 - t) ** 2 + b * t**2)
    at.append(frame.before[-1])
    places.append(frame.start[-1] + frame.length[-1] * frame.unit[-1])
    tangents.append(frame.unit[-1])
    direction = np.array(tangents) / np.linalg.norm(tangents, axis=1)[:, None]
    return np.array(at), np.array(places), np.stack([-direction[:, 1], direction[:, 0]], axis=1)


def curved(page: Array, baseline: Array, boundary: Array, nearest: bool = False) -> Array:
    """A line of three baseline points or more that doesn't double back."""
    ring = smooth_ring(boundary)
    patch, corner = masked_patch(page, boundary, ring)
    frame = Frame(baseline - corner)
    points = np.array([frame.project(p - corner, euclidean=False) for p in ring]) + baseline[0]
    low, high = np.trunc(points.min(axis=0)), np.trunc(points.max(axis=0))
    width, height = (high - low + 1).astype(int)
    at, places, normals = stations(frame, float(height))
    out = np.zeros((height, width, *patch.shape[2:]), dtype=page.dtype)
    for i in range(width):
        s = i + 0.5 - (baseline[0][0] - low[0])
        inside = min(max(s, 0.0), frame.before[-1])
        place = np.array([np.interp(inside, at, places[:, axis]) for axis in (0, 1)])
        normal = np.array([np.interp(inside, at, normals[:, axis]) for axis in (0, 1)])
        if s != inside:
            place = place + (s - inside) * np.array([normal[1], -normal[0]])
        for j in range(height):
            x, y = place + (j + 0.5 - (baseline[0][1] - low[1])) * normal
            out[j, i] = sample(patch, x, y, nearest)
    return trim(out)
