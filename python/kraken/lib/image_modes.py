"""Pages of any mode as 8-bit images (spec chapter segmentation §2.1)."""

from __future__ import annotations

import logging

import numpy as np
from PIL import Image

__all__ = ["to_mode8"]

logger = logging.getLogger("kraken")

#: Modes that hold one grey channel of 8 bits or less.
_GREY = frozenset({"1", "L"})
#: Modes of whole numbers with more than 8 bits.
_DEEP = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
#: Value of 16-bit white over that of 8-bit white.
_DEPTH_RATIO = 257


def to_mode8(im: Image.Image, warn: bool = False) -> Image.Image:
    """The image as ``L`` or ``RGB``, with what it shows on white paper.

    Opacity is blended with white, so that ink on a transparent ground stays visible;
    opaque images keep their values. Grey of 16 bits is divided by 257 and rounded if a
    value above 255 occurs. Floats are multiplied by 255 if all lie in 0…1. Other values
    are limited to 0…255.

    Args:
        im: Image of any mode; it isn't changed.
        warn: Log a warning if the depth is reduced.

    Returns:
        ``L`` for grey and bitonal images, else ``RGB``. An image that already has such a
        mode (and no transparent colour) is returned as it is.
    """
    if im.mode in _DEEP:
        return _from_deep(im, warn)
    if im.mode == "F":
        return _from_float(im)
    if im.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in im.info:
        return _on_white(im)
    if im.mode in ("L", "RGB"):
        return im
    if im.mode == "1":
        return im.convert("L")
    return im.convert("RGB")


def _on_white(im: Image.Image) -> Image.Image:
    grey = im.mode in ("L", "1", "LA", "La")
    rgba = im.convert("RGBA")
    if rgba.getextrema()[3] != (255, 255):
        white = Image.new("RGBA", im.size, (255, 255, 255, 255))
        rgba = Image.alpha_composite(white, rgba)
    # All channels of a grey image are equal, so that its first one is the image.
    return rgba.getchannel("R") if grey else rgba.convert("RGB")


def _from_deep(im: Image.Image, warn: bool) -> Image.Image:
    values = np.asarray(im)
    if values.size and int(values.max()) > 255:
        if warn:
            logger.warning("Reducing an image of mode %s from 16 to 8 bits.", im.mode)
        values = np.rint(values.astype(np.float64) / _DEPTH_RATIO)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _from_float(im: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(im))
    if values.size and values.min() >= 0 and values.max() <= 1:
        values = values * 255
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
