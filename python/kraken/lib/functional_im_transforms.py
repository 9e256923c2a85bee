"""Steps of image and text pre-processing as named functions, so that they can be pickled."""

from __future__ import annotations

import importlib
import logging
import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image

from kraken.lib.bidi import get_display
from kraken.lib.image_modes import is_deep, to_grey
from kraken.lib.lineest import dewarp

if TYPE_CHECKING:
    from torch import Tensor

    from kraken.lib.lineest import CenterNormalizer

__all__ = [
    "default_split",
    "dummy",
    "pil_dewarp",
    "pil_fixed_resize",
    "pil_float_to_grey",
    "pil_pad",
    "pil_to_bin",
    "pil_to_mode",
    "suffix_split",
    "tensor_invert",
    "tensor_permute",
    "text_normalize",
    "text_reorder",
    "text_whitespace_normalize",
]

logger = logging.getLogger("kraken")

_T = TypeVar("_T")
_PathT = TypeVar("_PathT", str, Path)

#: Characters with the Unicode property White_Space.
_WHITE_SPACE = dict.fromkeys(
    [
        *range(0x09, 0x0E),
        0x20,
        0x85,
        0xA0,
        0x1680,
        *range(0x2000, 0x200B),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
    ],
    " ",
)


def pil_to_mode(im: Image.Image, mode: str) -> Image.Image:
    """The image in another mode.

    Pillow's conversion; but images of more than 8 bits, which it would cut to white, are
    scaled first.
    """
    if im.mode == mode:
        return im
    if is_deep(im) and mode in ("L", "RGB", "1"):
        logger.warning("Reducing an image of mode %s to 8 bits.", im.mode)
        im = to_grey(im)
    return im.convert(mode)


def pil_to_bin(im: Image.Image) -> Image.Image:
    """The image in black and white (:func:`kraken.binarization.nlbin`)."""
    # The module imports kraken.lib.util, which imports this one.
    module = importlib.import_module("kraken.binarization")
    binarised: Image.Image = module.nlbin(im)
    return binarised


def dummy(x: _T) -> _T:
    """The argument."""
    return x


def pil_dewarp(im: Image.Image, lnorm: CenterNormalizer) -> Image.Image:
    """The line straightened and scaled to the normaliser's height, in mode ``F``."""
    return dewarp(lnorm, im)


def pil_float_to_grey(im: Image.Image) -> Image.Image:
    """An ``F`` image of 0…255 as ``L``: limited to that range and truncated."""
    return im.convert("L")


def pil_fixed_resize(im: Image.Image, scale: tuple[int, int]) -> Image.Image:
    """The image scaled to (height, width); one of them may be 0 to keep the proportions.

    Raises:
        ValueError: If a side of the result had no pixels.
    """
    height, width = scale
    if height == 0 and width == 0:
        return im
    if width == 0:
        width = int(im.width * height / im.height)
    elif height == 0:
        height = int(im.height * width / im.width)
    return im.resize((width, height), Image.Resampling.LANCZOS)


def pil_pad(im: Image.Image, padding: tuple[int, int, int, int], fill: int = 255) -> Image.Image:
    """The image with a border of (left, top, right, bottom) pixels of ``fill`` in all channels."""
    left, top, right, bottom = padding
    bands = len(im.getbands())
    colour = fill if bands == 1 else (fill,) * bands
    padded = Image.new(im.mode, (im.width + left + right, im.height + top + bottom), colour)
    padded.paste(im, (left, top))
    return padded


def tensor_invert(t: Tensor) -> Tensor:
    """The maximum of the whole tensor minus each value."""
    return t.max() - t


def tensor_permute(t: Tensor, perm: Sequence[int]) -> Tensor:
    """The tensor with its axes in another order."""
    return t.permute(*perm)


def text_normalize(text: str, normalization: Any) -> str:
    """The text in a Unicode normalization form (``NFC``, ``NFD``, ``NFKC``, ``NFKD``)."""
    return unicodedata.normalize(normalization, text)


def text_whitespace_normalize(text: str) -> str:
    """The text with a plain space for each white-space character and none at its ends."""
    return text.translate(_WHITE_SPACE).strip()


def text_reorder(text: str, base_dir: str | None = None) -> str:
    """The text in display order (:func:`kraken.lib.bidi.get_display`)."""
    return get_display(text, base_dir)


def default_split(path: _PathT) -> _PathT:
    """The path without any suffix: ``a.b.png`` becomes ``a``."""
    name = os.fspath(path)
    while True:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - paths may be plain strings
        if not suffix:
            return type(path)(name)
        name = stem


def suffix_split(path: _PathT, split: Callable[[_PathT], Any], suffix: str) -> _PathT:
    """The path with its suffixes (as ``split`` finds them) replaced by ``suffix``."""
    return type(path)(f"{split(path)}{suffix}")
