"""A view of a page as training sees it: turned, bent, cut out, worn, with the maps of its truth."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from common.targets import bar
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor
from torch.nn import functional

from .real import Sheet

__all__ = ["View", "draw_maps", "view"]

#: Half of a baseline's thickness, and length and reach of a separator, in pixels of the network's input.
HALF, CAP, REACH = 3.5, 6.0, 5.0


@dataclass
class View:
    """Network input (1, 1, H, W), maps (1, 4, H/2, W/2), which maps count (4,)."""

    image: Tensor
    maps: Tensor
    known: Tensor


def view(sheet: Sheet, rng: np.random.Generator, height: int, area: int, *, whole: bool) -> View:
    """Draws a view.

    Args:
        sheet: The page.
        rng: Source of all randomness.
        height: Height of a page in the network's input.
        area: Pixels that the view has at most.
        whole: Show the whole page where it isn't larger than `area`, not a part of it.
    """
    zoom = float(np.exp(rng.uniform(np.log(0.72), np.log(1.35)))) if rng.random() < 0.8 else 1.0
    page_h = height * zoom
    factor = page_h / sheet.grey.shape[0]
    page_w = sheet.grey.shape[1] * factor
    squeeze = float(np.exp(rng.normal(0, 0.05)))
    scaled = Image.fromarray(sheet.grey).resize(
        (max(8, round(page_w * squeeze)), max(8, round(page_h))),
        Image.Resampling.BOX if factor < 0.6 else Image.Resampling.BILINEAR,
    )
    if whole and scaled.width * scaled.height <= area:
        out_w, out_h = scaled.size
    else:
        side = float(np.exp(rng.normal(0, 0.2))) * np.sqrt(area)
        out_w = int(min(scaled.width, side))
        out_h = int(min(scaled.height, area / out_w))
        out_w = int(min(scaled.width, area / out_h))
    move = Warp(rng, scaled.size, (out_w, out_h))
    points = [p * (factor * squeeze, factor) for p in (*sheet.lines, *sheet.regions)]
    moved = [move.forward(_dense(p, closed=i >= len(sheet.lines))) for i, p in enumerate(points)]
    maps = draw_maps(moved[: len(sheet.lines)], moved[len(sheet.lines) :], (out_w, out_h))
    grey = _worn(move.image(np.asarray(scaled)), rng)
    ink = torch.from_numpy(np.asarray(grey, np.float32) / 255)
    ink = ink.max() - ink
    known = torch.tensor([sheet.lines_known] * 3 + [sheet.regions_known])
    return View(ink[None, None], maps[None], known)


class Warp:
    """A smooth map of the plane: rotation, perspective's shear and low waves, then a window.

    Positions of the picture follow from positions of the view; points of the page are moved the other way by
    iteration, which converges as the waves are low.
    """

    def __init__(self, rng: np.random.Generator, size: tuple[int, int], window: tuple[int, int]) -> None:
        w, h = size
        angle = float(rng.normal(0, 0.012)) if rng.random() < 0.85 else float(rng.uniform(-0.12, 0.12))
        shear, keystone = rng.normal(0, 0.012, 2)
        cos, sin = np.cos(angle), np.sin(angle)
        self.matrix = np.array([[cos, sin + shear], [-sin, cos + keystone * 0.5]])
        self.inverse = np.linalg.inv(self.matrix)
        self.centre = np.array([w / 2, h / 2])
        room = np.array([w - window[0], h - window[1]], float)
        self.corner = rng.uniform(0, 1, 2) * room + (rng.normal(0, 0.01, 2) * size if not room.any() else 0)
        self.window = window
        bent = rng.random() < 0.45
        self.wave = rng.normal(0, 0.0035 * h if bent else 0, 3) * (1, 0.5, 0.4)
        self.phase = rng.uniform(0, 2 * np.pi, 3)
        self.length = rng.uniform(0.6, 2.0, 3) * (w, h, w)

    def backward(self, points: np.ndarray) -> np.ndarray:
        """From the view (N, 2) to the scaled page."""
        p = points + self.corner - self.centre
        return p @ self.matrix.T + self.centre + self._waves(p)

    def forward(self, points: np.ndarray) -> np.ndarray:
        """From the scaled page (N, 2) to the view."""
        p = (points - self.centre) @ self.inverse.T
        for _ in range(4):
            p = (points - self.centre - self._waves(p)) @ self.inverse.T
        return p + self.centre - self.corner

    def _waves(self, p: np.ndarray) -> np.ndarray:
        a, b, c = (
            self.wave[i] * np.sin(2 * np.pi * p[:, axis] / self.length[i] + self.phase[i])
            for i, axis in enumerate((0, 1, 0))
        )
        return np.stack([b, a + c], axis=1)

    def image(self, pixels: np.ndarray) -> np.ndarray:
        """The view of the scaled page; beyond its edges the edge goes on."""
        w, h = self.window
        xs, ys = np.meshgrid(np.linspace(0, w - 1, max(2, w // 16)), np.linspace(0, h - 1, max(2, h // 16)))
        coarse = self.backward(np.stack([xs.ravel(), ys.ravel()], 1)).reshape(*xs.shape, 2)
        scale = 2 / np.maximum(np.array(pixels.shape[::-1]) - 1, 1)
        grid = torch.from_numpy((coarse * scale - 1).astype(np.float32)).permute(2, 0, 1)[None]
        grid = functional.interpolate(grid, (h, w), mode="bilinear", align_corners=True).permute(0, 2, 3, 1)
        source = torch.from_numpy(np.array(pixels, np.float32))[None, None]
        out = functional.grid_sample(source, grid, mode="bilinear", padding_mode="border", align_corners=True)
        return out[0, 0].numpy()


def _dense(points: np.ndarray, *, closed: bool, step: float = 24.0) -> np.ndarray:
    """Points at most `step` apart, so that curves bend with the page."""
    if closed:
        points = np.concatenate([points, points[:1]])
    parts = [points[:1]]
    for a, b in itertools.pairwise(points):
        n = max(1, int(np.hypot(*(b - a)) // step))
        parts.append(a + (b - a) * (np.arange(1, n + 1) / n)[:, None])
    return np.concatenate(parts)


def draw_maps(lines: Iterable[np.ndarray], regions: Iterable[np.ndarray], size: tuple[int, int]) -> Tensor:
    """Draws start separators, end separators, baselines and text regions at half the size, values 0 to 1.

    A separator is a short, thick bar at the end of a baseline, without the baseline.
    """
    maps = [Image.new("L", size) for _ in range(4)]
    start, end, body, text = (ImageDraw.Draw(m) for m in maps)
    for points in lines:
        steps = np.hypot(*np.diff(points, axis=0).T)
        points = points[np.concatenate([[True], steps > 1e-3])]
        if len(points) < 2:
            continue
        for pen, (a, b) in ((start, points[:2]), (end, points[-1:-3:-1])):
            along = (b - a) / np.hypot(*(b - a))
            pen.polygon(bar(a, a + along * REACH, CAP, CAP), fill=255)
        body.line([tuple(p) for p in points], fill=255, width=round(2 * HALF), joint="curve")
    for outline in regions:
        text.polygon([tuple(p) for p in outline], fill=255)
    full = torch.from_numpy(np.stack([np.asarray(m) for m in maps])).float() / 255
    full[:2] *= 1 - full[2]
    half = (-(-size[1] // 2), -(-size[0] // 2))
    return functional.interpolate(full[None], half, mode="area")[0]


def _worn(pixels: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Light, paper, noise, bleed-through, blur, compression and binarisation at random."""
    h, w = pixels.shape
    if rng.random() < 0.5:
        pixels = 255 * (np.clip(pixels, 0, 255) / 255) ** float(np.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.25:  # ink of the other side
        other = np.roll(pixels[:, ::-1], tuple(rng.integers(-80, 80, 2)), (0, 1))
        other = np.asarray(
            Image.fromarray(other.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))
        )
        pixels = np.minimum(pixels, 255 - (255 - other) * float(rng.uniform(0.1, 0.55)))
    if rng.random() < 0.4:
        coarse = Image.fromarray((rng.random((3, 3)) * 255).astype(np.uint8))
        field = np.asarray(coarse.resize((w, h), Image.Resampling.BICUBIC), np.float32) / 255
        pixels = pixels * (1 - float(rng.uniform(0.05, 0.45)) * field)
    if rng.random() < 0.4:
        low, high = float(rng.uniform(0, 70)), float(rng.uniform(150, 255))
        pixels = low + pixels * ((high - low) / 255)
    if rng.random() < 0.4:
        pixels = pixels + rng.standard_normal((h, w), dtype=np.float32) * float(rng.uniform(1, 14))
    grey = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.2:
        grey = grey.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.2))))
    chance = rng.random()
    if chance < 0.08:
        low, high = np.percentile(np.asarray(grey)[::4, ::4], (1, 60))
        threshold = low + (high - low) * rng.uniform(0.45, 0.75)
        grey = grey.point([255 * (v > threshold) for v in range(256)])
    elif chance < 0.2:
        stream = io.BytesIO()
        grey.save(stream, "JPEG", quality=int(rng.integers(15, 75)))
        grey = Image.open(stream).convert("L")
    return grey
