"""Line images: what recognition sees of a page (spec chapter geometry §5)."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageMode

from kraken._rust import image as _image
from kraken._rust import seg as _seg
from kraken.lib.image_modes import to_mode8

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kraken.containers import BaselineLine, BBoxLine, Segmentation

__all__ = [
    "apply_polygonal_mask",
    "extract_line_arrays",
    "extract_line_pngs",
    "extract_lines",
    "extract_polygons",
    "make_polygonal_mask",
]

logger = logging.getLogger("kraken")

#: Modes whose values name entries of a table: there is nothing between two of them.
_INDEXED = frozenset({"P", "PA"})
#: Modes whose last channel is opacity.
_WITH_ALPHA = frozenset({"LA", "RGBA", "PA"})
#: Modes of the legacy method; all others become grey.
_LEGACY_MODES = frozenset({"L", "LA", "RGB", "RGBA"})


def make_polygonal_mask(
    polygon: NDArray[Any] | Sequence[Sequence[float]], shape: tuple[int, int]
) -> Image.Image:
    """Mask of a polygon: 255 inside and on its outline, 0 outside.

    Args:
        polygon: Points (x, y) in pixels, N×2. Coordinates are truncated; rings that
            cross themselves are filled by the even-odd rule.
        shape: Width and height of the mask in pixels.

    Returns:
        An image of mode ``L``.

    Raises:
        ValueError: If the polygon isn't a sequence of pairs or the size is negative.
    """
    width, height = shape
    if width < 0 or height < 0:
        raise ValueError(f"A mask can't have the size {width}×{height}.")
    return Image.fromarray(_image.polygon_mask(_points(polygon, "polygon"), width, height))


def apply_polygonal_mask(
    img: Image.Image, polygon: NDArray[Any] | Sequence[Sequence[float]], cval: int = 0
) -> Image.Image:
    """Copy of an image in which everything outside of a polygon is ``cval``.

    Args:
        img: Image of any mode; it isn't changed.
        polygon: Points (x, y) in pixels, N×2.
        cval: Value of the masked pixels, in every channel.
    """
    mask = make_polygonal_mask(polygon, img.size)
    bands = len(img.getbands())
    masked = Image.new(img.mode, img.size, cval if bands == 1 else (cval,) * bands)
    if img.mode in _INDEXED:
        palette = img.palette
        if palette is not None:
            masked.putpalette(palette)
    masked.paste(img, mask=mask)
    return masked


def extract_polygons(
    im: Image.Image, bounds: Segmentation, legacy: bool = False
) -> Generator[tuple[Image.Image, BBoxLine | BaselineLine], None, None]:
    """Yields the image of each line of a segmentation.

    Pixels outside of a line's polygon are 0. Baselines are made straight and
    horizontal, running to the right; bounding boxes of vertical text are turned by
    90° counter-clockwise. Only what the next line needs is read from the page.

    Args:
        im: The page; it isn't changed.
        bounds: Lines of type ``baselines`` or ``bbox``.
        legacy: Use the method that models before release 5 were trained with.

    Yields:
        Line image and line, in the order of ``bounds.lines``. Bitonal pages give
        images of mode ``L`` for baselines; all other modes are kept (the legacy
        method gives ``L``, ``LA``, ``RGB`` or ``RGBA``).

    Raises:
        ValueError: If a line has no polygon, is shorter than 5 px or leaves the
            page. It is raised when that line is asked for and names its id.
    """
    _check_type(bounds.type)
    if bounds.type == "bbox":
        for box in bounds.lines or []:
            yield _crop_box(im, box, bounds.text_direction), box
        return
    page = _prepare(im, legacy)
    # Legacy pages aren't indexed any more.
    nearest = im.mode == "1" or _is_nearest(page)
    for line in bounds.lines or []:
        try:
            yield _extract_baseline(page, line, legacy, nearest), line
        except ValueError as error:
            raise _named(error, line) from error


def extract_lines(
    im: Image.Image,
    lines: Sequence[BBoxLine | BaselineLine],
    *,
    type: str = "baselines",
    text_direction: str = "horizontal-lr",
    legacy: bool = False,
    num_threads: int = 0,
) -> list[NDArray[np.uint8] | str]:
    """Images of many lines at once, cut by native threads that share the page.

    The pixels equal those of :func:`extract_polygons` for pages of mode ``L`` and
    ``RGB``; pages of other modes are reduced to ``L`` or ``RGB`` first
    (:func:`kraken.lib.image_modes.to_mode8`). A faulty line doesn't cost the others.

    Args:
        im: The page; it isn't changed.
        lines: Lines as in a segmentation.
        type: Type of the segmentation, ``baselines`` or ``bbox``.
        text_direction: Direction of the segmentation; vertical boxes are turned.
        legacy: See :func:`extract_polygons`.
        num_threads: Threads to use, 0 for all of the machine's.

    Returns:
        Per line, in order, its H×W (grey) or H×W×3 (colour) array, or the reason why
        there is none.

    Raises:
        ValueError: For another type.
    """
    _check_type(type)
    page = to_mode8(im)
    if type == "bbox":
        return [_try_box(page, line, text_direction) for line in lines]
    results, todo, geometries = _geometries(lines)
    found = _seg.extract_lines(
        _pixels(page), geometries, nearest=im.mode == "1", legacy=legacy, num_threads=num_threads
    )
    return _filled_in(results, todo, found, lines)


def extract_line_pngs(
    im: Image.Image,
    lines: Sequence[BaselineLine],
    *,
    legacy: bool = False,
    num_threads: int = 0,
) -> list[tuple[bytes, str]]:
    """Images of many lines as PNG files, made by native threads.

    The pixels are those of :func:`extract_lines`. A faulty line doesn't cost the others.

    Args:
        im: The page; it isn't changed.
        lines: Lines with baselines.
        legacy: See :func:`extract_polygons`.
        num_threads: Threads to use, 0 for all of the machine's.

    Returns:
        Per line, in order, its file and an empty text, or no bytes and the reason why there is none.
    """
    results, todo, geometries = _geometries(lines)
    found = _seg.extract_line_pngs(
        _pixels(to_mode8(im)), geometries, nearest=im.mode == "1", legacy=legacy, num_threads=num_threads
    )
    filled = _filled_in(results, todo, found, lines)
    return [(b"", result) if isinstance(result, str) else (result, "") for result in filled]


def extract_line_arrays(
    im: Image.Image,
    lines: Sequence[BaselineLine],
    *,
    height: int,
    channels: int = 1,
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    legacy: bool = False,
    num_threads: int = 0,
) -> list[tuple[NDArray[np.float32], int] | str]:
    """Lines of a page as inputs of a recognition network, made by native threads.

    Each equals what :func:`extract_lines` and
    :class:`kraken.lib.dataset.ImageInputTransforms` without centre normalisation
    and binarisation make of the line: cut out, turned grey or coloured, scaled to one
    height with Pillow's Lanczos filter, surrounded by white, divided by 255 and
    subtracted from its maximum. A faulty line doesn't cost the others.

    Args:
        im: The page in any mode; it isn't changed.
        lines: Lines with baselines.
        height: Height in pixels that lines are scaled to; widths keep the proportions.
        channels: 1 for grey, 3 for colour.
        padding: White border in pixels: left, top, right, bottom.
        legacy: See :func:`extract_polygons`.
        num_threads: Threads to use, 0 for all of the machine's.

    Returns:
        Per line, in order, its array (channels, height, width) with the border and the
        width in pixels that the line had on the page, or the reason why there is none.

    Raises:
        ValueError: If `height` is less than 1, `padding` negative or `channels` neither 1 nor 3.
    """
    if height < 1 or channels not in (1, 3) or len(padding) != 4 or min(padding) < 0:
        raise ValueError(
            f"Lines can't have the height {height}, {channels} channels and the padding {padding}: needed "
            "are a height of at least 1, 1 or 3 channels, and four widths of at least 0"
        )
    results: list[tuple[NDArray[np.float32], int] | str]
    results, todo, geometries = _geometries(lines)
    found = _seg.extract_line_arrays(
        _pixels(to_mode8(im)),
        geometries,
        height=height,
        channels=channels,
        padding=padding,
        nearest=im.mode == "1",
        legacy=legacy,
        num_threads=num_threads,
    )
    return _filled_in(results, todo, found, lines)


def _geometries(lines: Sequence[Any]) -> tuple[list[Any], list[int], list[Any]]:
    """A list with the reasons why lines have no geometry; indices and geometries of those that have one."""
    results: list[Any] = [""] * len(lines)
    todo, geometries = [], []
    for i, line in enumerate(lines):
        try:
            geometries.append(_geometry(line))
            todo.append(i)
        except ValueError as error:
            results[i] = str(_named(error, line))
    return results, todo, geometries


def _filled_in(results: list[Any], todo: list[int], found: Sequence[Any], lines: Sequence[Any]) -> list[Any]:
    """``results`` with what was found for the lines with the indices ``todo``."""
    for i, result in zip(todo, found, strict=True):
        results[i] = str(_named(result, lines[i])) if isinstance(result, str) else result
    return results


def _try_box(page: Image.Image, line: Any, text_direction: str) -> NDArray[np.uint8] | str:
    """Pixels of a box, or what is wrong with it."""
    try:
        return _pixels(_crop_box(page, line, text_direction))
    except ValueError as error:
        return str(error)


def _check_type(kind: str) -> None:
    if kind not in ("baselines", "bbox"):
        raise ValueError(f'Segmentation type "{kind}" is neither "baselines" nor "bbox"')


def _named(error: ValueError | str, line: Any) -> ValueError:
    """The error with the id of the line at fault."""
    return ValueError(f"{error} (line {getattr(line, 'id', None)})")


def _is_nearest(im: Image.Image) -> bool:
    """Whether values between two pixels would be meaningless."""
    return im.mode == "1" or im.mode in _INDEXED


def _prepare(im: Image.Image, legacy: bool) -> Image.Image:
    """The page in a mode that lines are cut from."""
    if im.mode == "1":
        return im.convert("L")
    if not legacy or im.mode in _LEGACY_MODES:
        return im
    return to_mode8(im).convert("L")


def _points(value: Any, name: str) -> list[tuple[float, float]]:
    """Points as a list of pairs of floats."""
    try:
        return [(float(x), float(y)) for x, y in value]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not a sequence of points (x, y)") from error


def _geometry(line: Any) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Baseline and boundary of a line."""
    if line.boundary is None:
        raise ValueError("No boundary given for line")
    if line.baseline is None:
        raise ValueError("No baseline given for line")
    return _points(line.baseline, "baseline"), _points(line.boundary, "boundary")


