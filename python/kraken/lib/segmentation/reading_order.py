"""Reading order of lines: by rules over boxes, by a network over pairs, and the sort behind both."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from kraken._rust import seg as _seg

if TYPE_CHECKING:
    import torch

__all__ = [
    "column_reading_order",
    "is_in_region",
    "line_regions",
    "neural_reading_order",
    "polygonal_reading_order",
    "reading_order",
    "topsort",
]

logger = logging.getLogger("kraken")

Point = tuple[float, float]

# Machine epsilon of float32, by which a probability of 0 is kept from a logarithm of minus infinity.
_EPSILON = np.finfo(np.float32).eps

# Pairs of elements that the network sees at once.
_PAIRS = 1 << 16


class _BoxLine(Protocol):
    id: str
    bbox: Any


class _PolyLine(Protocol):
    id: str
    baseline: Any


class _Region(Protocol):
    id: str
    boundary: Any


def _points(points: Any) -> list[Point]:
    """Points of a sequence or array as pairs of floats; none for None."""
    if points is None:
        return []
    array = np.asarray(points, dtype=float)
    if array.size == 0:
        return []
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"{points!r:.80} isn't a sequence of points (x, y)")
    return [(x, y) for x, y in array[:, :2].tolist()]


def _direction(text_direction: str, mirrored: bool) -> str:
    if text_direction != "rl":
        return "lr"
    return "mirrored" if mirrored else "rl"


def topsort(order: npt.ArrayLike) -> list[int]:
    """Sorts indices by a partial order.

    Indices are visited in ascending order; visiting one first visits its predecessors that haven't been
    visited, in ascending order, and then appends it. Cycles are broken by that rule. Without recursion.

    Args:
        order: Square matrix, true at ``[i, j]`` if i comes before j.

    Returns:
        The indices in order.

    Raises:
        ValueError: The matrix isn't square.
    """
    matrix = np.asarray(order)
    if matrix.size == 0:
        return []
    if matrix.ndim != 2:
        raise ValueError(f"order has the shape {matrix.shape}; a square matrix is needed")
    return _seg.topsort(matrix.astype(np.bool_))


def reading_order(
    lines: Sequence[_BoxLine],
    text_direction: str = "lr",
    regions: Sequence[_Region] | None = None,
    *,
    mirrored: bool = False,
) -> list[int]:
    """Orders lines by their bounding boxes.

    Boxes that overlap in x are read from top to bottom, boxes side by side in the direction of the text
    unless a third box lies between them (a generalisation of Breuel 2003).

    Args:
        lines: Lines with an attribute ``bbox``: (x0, y0, x1, y1).
        text_direction: ``'rl'`` for text from right to left; everything else is from left to right.
        regions: Ignored; accepted so that all ordering functions can be called alike.
        mirrored: Order right-to-left text as left-to-right text in the mirror, which keeps columns
            together. By default the older rule for such text holds, which reads columns row by row.

    Returns:
        Indices into `lines`, each once.

    Raises:
        ValueError: A line has no usable box.
    """
    return _seg.order_boxes(_boxes(lines), _direction(text_direction, mirrored))


def _boxes(lines: Sequence[Any]) -> list[tuple[float, float, float, float]]:
    """Boxes of lines, checked."""
    boxes = []
    for line in lines:
        box = getattr(line, "bbox", None)
        try:
            x0, y0, x1, y1 = (float(v) for v in cast("Iterable[Any]", box))
        except (TypeError, ValueError):
            raise ValueError(
                f"Line {getattr(line, 'id', None)} has no bounding box (x0, y0, x1, y1) but {box!r}."
            ) from None
        if not np.isfinite([x0, y0, x1, y1]).all():
            raise ValueError(f"The bounding box {box!r} of line {getattr(line, 'id', None)} isn't finite.")
        boxes.append((x0, y0, x1, y1))
    return boxes


def polygonal_reading_order(
    lines: Sequence[_PolyLine],
    text_direction: str = "lr",
    regions: Sequence[_Region] | None = None,
    *,
    mirrored: bool = False,
) -> list[int]:
    """Orders lines by the bounding boxes of their baselines, region by region.

    A line belongs to the first region that contains the middle of its baseline. Lines of a region are
    ordered among themselves by the rules of :func:`reading_order`; then regions and remaining lines are
    ordered among each other by the same rules.

    Args:
        lines: Lines with an attribute ``baseline``.
        text_direction: ``'rl'`` for text from right to left; everything else is from left to right.
        regions: Regions (anything with an attribute ``boundary``), their outlines as sequences of points, or
            polygon objects. One with fewer than three points is ignored with
            a warning.
        mirrored: See :func:`reading_order`.

    Returns:
        Indices into `lines`, each once.

    Raises:
        ValueError: A line has no usable baseline.
    """
    outlines = [outline for outline, _ in _areas(regions)]
    return _seg.order_lines(_baselines(lines), outlines, _direction(text_direction, mirrored))


def _baselines(lines: Sequence[Any]) -> list[list[Point]]:
    """Baselines of lines, checked."""
    baselines = []
    for line in lines:
        try:
            points = _points(getattr(line, "baseline", None))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The baseline of line {getattr(line, 'id', None)} is unusable: {error}"
            ) from error
        if not points or not all(map(math.isfinite, chain.from_iterable(points))):
            what = "isn't finite" if points else "is missing"
            raise ValueError(f"The baseline of line {getattr(line, 'id', None)} {what}.")
        baselines.append(points)
    return baselines


def _areas(regions: Sequence[Any] | None) -> list[tuple[list[Point], bool]]:
    """Outlines of usable regions, and whether they are tables; warns about the others."""
    areas = []
    for region in regions or []:
        outline = _outline(region)
        if len(outline) < 3 or not np.isfinite(outline).all():
            logger.warning(
                "Region %s has no outline of 3 or more points and is ignored.", getattr(region, "id", None)
            )
            continue
        areas.append((outline, "table" in _type_of(region).lower()))
    return areas


def column_reading_order(
    lines: Sequence[Any],
    text_direction: str = "lr",
    regions: Sequence[_Region] | None = None,
    *,
    vertical: bool | None = None,
) -> list[int]:
    """Orders lines column by column, whatever the direction of the text.

    The page is cut along the white space between columns, recursively. Lines that cross a gutter, as
    headings do, are read between what is above and what is below them; running heads and page numbers that
    stand apart come first and last; notes in the margin before a column follow the column. Regions whose
    type contains "table" are read row by row, as are columns whose rows are level and whose cells are of
    unequal width or leave much white space. Lines of a region stay together; a line belongs to the first
    region that contains its middle. Pages slightly askew are straightened first.

    Can take the place of :func:`reading_order` and :func:`polygonal_reading_order` in a
    :class:`kraken.configs.SegmentationInferenceConfig` (``baseline_ro_fn``, ``bbox_ro_fn``).

    Args:
        lines: Lines with an attribute ``baseline`` or, all of them, ``bbox``.
        text_direction: ``'lr'`` or ``'rl'``: the order of columns of horizontal text, and that of lines of
            vertical text; or one of ``'horizontal-lr'``, ``'horizontal-rl'``, ``'vertical-lr'``,
            ``'vertical-rl'``.
        regions: See :func:`polygonal_reading_order`.
        vertical: Whether the text is vertical; said by the longer names of `text_direction` too, else found
            from the lines: in all, they run farther down than across.

    Returns:
        Indices into `lines`, each once.

    Raises:
        ValueError: A line has no usable baseline or box, or `text_direction` isn't known.
    """
    orientation, _, order = text_direction.rpartition("-")
    if order not in ("lr", "rl") or orientation not in ("", "horizontal", "vertical"):
        raise ValueError(
            f"text_direction is {text_direction!r}, must be lr or rl, or horizontal- or vertical-lr"
        )
    boxes = bool(lines) and all(getattr(line, "baseline", None) is None for line in lines)
    found = [[(b[0], b[1]), (b[2], b[3])] for b in _boxes(lines)] if boxes else _baselines(lines)
    if orientation:
        vertical = orientation == "vertical"
    elif vertical is None:
        vertical = sum(_down_minus_across(points) for points in found) > 0
    areas = _areas(regions)
    return _seg.order_columns(
        found,
        [outline for outline, _ in areas],
        [table for _, table in areas],
        f"{'vertical' if vertical else 'horizontal'}-{order}",
        boxes,
    )


def _down_minus_across(points: Sequence[Point]) -> float:
    """How much farther a line runs down than across."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return abs(y1 - y0) - abs(x1 - x0)


