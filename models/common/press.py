"""What press, paper, time, camera and file format do to type: from ink coverage to the picture of a print."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from .wear import ink_on_paper

__all__ = ["clogged", "dimmed", "faded", "low_resolution", "printed"]


def printed(coverage: np.ndarray, rng: np.random.Generator, size: float) -> np.ndarray:
    """Turns ideal ink into the scan of an impression of it.

    Args:
        coverage: float32 (height, width), 1 = ink.
        rng: Source of all randomness.
        size: Pixels per em, which blots and hairlines are measured by.

    Returns:
        uint8 (height, width), dark on light.
    """
    ink = coverage.copy()
    if rng.random() < 0.5:
        ink = _impression(ink, rng, size)
    if rng.random() < 0.25:
        ink = _worn_type(ink, rng)
    if rng.random() < 0.12:
        ghost = np.roll(ink[:, ::-1], tuple(rng.integers(-size, size, 2).astype(int)), axis=(0, 1))
        ghost = ndimage.gaussian_filter(ghost, float(rng.uniform(0.8, 2)))
        ink = np.maximum(ink, ghost * rng.uniform(0.05, 0.3))
    if rng.random() < 0.1:
        _rule(ink, rng)
    grey = ink_on_paper(Image.fromarray((ink * 255).astype(np.uint8)), rng, float(rng.uniform(0.2, 1.0)))
    if rng.random() < 0.25:
        grey = _scaled(grey, rng, float(rng.uniform(11, 20)) / size)
    chance = rng.random()
    if chance < 0.14:
        grey = _bilevel(grey, rng)
    elif chance < 0.3:
        grey = _jpeg(grey, rng)
    return np.asarray(grey)


def _impression(ink: np.ndarray, rng: np.random.Generator, size: float) -> np.ndarray:
    """More or less ink and pressure, unevenly: edges move out or in, thin strokes fill or break."""
    soft = ndimage.gaussian_filter(ink, 0.02 * size * float(rng.uniform(0.6, 1.8)) + 0.2)
    shift = rng.normal(0, 0.10)
    if rng.random() < 0.6:
        coarse = rng.normal(0, 1, (2 + ink.shape[0] // 12, 2 + ink.shape[1] // 12)).astype(np.float32)
        field = np.asarray(Image.fromarray(coarse).resize(ink.shape[::-1], Image.Resampling.BICUBIC))
        shift = shift + field * rng.uniform(0.02, 0.12)
    sharp = float(rng.uniform(3, 12))
    pressed = np.clip((soft - 0.45 + shift) * sharp + 0.5, 0, 1).astype(np.float32)
    # fine type drowns or vanishes under what display type bears
    return pressed if 0.65 < float(pressed.sum()) / (float(ink.sum()) + 1) < 1.7 else ink


def _worn_type(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Specks without ink inside the letters, specks of ink outside."""
    noise = ndimage.gaussian_filter(
        rng.normal(0, 1, ink.shape).astype(np.float32), float(rng.uniform(0.6, 1.4))
    )
    noise /= noise.std() + 1e-6
    holes = np.clip((noise - rng.uniform(1.0, 2.2)) * 2, 0, 1)
    ink = ink * (1 - holes * rng.uniform(0.3, 1.0))
    if rng.random() < 0.5:
        ink = np.maximum(ink, np.clip((-noise - rng.uniform(2.4, 3.2)) * 2, 0, 1))
    return ink


def _rule(ink: np.ndarray, rng: np.random.Generator) -> None:
    """A line ruled below, above or through the writing, straight across."""
    height = ink.shape[0]
    y = int(rng.integers(0, height))
    band = slice(y, y + int(rng.integers(1, 3)))
    ink[band] = np.maximum(ink[band], rng.uniform(0.3, 1.0))


def _scaled(grey: Image.Image, rng: np.random.Generator, factor: float) -> Image.Image:
    """Made smaller by the factor, and as large as before again."""
    if factor >= 1:
        return grey
    small = grey.resize(
        (max(1, round(grey.width * factor)), max(1, round(grey.height * factor))),
        Image.Resampling.BOX if rng.random() < 0.5 else Image.Resampling.BILINEAR,
    )
    return small.resize(grey.size, Image.Resampling.BICUBIC)


def _bilevel(grey: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(grey.filter(ImageFilter.GaussianBlur(0.4)), dtype=np.float32)
    low, high = np.percentile(pixels, (1, 90))
    threshold = low + (high - low) * rng.uniform(0.4, 0.7)
    dark = (high - pixels).clip(0).sum() / (high - low + 1)
    if not 0.6 < (pixels <= threshold).sum() / (dark + 1) < 1.6:
        return grey
    return Image.fromarray(np.where(pixels > threshold, 255, 0).astype(np.uint8))


def low_resolution(scan: np.ndarray, rng: np.random.Generator, size: float) -> np.ndarray:
    """The scan as it looks where an em has but 7 to 12 pixels, as small type of advertisements and notes."""
    picture = _scaled(Image.fromarray(scan), rng, float(rng.uniform(7, 12)) / size)
    return np.asarray(_jpeg(picture, rng) if rng.random() < 0.3 else picture)


def dimmed(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The scan with dark paper and little contrast, as cheap paper and microfilm give."""
    paper = float(rng.uniform(105, 205))
    ink = paper * float(rng.uniform(0.2, 0.65))
    grain = rng.normal(0, float(rng.uniform(0.5, 5)), scan.shape)
    return np.clip(ink + (paper - ink) / 255 * scan + grain, 1, 255).astype(np.uint8)


def clogged(coverage: np.ndarray, rng: np.random.Generator, size: float) -> np.ndarray:
    """The ink (float32, 0 to 1) of types whose counters are full of ribbon lint: e, a and o look alike."""
    width = max(2, round(size * float(rng.uniform(0.06, 0.18))))
    filled = ndimage.grey_closing(coverage, (width, width))
    return np.asarray(coverage + (filled - coverage) * rng.uniform(0.2, 0.9), dtype=np.float32)


def faded(coverage: np.ndarray, rng: np.random.Generator, size: float) -> np.ndarray:
    """The ink (float32, 0 to 1) of types that are worn or badly inked: parts of letters are missing."""
    height, width = coverage.shape
    step = max(2.0, size * float(rng.uniform(0.12, 0.5)))
    shape = (2 + round(height / step), 2 + round(width / step))
    coarse = Image.fromarray(rng.normal(0, 1, shape).astype(np.float32))
    field = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    pale = np.clip((field - rng.uniform(0.6, 1.5)) * rng.uniform(1.5, 6), 0, 1)
    return np.asarray(coverage * (1 - pale * rng.uniform(0.4, 1.0)), dtype=np.float32)


def _jpeg(grey: Image.Image, rng: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    grey.save(stream, "JPEG", quality=int(rng.integers(15, 75)))
    stream.seek(0)
    return Image.open(stream).convert("L")
