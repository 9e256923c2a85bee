"""Lines of black and white pages as boxes, by image processing alone (spec chapter legacy §2).

T. Breuel's method: the edges of lines are where blurred ink begins and ends, columns are
separated by white space that runs along edges of text, and components belong to the line between
whose edges they lie.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kraken._rust import image as _image
from kraken._rust import seg as _seg
from kraken.containers import BBoxLine, Segmentation
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.image_modes import to_grey
from kraken.lib.segmentation import reading_order
from kraken.lib.util import get_im_str, is_bitonal

__all__ = ["segment"]

logger = logging.getLogger("kraken.pageseg")

Mask = NDArray[np.uint8]
Grey = NDArray[np.float64]
Box = tuple[int, int, int, int]

_DIRECTIONS = ("vertical-lr", "vertical-rl")
#: Quarter turns that make lines of a direction horizontal.
_TURNS = {"vertical-lr": 3, "vertical-rl": 1}
#: Pixels of the page per white component; more of them are noise or a picture.
_PIXELS_PER_HOLE = 900


def segment(
    im: Image.Image,
    text_direction: str = "horizontal-lr",
    scale: float | None = None,
    maxcolseps: int = 2,
    black_colseps: bool = False,
    no_hlines: bool = True,
    pad: int | Sequence[int] = 0,
    mask: Image.Image | NDArray[Any] | None = None,
    reading_order_fn: Callable[[Sequence[BBoxLine], Literal["lr", "rl"]], Sequence[int]] = reading_order,
) -> Segmentation:
    """Finds the lines of a page in black and white.

    Args:
        im: Image of mode ``1`` or of two colours; the darker one is ink.
        text_direction: ``horizontal-lr``, ``horizontal-rl``, ``vertical-lr`` or ``vertical-rl``.
        scale: Size of the script in pixels, ``None`` to estimate it.
        maxcolseps: Column separators to look for at most; 0 for none.
        black_colseps: Look for black lines between columns too.
        no_hlines: Ignore long horizontal lines.
        pad: Pixels by which boxes are extended at their start and end, or a pair of them.
        mask: Image of two values of the page's size: areas of the lower one are ignored and separate
            columns, and no others are looked for.
        reading_order_fn: Called with the lines and ``lr`` or ``rl``, gives their indices in order.

    Returns:
        Lines of kind ``bbox`` in reading order. None for a blank page or one with too many
        components for text, with a warning in the log.

    Raises:
        KrakenInputException: The image or mask isn't bi-level, the mask has another size, or the
            text direction is unknown.
        ValueError: Another argument is out of range.
    """
    name = get_im_str(im)
    if im.mode != "1" and not is_bitonal(im):
        raise KrakenInputException(f"Image {name} is not bi-level")
    if not text_direction.startswith("horizontal") and text_direction not in _DIRECTIONS:
        raise KrakenInputException(f"Invalid text direction {text_direction}")
    if scale is not None and not 1 <= scale <= 1000:
        raise ValueError(f"scale is {scale!r} but must be None or between 1 and 1000 pixels")
    if maxcolseps < 0:
        raise ValueError(f"maxcolseps is {maxcolseps!r} but must not be negative")
    before, after = (pad, pad) if isinstance(pad, int) else map(int, pad)
    turns = _TURNS.get(text_direction, 0)
    grey = np.asarray(to_grey(im))
    allowed = None if mask is None else np.rot90(_allowed(mask, im), turns)
    ink = np.ascontiguousarray(np.rot90(_ink(grey), turns))
    boxes = _find_lines(ink, scale, maxcolseps, black_colseps, no_hlines, allowed, name)
    lines = [BBoxLine(id=f"_{uuid.uuid4()}", bbox=box) for box in boxes]
    direction: Literal["lr", "rl"] = "rl" if text_direction.endswith("rl") else "lr"
    order = reading_order_fn(lines, direction) if lines else []
    lines = [lines[i] for i in order]
    width = ink.shape[1]
    for line in lines:
        x0, y0, x1, y1 = line.bbox or (0, 0, 0, 0)
        padded = (max(0, x0 - before), y0, min(width, x1 + after), y1)
        line.bbox = _turned_back(padded, text_direction, im.size)
        line.text_direction = text_direction  # type: ignore[assignment]
    return Segmentation(
        type="bbox",
        imagename=getattr(im, "filename", None),  # type: ignore[arg-type]
        text_direction=text_direction,  # type: ignore[arg-type]
        script_detection=False,
        lines=lines,
        regions={},
        line_orders=[],
    )


def _ink(grey: NDArray[np.uint8]) -> Mask:
    """1 where pixels are dark."""
    if not grey.size or grey.min() == grey.max():
        return np.zeros(grey.shape, np.uint8)
    middle = (int(grey.min()) + int(grey.max())) / 2
    return (grey <= middle).astype(np.uint8)


def _allowed(mask: Image.Image | NDArray[Any], im: Image.Image) -> NDArray[np.bool_]:
    """Where a mask is of its higher value."""
    image = mask if isinstance(mask, Image.Image) else Image.fromarray(np.asarray(mask))
    if image.mode != "1" and not is_bitonal(image):
        raise KrakenInputException("Mask is not bi-level")
    if image.size != im.size:
        raise KrakenInputException(f"Mask has {image.size} pixels, but the image {im.size}")
    values = np.asarray(to_grey(image))
    return values > values.min() if values.min() < values.max() else values > 0


def _turned_back(box: Box, text_direction: str, size: tuple[int, int]) -> Box:
    """Box of the turned page as one of the page itself."""
    x0, y0, x1, y1 = box
    width, height = size
    if text_direction == "vertical-lr":
        return y0, height - x1, y1, height - x0
    if text_direction == "vertical-rl":
        return width - y1, x0, width - y0, x1
    return box


def _find_lines(
    ink: Mask,
    scale: float | None,
    maxcolseps: int,
    black_colseps: bool,
    no_hlines: bool,
    allowed: NDArray[np.bool_] | None,
    name: str,
) -> list[Box]:
    """Boxes of lines of a page whose lines are horizontal, in no order."""
    if allowed is not None:
        ink = (ink * allowed).astype(np.uint8)
    if not ink.any():
        logger.warning("Image %s is blank", name)
        return []
    if len(_seg.component_boxes(1 - ink)) > ink.size / _PIXELS_PER_HOLE:
        logger.warning("Too many connected components for a page image: %s", name)
        return []
    size = scale if scale is not None else _seg.script_size(ink)
    if size is None:
        logger.warning("Image %s has no components of the size of characters", name)
        return []
    if no_hlines:
        ink = ink - _seg.longest_components(ink, 1, 10 * size, ink.size)
    separators = np.zeros_like(ink)
    if allowed is not None:
        separators = (~allowed).astype(np.uint8)
    elif maxcolseps > 0:
        separators = _white_separators(ink, size, maxcolseps)
        if black_colseps:
            black = _black_separators(ink, size, maxcolseps)
            separators, ink = separators | black, ink & (1 - black)
    boxmap = _seg.filled_boxes(ink, 0.5 * size, 4 * size)
    bottom, top = _edges(boxmap & ink, size)
    seeds = _seeds(bottom, top, separators, size)
    found = _seg.grow_lines(seeds, boxmap, ink, size)
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in found if x1 - x0 >= 2 * size and y1 - y0 >= size]


def _window(*sides: float) -> tuple[int, int]:
    """Sizes of a filter, truncated, of a pixel at least."""
    rows, columns = (max(1, int(side)) for side in sides)
    return rows, columns


def _masked_maximum(mask: Mask, *sides: float) -> Mask:
    found: Mask = _image.maximum_filter(mask.astype(np.float64), _window(*sides)).astype(np.uint8)
    return found


def _white_separators(ink: Mask, size: float, most: int) -> Mask:
    """Strips without ink along the left edges of text."""
    page = ink.astype(np.float64)
    sigmas = (size, size / 2)
    blurred = _image.uniform_filter(_image.gaussian_filter(page, sigmas), _window(5 * size, 1))
    white = blurred < 0.1 * blurred.max()
    slopes = _image.gaussian_filter(page, sigmas, (0, 1))
    slopes = _image.uniform_filter(slopes, _window(10 * size, 1))
    edges = (slopes > 0.5 * slopes.max()).astype(np.uint8)
    found = (white & (_masked_maximum(edges, size, 5 * size) > 0)).astype(np.uint8)
    found = _masked_maximum(found, 2 * size, 1)
    return _seg.longest_components(found, 0, 10 * size, most)


def _black_separators(ink: Mask, size: float, most: int) -> Mask:
    """Vertical black lines.

    They are widened by as many pixels as columns are looked for, and at most two are found,
    as in the engine that this function is compatible with.
    """
    widened, found = most, 2
    tall, wide = _window(max(5, size / 4), int(max(5, size)) + widened)
    thick = _image.maximum_filter(ink.astype(np.float64), (tall, wide))
    # Opening: what a vertical strip of this length fits into.
    length = _window(10 * size, 1)
    lines = _image.maximum_filter(_image.minimum_filter(thick, length), length)
    lines = _image.minimum_filter(lines, _window(tall // 2, widened))
    mask = _seg.longest_components(lines.astype(np.uint8), 1, 3, 2 * found)
    return _seg.longest_components(mask, 0, 20 * size, found)


def _edges(ink: Mask, size: float) -> tuple[Grey, Grey]:
    """Strength of lower and upper edges of lines, each at most 1."""
    page = ink.astype(np.float64)
    slopes = _image.gaussian_filter(page, (max(4.0, 0.3 * size), size), (1, 0))
    slopes = _image.uniform_filter(slopes, _window(1, 6 * size))
    bottom, top = np.maximum(-slopes, 0), np.maximum(slopes, 0)
    return bottom / (bottom.max() or 1), top / (top.max() or 1)


def _seeds(bottom: Grey, top: Grey, separators: Mask, size: float) -> Mask:
    """The middles of lines."""

    def marks(edges: Grey, least: float) -> Mask:
        peaks = edges == _image.maximum_filter(edges, _window(size, 1))
        near = _masked_maximum(peaks.astype(np.uint8), 2, 2)
        found: Mask = near * (edges > least * edges.max()) * (1 - separators)
        return found.astype(np.uint8)

    lower = marks(bottom, 0.04)
    upper = _masked_maximum(marks(top, 0.02), 1, 20)
    seeds = _seg.line_seeds(lower, upper, max(3, int(size / 2)), 5 * size)
    return _masked_maximum(seeds, 1, 1 + size) * (1 - separators)
