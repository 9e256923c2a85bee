"""Wear and tear: what printing, ageing and scanning do to a clean drawing."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageFilter


def ink_on_paper(coverage: Image.Image, rng: np.random.Generator, strength: float = 1.0) -> Image.Image:
    """Turns ink coverage (mode L, 255 = full ink) into a grey picture of it, worn at random.

    Args:
        coverage: Where the ink is.
        rng: Source of all randomness.
        strength: 0 gives a clean picture, 1 what a bad scan looks like.

    Returns:
        Mode L picture of the same size, dark ink on light paper.
    """
    if rng.random() < 0.12 * strength:
        coverage = coverage.filter(ImageFilter.MaxFilter(3))  # spread ink
    if rng.random() < 0.7:
        coverage = coverage.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 0.3 + 0.9 * strength))))
    ink = np.asarray(coverage, dtype=np.float32) / 255
    height, width = ink.shape
    paper = float(rng.uniform(255 - 70 * strength, 255))
    black = float(rng.uniform(0, 20 + 80 * strength))
    field = np.full((height, width), paper, dtype=np.float32)
    if rng.random() < 0.5 * strength:
        field -= _uneven_light(rng, height, width) * 35
    out = field - ink * (field - black)
    if rng.random() < 0.8:
        out += _noise(rng, height, width) * float(rng.uniform(0, 10 * strength + 0.1))
    return Image.fromarray(np.clip(out, 1, 255).astype(np.uint8))


@functools.cache
def _noise_tile() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((256, 512), dtype=np.float32)


def _noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Returns unit noise cut from a repeated tile, as drawing it anew would take longer than all the rest."""
    tile = np.roll(_noise_tile(), tuple(rng.integers(0, (256, 512))), axis=(0, 1))
    return np.tile(tile, (-(-height // 256), -(-width // 512)))[:height, :width]


def _uneven_light(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    coarse = (rng.random((3, 4)) * 255).astype(np.uint8)
    return (
        np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float32)
        / 255
    )