def _extract_baseline(page: Image.Image, line: Any, legacy: bool, nearest: bool) -> Image.Image:
    """Image of one line; only its box of the page is made an array."""
    baseline, boundary = _geometry(line)
    patch = page.crop(_seg.check_line(baseline, boundary, page.size))
    pixels = _pixels(patch)
    dtype = pixels.dtype
    if dtype != np.uint8:
        pixels = pixels.astype(np.float32)
    image = _seg.extract_line(
        pixels,
        baseline,
        boundary,
        page.size,
        nearest=nearest,
        alpha=page.mode in _WITH_ALPHA,
        legacy=legacy,
    )
    return _to_image(image.astype(dtype, copy=False), page)


def _pixels(im: Image.Image) -> NDArray[Any]:
    """The pixels as an array in the machine's byte order."""
    pixels = np.ascontiguousarray(im)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _to_image(pixels: NDArray[Any], like: Image.Image) -> Image.Image:
    """An image of the mode (and palette) of ``like``."""
    size = (pixels.shape[1], pixels.shape[0])
    stored = pixels.astype(np.dtype(ImageMode.getmode(like.mode).typestr), copy=False)
    image = Image.frombytes(like.mode, size, stored.tobytes())
    palette = like.palette
    if like.mode in _INDEXED and palette is not None:
        image.putpalette(palette)
    if "transparency" in like.info:
        image.info["transparency"] = like.info["transparency"]
    return image


def _crop_box(im: Image.Image, line: Any, text_direction: str) -> Image.Image:
    """Crop of a bounding box, upright for vertical text."""
    if line.bbox is None:
        raise _named("No bounding box given for line", line)
    try:
        box = tuple(float(v) for v in line.bbox)
    except (TypeError, ValueError) as error:
        raise _named(f"Bounding box {line.bbox} is not made of numbers", line) from error
    if len(box) != 4 or not all(np.isfinite(box)):
        raise _named(f"Bounding box {line.bbox} is not made of four numbers", line)
    (x0, y0, x1, y1), (w, h) = box, im.size
    if (x0, y0) < (0, 0) or y0 < 0 or (x0, x1) >= (w, w) or (y0, y1) >= (h, h):
        logger.error("bbox %s is outside of image bounds %s", box, im.size)
        raise _named("Line outside of image bounds", line)
    if x1 <= x0 or y1 <= y0:
        raise _named(f"Bounding box {line.bbox} has no area", line)
    crop = im.crop((round(x0), round(y0), round(x1), round(y1)))
    if text_direction.startswith("vertical"):
        return crop.transpose(Image.Transpose.ROTATE_90)
    return crop
