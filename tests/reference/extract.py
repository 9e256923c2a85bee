"""Slow, obvious versions of the line extractors."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import map_coordinates

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
    length = math.hypot(x1 - x0, y1 - y0)
    cos, sin = (x1 - x0) / length, (y1 - y0) / length
    to_line = np.array([[cos, sin], [-sin, cos]])
    corners = np.array([(0, 0), (0, h - 1), (w - 1, h - 1), (w - 1, 0)]) @ to_line.T
    origin = corners.min(axis=0)
    width, height = np.rint(corners.max(axis=0) - origin + 1).astype(int)
    if legacy and patch.ndim == 2:
        origin = np.floor(origin)  # the phase that old models saw grey lines in
    out = np.zeros((height, width, *patch.shape[2:]), dtype=page.dtype)
    first, shift = (0, 0.5) if legacy else (0.5, 0)
    for j in range(height):
        for i in range(width):
            x, y = to_line.T @ (np.array([i + first, j + first]) + origin)
            if not legacy or (0 <= x <= w - 1 and 0 <= y <= h - 1):
                out[j, i] = sample(patch, x + shift, y + shift, nearest=legacy)
    return trim(out)


def smooth_ring(ring: Array) -> Array:
    """One round of corner cutting (rings of up to 50 points aren't simplified)."""
    points: list[Array] = []
    for p, q in itertools.pairwise(ring):
        points += [0.75 * p + 0.25 * q, 0.25 * p + 0.75 * q]
    if len(ring) > 2 and (ring[0] == ring[-1]).all():
        return np.array(points)
    return np.array([ring[0], *points, ring[-1]])


class Frame:
    """Segments of a baseline."""

    def __init__(self, baseline: Array) -> None:
        self.start = baseline[:-1]
        step = np.diff(baseline, axis=0)
        self.length = np.sqrt((step**2).sum(axis=1))
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
            places.append(
                (1 - t) ** 2 * (vertex - a * e) + 2 * t * (1 - t) * vertex + t**2 * (vertex + b * f)
            )
            tangents.append((1 - t) * a * e + t * b * f)
            at.append(frame.before[k] - a * (1 - t) ** 2 + b * t**2)
    at.append(frame.before[-1])
    places.append(frame.start[-1] + frame.length[-1] * frame.unit[-1])
    tangents.append(frame.unit[-1])
    direction = np.array(tangents) / np.linalg.norm(tangents, axis=1)[:, None]
    return np.array(at), np.array(places), np.stack([-direction[:, 1], direction[:, 0]], axis=1)


def cut(values: Array) -> Array:
    """Cuts towards 0; what is whole but for rounding errors counts as whole."""
    return np.trunc(values + 1e-6 * np.sign(values))


def smooth_part(values: Array, degree: int = 3) -> Array:
    """Least-squares polynomial per coordinate of an N×2 array, limited to one pixel."""
    x = np.linspace(-1, 1, len(values)) if len(values) > 1 else np.zeros(1)
    matrix = np.polynomial.legendre.legvander(x, min(degree, len(values) - 1))
    return np.clip(matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0], -1, 1)


def curved(page: Array, baseline: Array, boundary: Array, nearest: bool = False) -> Array:
    """A line of three baseline points or more that doesn't double back."""
    ring = smooth_ring(boundary)
    patch, corner = masked_patch(page, boundary, ring)
    frame = Frame(baseline - corner)
    points = np.array([frame.project(p - corner, euclidean=False) for p in ring]) + baseline[0]
    low, high = np.trunc(points.min(axis=0)), np.trunc(points.max(axis=0))
    width, height = (high - low + 1).astype(int)
    ox, oy = baseline[0] - low
    at, places, normals = stations(frame, float(height))
    # The edges of the image lie on the straight continuation of the baseline's ends.
    along = np.stack([normals[:, 1], -normals[:, 0]], axis=1)
    if -ox < at[1]:
        places[0] += (-ox - at[0]) * along[0]
        at[0] = -ox
    if width - ox > at[-2]:
        places[-1] += (width - ox - at[-1]) * along[-1]
        at[-1] = width - ox
    x, top, bottom = at + ox, places - oy * normals, places + (height - oy) * normals
    # What cutting all but the last corner to whole pixels would do to the columns.
    whole = np.maximum.accumulate(cut(x))
    keep = np.concatenate([[True], np.diff(whole) > 0])
    columns = np.arange(width) + 0.5
    ends = []
    for exact in (top, bottom):
        whole_ends = np.concatenate([cut(exact[:-1]), exact[-1:]])
        place = np.stack([np.interp(columns, x, exact[:, k]) for k in (0, 1)], axis=1)
        moved = np.stack([np.interp(columns, whole[keep], whole_ends[keep, k]) for k in (0, 1)], axis=1)
        ends.append(place + smooth_part(moved - place))
    out = np.zeros((height, width, *patch.shape[2:]), dtype=page.dtype)
    for j in range(height):
        t = (j + 0.5) / height
        for i in range(width):
            px, py = (1 - t) * ends[0][i] + t * ends[1][i]
            out[j, i] = sample(patch, px, py, nearest)
    return trim(out)


def legacy_curved(page: Array, baseline: Array, boundary: Array) -> Array:
    """The piecewise affine warp, by SciPy's triangulation and interpolation."""
    ring = smooth_ring(boundary)
    patch, corner = masked_patch(page, boundary, ring)
    frame = Frame(baseline - corner)
    target = np.array([frame.project(p - corner, euclidean=True) for p in ring])
    low, high = np.trunc((target + baseline[0]).min(axis=0)), np.trunc((target + baseline[0]).max(axis=0))
    width, height = (high - low + 1).astype(int)
    target = np.concatenate([target, np.stack([frame.before, np.zeros(len(frame.before))], axis=1)])
    source = np.concatenate([ring - corner, baseline - corner])
    warp = LinearNDInterpolator(target + baseline[0] - low, source)
    rows, columns = np.mgrid[:height, :width]
    places = warp(np.stack([columns, rows], axis=-1))
    inside = np.isfinite(places).all(axis=-1)
    at = np.where(inside[..., None], places, -10)
    values = map_coordinates(patch.astype(float), [at[..., 1], at[..., 0]], order=1, mode="grid-constant")
    return trim(np.where(inside, np.floor(values + 1e-3), 0).astype(page.dtype))