def _outline(region: Any) -> list[Point]:
    """Outline of a region, given as such, as points or as a geometry object."""
    if hasattr(region, "geom_type") or not hasattr(region, "boundary"):
        return _shape(region)[0]
    return _points(region.boundary)


def _shape(geometry: Any) -> tuple[list[Point], bool]:
    """Points of a sequence or of a geometry object, and whether they are a polygon's."""
    if getattr(geometry, "geom_type", None) == "Polygon":
        return _points(list(geometry.exterior.coords)), True
    if hasattr(geometry, "geom_type"):
        return _points(list(geometry.coords)), geometry.geom_type == "LinearRing"
    return _points(geometry), False


def is_in_region(line: Any, region: Any) -> bool:
    """Whether the middle of a line lies inside a region; its edge doesn't count.

    Args:
        line: Sequence of points, or a geometry object (``geom_type`` and ``coords``, as shapely's have).
            The middle is the point at half its length, for polygons the centroid.
        region: Sequence of points or a polygon object.

    Raises:
        ValueError: `line` or `region` has no points.
    """
    points, is_polygon = _shape(line)
    outline, _ = _shape(region)
    middle = _seg.polygon_centroid(points) if is_polygon else _seg.line_middle(points)
    if middle is None or not outline:
        raise ValueError(f"{'line' if middle is None else 'region'} has no points")
    holes = (_points(list(hole.coords)) for hole in getattr(region, "interiors", ()))
    return _seg.strictly_contains(outline, middle) and not any(_touches(hole, middle) for hole in holes)


