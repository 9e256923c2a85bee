"""Polygons around baselines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kraken._rust import image as _image
from kraken._rust import seg as _seg
from kraken.lib.image_modes import to_grey

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["calculate_polygonal_environment", "edge_energy", "make_valid"]

logger = logging.getLogger("kraken")

#: Anything that holds pairs of numbers: nested sequences or an (n, 2) array.
Polyline = Sequence[Sequence[float]] | npt.NDArray[Any]
Ring = list[list[int]]


def edge_energy(im: Image.Image | npt.NDArray[np.uint8], *, num_threads: int = 1) -> npt.NDArray[np.float32]:
    """The feature map that polygons are fitted to: Sobel magnitude of the grey image, smoothed (σ 0.5).

    Args:
        im: An image of any mode or a grey array (H, W) of ``uint8``.
        num_threads: Threads to use; 0 for all of the machine's.

    Returns:
        Array (H, W), about 0 (flat) to 1 (the sharpest edges).

    Raises:
        ValueError: The array isn't two-dimensional and of ``uint8``.
    """
    grey = im if isinstance(im, np.ndarray) else np.asarray(to_grey(im))
    if grey.ndim != 2 or grey.dtype != np.uint8:
        raise ValueError(f"the image must be a (H, W) array of uint8, not {grey.shape} of {grey.dtype}")
    return _image.edge_energy(np.ascontiguousarray(grey), num_threads)


def make_valid(ring: Polyline, size: tuple[int, int]) -> Ring | None:
    """Makes any ring a simple one of whole pixels inside an image.

    Meant for rings that were scaled and truncated, which can make them cross
    or touch themselves or put them outside of the image.

    Args:
        ring: Points (x, y), closed or not; may cross itself and leave the image.
        size: Width and height of the image.

    Returns:
        A closed ring (first = last) inside ``0..width - 1 x 0..height - 1``. If
        the truncated ring is simple it keeps its points, else the largest part
        of its area is outlined to within about a pixel. ``None`` if it covers
        no area of the image.

    Raises:
        ValueError: ``ring`` doesn't hold pairs of numbers.
    """
    return _seg.make_valid(_points(ring, "ring"), size)


def calculate_polygonal_environment(
    im: Image.Image | None = None,
    baselines: Sequence[Polyline] | None = None,
    suppl_obj: Sequence[Polyline] | None = None,
    im_feats: npt.NDArray[Any] | None = None,
    scale: tuple[int, int] | None = None,
    topline: bool | None = False,
    raise_on_error: bool = False,
    *,
    line_suppl_obj: Sequence[Sequence[Polyline]] | None = None,
    num_threads: int = 1,
) -> list[Ring | None]:
    """Finds a polygon around each baseline of a page.

    On either side of a line the polygon follows a seam of least edge energy
    within the space that the other lines and ``suppl_obj`` leave (after Avidan
    & Shamir, "Seam carving for content-aware image resizing", 2007).

    Every polygon is a simple ring inside the image that contains the part of
    its baseline inside the image. Where no seam can be found it is a band, as
    high as the page's other lines, clipped to the image and to its neighbours;
    then a warning with the line's index is logged. Rotating page and lines
    rotates the polygons.

    Args:
        im: The page, in any mode.
        baselines: Polylines of points (x, y). All are obstacles to one another.
        suppl_obj: Further polylines that no polygon may cross.
        im_feats: Feature map (H, W), such as that of :func:`edge_energy`, used
            instead of ``im``.
        scale: Height and width to resize ``im`` to before the search; a 0
            keeps the aspect ratio, two zeros or ``None`` the size. Input and output
            coordinates are those of ``im`` all the same.
        topline: ``False`` if the lines run along the foot of the text, ``True``
            for its top, ``None`` for its centre.
        raise_on_error: Raise where otherwise a warning is logged.
        line_suppl_obj: For each baseline, polylines that bound only that one, on the
            side of its text (the outlines of its regions; below a baseline they would
            cut off descenders). With ``topline=None`` on both sides. The same object
            may be listed for many lines.
        num_threads: Threads to use; 0 for all of the machine's. Results
            don't depend on it.

    Returns:
        For each baseline a closed ring (first = last) of integer points
        ``[x, y]``. ``None`` only for lines without two distinct points, lines
        wholly outside of the image, and images less than 2 px wide or high.

    Raises:
        ValueError: There is neither ``im`` nor ``im_feats``; ``scale`` comes
            with ``im_feats`` only or is negative; arguments have the wrong shape or
            values that aren't finite; or, with ``raise_on_error``, no seam was found.
    """
    lines = [_points(line, f"baseline {i}") for i, line in enumerate(baselines or ())]
    common = [_points(line, f"suppl_obj {i}") for i, line in enumerate(suppl_obj or ())]
    special, per_line = _shared_obstacles(line_suppl_obj, len(lines))
    factors = _scale_factors(im, scale)
    if factors is None or im is None:
        energy = _features(im, im_feats, num_threads)
    else:
        width, height = round(im.width * factors[0]), round(im.height * factors[1])
        energy = edge_energy(to_grey(im).resize((width, height)), num_threads=num_threads)
        lines, common, special = (_scaled(group, factors) for group in (lines, common, special))
    found = _seg.polygonise(energy, lines, common, special, per_line, topline, num_threads)
    rings: list[Ring | None] = []
    for i, (ring, problem) in enumerate(found):
        if problem is not None:
            message = f"Polygonizer failed on line {i}: {problem}"
            if raise_on_error:
                raise ValueError(message)
            logger.warning(
                "%s; %s", message, "it has no polygon" if ring is None else "a band is used instead"
            )
        if ring is not None and factors is not None and im is not None:
            ring = _unscaled(ring, factors, im.size)
        rings.append(ring)
    return rings


def _points(line: Polyline | None, name: str) -> list[list[float]]:
    """Points as nested lists, which is what the kernels take."""
    try:
        points = np.asarray([] if line is None else line, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold pairs of numbers (x, y): {error}") from error
    if points.size == 0:
        return []
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"{name} must hold pairs of numbers (x, y), but has the shape {points.shape}")
    result: list[list[float]] = points.tolist()
    return result


def _shared_obstacles(
    line_suppl_obj: Sequence[Sequence[Polyline]] | None, count: int
) -> tuple[list[list[list[float]]], list[list[int]]]:
    """The distinct polylines in ``line_suppl_obj`` and for each line their indices."""
    if line_suppl_obj is None:
        return [], []
    if len(line_suppl_obj) != count:
        raise ValueError(f"line_suppl_obj has {len(line_suppl_obj)} entries for {count} baselines")
    # Identity tells polylines apart only while they exist.
    held = [list(own) for own in line_suppl_obj]
    position: dict[int, int] = {}
    polylines: list[list[list[float]]] = []
    per_line: list[list[int]] = []
    for i, own in enumerate(held):
        for polyline in own:
            if id(polyline) not in position:
                position[id(polyline)] = len(polylines)
                polylines.append(_points(polyline, f"line_suppl_obj of line {i}"))
        per_line.append([position[id(polyline)] for polyline in own])
    return polylines, per_line


def _features(
    im: Image.Image | None, im_feats: npt.NDArray[Any] | None, num_threads: int
) -> npt.NDArray[np.float32]:
    if im_feats is not None:
        if np.ndim(im_feats) != 2:
            raise ValueError(f"im_feats must have the shape (H, W), not {np.shape(im_feats)}")
        return np.ascontiguousarray(im_feats, dtype=np.float32)
    if im is None:
        raise ValueError("neither im nor im_feats is given: pass the page image or its feature map")
    return edge_energy(im, num_threads=num_threads)


def _scale_factors(im: Image.Image | None, scale: tuple[int, int] | None) -> tuple[float, float] | None:
    """Factors for x and y, or ``None`` if the page keeps its size."""
    if scale is None or tuple(scale) == (0, 0):
        return None
    if im is None:
        raise ValueError("scale needs the page image (im): a feature map (im_feats) can't be resized")
    height, width = scale
    if height < 0 or width < 0:
        raise ValueError(f"scale must hold a height and a width of at least 0, not {tuple(scale)}")
    y, x = height / im.height, width / im.width
    x, y = x or y, y or x
    # Whole pixels, and never none.
    return max(1, int(im.width * x)) / im.width, max(1, int(im.height * y)) / im.height


def _scaled(lines: list[list[list[float]]], factors: tuple[float, float]) -> list[list[list[float]]]:
    return [np.trunc(np.asarray(line) * factors).tolist() if line else [] for line in lines]


def _unscaled(ring: Ring, factors: tuple[float, float], size: tuple[int, int]) -> Ring | None:
    """The ring in coordinates of the page, valid there too."""
    points = np.asarray(ring) / factors
    valid = make_valid(points, size)
    if valid is None and min(size) >= 2:
        # Smaller than a pixel of the page: the pixel around it.
        limit = np.asarray(size) - 1
        low = np.clip(np.floor(points.min(axis=0)), 0, limit - 1).astype(int)
        high = np.clip(np.ceil(points.max(axis=0)), low + 1, limit).astype(int)
        (x0, y0), (x1, y1) = low.tolist(), high.tolist()
        valid = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
    return valid
