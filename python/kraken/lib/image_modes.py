"""Pages of any mode as 8-bit images (spec chapter segmentation §2.1).

What segmentation and recognition see of a page is the same: opacity is blended with
white paper, so that ink on a transparent ground stays visible; grey of 16 bits is
divided by 257 and rounded if a value above 255 occurs; floats are multiplied by 255 if
all lie in 0…1; other values are limited to 0…255. All else is Pillow's conversion.
"""

from __future__ import annotations

import logging

import numpy as np
from PIL import Image

__all__ = ["is_deep", "to_black_and_white", "to_grey", "to_mode8", "to_rgb"]

logger = logging.getLogger("kraken")

#: Modes of one grey channel, with or without opacity.
_GREY = frozenset({"1", "L", "LA", "La"})
_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
#: Modes of whole numbers with more than 8 bits.
_DEEP = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
#: Value of 16-bit white over that of 8-bit white.
_DEPTH_RATIO = 257


def is_deep(im: Image.Image) -> bool:
    """Whether the image has more than 8 bits per channel."""
    return im.mode in _DEEP or im.mode == "F"


def to_mode8(im: Image.Image) -> Image.Image:
    """The image as ``L`` if it is grey or bitonal, else as ``RGB``.

    An image that already is so (and has no transparent colour) is returned as it is.
    """
    return to_grey(im) if im.mode in _GREY or is_deep(im) else to_rgb(im)


def to_grey(im: Image.Image) -> Image.Image:
    """The image as ``L`` (ITU-R 601 luma of colours)."""
    if is_deep(im):
        return _reduced(im)
    flat = _on_white(im)
    if flat.mode == "LAB":  # Pillow converts it to RGB only
        flat = flat.convert("RGB")
    return flat if flat.mode == "L" else flat.convert("L")


def to_black_and_white(im: Image.Image) -> Image.Image:
    """An image of two colours as ``L`` with values 0 (the darker one) and 255."""
    grey = np.asarray(to_grey(im))
    low, high = (int(grey.min()), int(grey.max())) if grey.size else (0, 0)
    return Image.fromarray(np.where(grey > (low + high) / 2, 255, 0).astype(np.uint8))


def to_rgb(im: Image.Image) -> Image.Image:
    """The image as ``RGB``."""
    flat = _reduced(im) if is_deep(im) else _on_white(im)
    return flat if flat.mode == "RGB" else flat.convert("RGB")


def _on_white(im: Image.Image) -> Image.Image:
    """The image without transparency; itself if it has none."""
    if im.mode not in _WITH_ALPHA and "transparency" not in im.info:
        return im
    if im.mode == "La":
        im = im.convert("LA")
    rgba = im.convert("RGBA")
    if rgba.getchannel("A").getextrema() != (255, 255):
        rgba = Image.alpha_composite(Image.new("RGBA", im.size, (255, 255, 255, 255)), rgba)
    # All channels of a grey image are equal: its first one is the image.
    return rgba.getchannel("R") if im.mode in _GREY else rgba.convert("RGB")


def _reduced(im: Image.Image) -> Image.Image:
    """A deep image with 8 bits."""
    values = np.nan_to_num(np.asarray(im))
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if im.mode == "F":
        if low >= 0 and high <= 1:
            values = values * 255
    elif high > 255:
        logger.info("Reducing an image of mode %s with values up to %d to 8 bits.", im.mode, high)
        values = np.rint(values.astype(np.float64) / _DEPTH_RATIO)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