def _touches(ring: list[Point], point: Sequence[float]) -> bool:
    """Whether a point lies inside a ring or on it."""
    if _seg.strictly_contains(ring, point):
        return True
    x, y = point
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        level = min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)
        if level and abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) < 1e-10:
            return True
    return False


def line_regions(line: Any, regions: Iterable[Any]) -> list[Any]:
    """Those of `regions` that contain the middle of `line` (see :func:`is_in_region`)."""
    return [region for region in regions if is_in_region(line, region)]


def _type_of(element: Any) -> str:
    """First type in an element's tags."""
    types = (getattr(element, "tags", None) or {}).get("type")
    if isinstance(types, str):
        return types
    if isinstance(types, Sequence) and types and isinstance(types[0], Mapping):
        return str(types[0].get("type", "default"))
    return "default"


def _features(
    elements: Sequence[Any], im_size: tuple[int, int], class_mapping: Mapping[str, int]
) -> npt.NDArray[np.float32]:
    """One row per element: its class one-hot, then centre, start and end relative to the page."""
    classes = max([0, *class_mapping.values()]) + 1
    features = np.zeros((len(elements), classes + 6), dtype=np.float32)
    for row, element in zip(features, elements, strict=True):
        baseline, boundary = getattr(element, "baseline", None), getattr(element, "boundary", None)
        if baseline is not None and len(baseline):
            points = np.asarray(baseline, dtype=float)
            start, end = points[0], points[-1]
        elif boundary is not None and len(boundary):
            points = np.asarray(boundary, dtype=float)
            start, end = points.min(axis=0), points.max(axis=0)
        else:
            raise ValueError("Neural reading order only supports baselines or regions with polygons.")
        index = class_mapping.get(_type_of(element), 0)
        row[index if 0 <= index < classes else 0] = 1
        row[classes:] = np.concatenate([points.mean(axis=0), start, end]) / np.tile(im_size, 3)
    return features


def decode_order(probabilities: npt.NDArray[np.float32]) -> list[int]:
    """Takes, again and again, the element that most probably precedes all others that are left."""
    n = len(probabilities)
    a = probabilities + _EPSILON
    a = (a + (1 - a).T) / 2
    np.fill_diagonal(a, _EPSILON)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(a)
    np.fill_diagonal(logs, 0)
    left = np.ones(n, dtype=bool)
    path = []
    for _ in range(n):
        sums = np.where(left, np.nan_to_num(logs.sum(axis=1), nan=-np.inf), -np.inf)
        best = int(np.argmax(sums)) if np.isfinite(sums).any() else int(np.argmax(left))
        path.append(best)
        left[best] = False
        logs[best, :] = logs[:, best]
        logs[:, best] = 0
    return path


def neural_reading_order(
    lines: Sequence[Any],
    text_direction: str = "lr",
    regions: Sequence[_Region] | None = None,
    im_size: tuple[int, int] | None = None,
    model: torch.nn.Module | None = None,
    class_mapping: Mapping[str, int] | None = None,
) -> torch.Tensor | None:
    """Orders lines or regions by a network that compares pairs (Quirós & Vidal 2022).

    Args:
        lines: Elements with an attribute ``baseline`` or, without one, ``boundary``, and ``tags``.
        text_direction: Unused: the network knows the direction.
        regions: Unused.
        im_size: (width, height) of the page.
        model: Network from rows of two elements' features to the logit of the first one's precedence.
        class_mapping: Index of each type in the features; unknown types have index 0.

    Returns:
        1-D integer tensor with the indices of all `lines` in order; None without lines.

    Raises:
        ValueError: No `im_size` or `model`, or an element without baseline and boundary.
    """
    # Function-level: this module is also used by programs that never load a network.
    import torch

    n = len(lines)
    if n == 0:
        return None
    if n == 1:
        return torch.tensor([0])
    if im_size is None or min(im_size) <= 0:
        raise ValueError(f"im_size must be the (width, height) of the page, not {im_size!r}.")
    if model is None:
        raise ValueError("Neural reading order needs a model.")
    features = torch.from_numpy(_features(lines, im_size, class_mapping or {}))
    probabilities = np.zeros((n, n), dtype=np.float32)
    step = max(1, _PAIRS // n)
    with torch.inference_mode():
        parameter = next(iter(model.parameters()), features)
        features = features.to(device=parameter.device, dtype=parameter.dtype)
        for first in range(0, n, step):
            rows = torch.arange(first, min(first + step, n))
            i, j = rows.repeat_interleave(n), torch.arange(n).repeat(len(rows))
            i, j = i[i != j], j[i != j]
            logits = model(torch.cat([features[i], features[j]], dim=1)).reshape(-1)
            probabilities[i.numpy(), j.numpy()] = torch.sigmoid(logits).float().cpu().numpy()
    return torch.tensor(decode_order(probabilities), dtype=torch.long)
