"""From a page image to lines and regions with a segmentation network.

Spec chapter segmentation §2 (image to heatmap) and §3 (heatmap to objects).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from kraken.containers import Region, Segmentation
from kraken.lib.exceptions import KrakenInputException, KrakenInvalidModelException
from kraken.lib.image_modes import to_grey, to_rgb
from kraken.lib.segmentation import (
    calculate_polygonal_environment,
    is_in_region,
    scale_regions,
    vectorize_lines,
    vectorize_regions,
)
from kraken.lib.segmentation.confidence import line_confidences, sure_lines
from kraken.lib.segmentation.polygons import edge_energy, make_valid
from kraken.lib.util import is_bitonal
from kraken.lib.vgsl.arrangement import FoundLine, arrange_lines, given_regions
from kraken.lib.vgsl.line_records import new_id, page_lines

if TYPE_CHECKING:
    from kraken.configs import SegmentationInferenceConfig
    from kraken.lib.vgsl.model import TorchVGSLModel

logger = logging.getLogger("kraken")

__all__ = ["Heatmap", "compute_heatmap", "predict_page"]

#: Largest network input in pixels; beyond it memory runs out before time does.
MAX_NETWORK_PIXELS = 64_000_000
#: Networks divide each side by up to this number.
MIN_NETWORK_SIDE = 4

#: How far a line may run outside of a given region's border, in heatmap pixels.
_BORDER = 4.0

Points = list[list[int]]


@dataclass(frozen=True)
class Heatmap:
    """Network output for one page, at the size of the scaled page.

    Attributes:
        probabilities: float32 array (classes, height, width).
        grey: uint8 array (height, width), the scaled page the polygons are found on.
        scale: factors (x, y) from heatmap to page coordinates.
    """

    probabilities: npt.NDArray[np.float32]
    grey: npt.NDArray[np.uint8]
    scale: tuple[float, float]


@dataclass(frozen=True)
class _Classes:
    """The channels of a network by what they show."""

    start: int
    end: int
    baselines: dict[str, int]
    regions: dict[str, int]


def check_text_direction(text_direction: str) -> tuple[str, str]:
    """Splits e.g. ``horizontal-lr`` into ``('horizontal', 'lr')``.

    Raises:
        ValueError: If it isn't one of the four directions.
    """
    orientation, _, order = text_direction.rpartition("-")
    if orientation not in ("horizontal", "vertical") or order not in ("lr", "rl"):
        raise ValueError(
            f'Invalid text direction "{text_direction}": expected horizontal-lr, horizontal-rl, '
            "vertical-lr or vertical-rl"
        )
    return orientation, order


def class_channels(model: TorchVGSLModel) -> _Classes:
    """The class mapping of a segmentation model.

    Raises:
        KrakenInvalidModelException: If the mapping or a separator is missing or
            a channel isn't among the network's outputs.
    """
    mapping = model.user_metadata.get("class_mapping")
    if not isinstance(mapping, Mapping):
        raise KrakenInvalidModelException(
            "The segmentation model has no class_mapping in its metadata, so its channels have no meaning."
        )
    aux = mapping.get("aux") or {}
    for key in ("_start_separator", "_end_separator"):
        if key not in aux:
            raise KrakenInvalidModelException(f"The segmentation model's class_mapping lacks aux.{key}.")
    classes = _Classes(
        aux["_start_separator"],
        aux["_end_separator"],
        dict(mapping.get("baselines") or {}),
        dict(mapping.get("regions") or {}),
    )
    known = model.output[1]
    for index in (classes.start, classes.end, *classes.baselines.values(), *classes.regions.values()):
        if not isinstance(index, int) or not 0 <= index < known:
            raise KrakenInvalidModelException(
                f"The segmentation model's class_mapping names channel {index}, but it has {known} channels."
            )
    return classes


def padding_of(padding: int | tuple[int, ...]) -> tuple[int, int, int, int]:
    """``input_padding`` as (left, right, top, bottom).

    Raises:
        ValueError: If it isn't an int, a pair or a quadruple of non-negative ints.
    """
    values = (padding,) if isinstance(padding, int) else tuple(padding)
    if len(values) not in (1, 2, 4) or any(v < 0 for v in values):
        raise ValueError(
            f"input_padding must be one, two (left/right, top/bottom) or four (left, right, top, bottom) "
            f"non-negative numbers, not {padding!r}"
        )
    if len(values) == 4:
        return values[0], values[1], values[2], values[3]
    return values[0], values[0], values[-1], values[-1]


def _network_size(model: TorchVGSLModel, im: Image.Image) -> tuple[int, int]:
    """Width and height that the page is scaled to."""
    _, _, height, width = model.input
    w, h = im.size
    if height > 0 and width > 0:
        size = (width, height)
    elif height > 0:
        size = (int(w * height / h), height)
    elif width > 0:
        size = (width, int(h * width / w))
    else:
        size = (w, h)
    if min(size) < MIN_NETWORK_SIDE or size[0] * size[1] > MAX_NETWORK_PIXELS:
        raise KrakenInputException(
            f"Page image of {w}x{h} px would be scaled to {size[0]}x{size[1]} px for the network; "
            f"sides of at least {MIN_NETWORK_SIDE} px and at most {MAX_NETWORK_PIXELS} px in all are "
            "possible. Cut or rescale the image."
        )
    return size


def check_mask(mask: Image.Image, im: Image.Image) -> None:
    """Finds out whether an image can mask a page.

    Raises:
        KrakenInputException: If it has more than two colours, or another size than the page.
    """
    if mask.mode != "1" and not is_bitonal(mask):
        raise KrakenInputException("Mask is not bitonal: exactly two colours are needed, black is left out.")
    if mask.size != im.size:
        raise KrakenInputException(
            f"Mask of {mask.size[0]}x{mask.size[1]} px doesn't fit the page of {im.size[0]}x{im.size[1]} px."
        )


def _prepare(
    model: TorchVGSLModel,
    im: Image.Image,
    padding: int | tuple[int, ...],
    mask: Image.Image | None = None,
) -> tuple[torch.Tensor, npt.NDArray[np.uint8], tuple[int, int, int, int]]:
    """Network input (1, C, H, W), grey scaled page (unpadded), padding really applied."""
    _, channels, height, width = model.input
    size = _network_size(model, im)
    if channels == 1 and model.one_channel_mode == "1" and not is_bitonal(im):
        logger.warning(
            "Running binary model on non-binary input image (mode %s). "
            "This will result in severely degraded performance",
            im.mode,
        )
    page = to_rgb(im) if channels == 3 else to_grey(im)
    if page.size != size:
        page = page.resize(size, Image.Resampling.LANCZOS)
    grey = np.asarray(page.convert("L"))
    pixels = np.array(page)  # torch wants memory that it may write to
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    # Fixed-size and unscaled networks take the page as it is.
    scaled_one_way = (height > 0) != (width > 0)
    left, right, top, bottom = pads = padding_of(padding) if scaled_one_way else (0, 0, 0, 0)
    if any(pads):
        pixels = np.pad(pixels, ((top, bottom), (left, right), (0, 0)), constant_values=255)
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float().div_(255)
    tensor = tensor.max() - tensor
    if mask is not None:
        hidden = np.asarray(to_grey(mask).resize(size, Image.Resampling.NEAREST)) == 0
        rows, cols = slice(top, top + hidden.shape[0]), slice(left, left + hidden.shape[1])
        tensor[:, rows, cols].masked_fill_(torch.from_numpy(hidden), 0)
    return tensor.unsqueeze(0), grey, pads


def _nearest(source: int, target: int) -> npt.NDArray[np.intp]:
    """Source index of each target position, as nearest-neighbour interpolation takes it."""
    ratio = np.float32(source) / np.float32(target)
    index: npt.NDArray[np.intp] = np.floor(np.arange(target, dtype=np.float32) * ratio).astype(np.intp)
    return np.minimum(index, source - 1)


def compute_heatmap(
    model: TorchVGSLModel,
    im: Image.Image,
    padding: int | tuple[int, ...] = 0,
    mask: Image.Image | None = None,
) -> Heatmap:
    """Runs the network on a page.

    Args:
        model: Segmentation network, prepared for inference.
        im: Page in any mode; not modified.
        padding: White pixels around the scaled page; see :func:`padding_of`.
        mask: Bitonal image of the page's size; what is 0 is hidden from the network.

    Raises:
        KrakenInputException: If the page's size can't be treated.
        ValueError: If ``padding`` is malformed.
    """
    tensor, grey, (left, right, top, bottom) = _prepare(model, im, padding, mask)
    rows, cols = tensor.shape[2:]
    logits, _ = model.infer(tensor)
    # The sigmoid is taken before upsampling: same values, a fraction of the work.
    low = torch.sigmoid(logits[0]).float().cpu().numpy()
    row_index = _nearest(low.shape[1], rows)[top : rows - bottom]
    col_index = _nearest(low.shape[2], cols)[left : cols - right]
    full = low.take(row_index, axis=1).take(col_index, axis=2)
    scale = (im.size[0] / full.shape[2], im.size[1] / full.shape[1])
    return Heatmap(np.ascontiguousarray(full), grey, scale)


def _by_channel(classes: Mapping[str, int]) -> dict[int, str]:
    """First name of each channel: merged classes are found once, not once a name."""
    names: dict[int, str] = {}
    for name, channel in classes.items():
        names.setdefault(channel, name)
    return names


def find_regions(heat: Heatmap, classes: Mapping[str, int], size: tuple[int, int]) -> dict[str, list[Region]]:
    """Regions of every class in page coordinates; classes without any have an empty list."""
    regions: dict[str, list[Region]] = {name: [] for name in classes}
    for channel, name in _by_channel(classes).items():
        outlines = vectorize_regions(heat.probabilities[channel])
        for outline in scale_regions(outlines, heat.scale):
            ring = make_valid(outline, size)
            if ring is not None:
                regions[name].append(Region(id=new_id(), boundary=ring, tags={"type": [{"type": name}]}))
    return regions


def find_baselines(
    heat: Heatmap,
    classes: _Classes,
    orientation: str,
    num_threads: int = 1,
    min_confidence: float = 0.0,
    lenient: bool = False,
) -> list[FoundLine]:
    """Baselines of every class in heatmap coordinates, without those that the network is unsure of."""
    found: list[FoundLine] = []
    confidences: list[npt.NDArray[np.float32]] = []
    for channel, name in _by_channel(classes.baselines).items():
        stack = heat.probabilities[[classes.start, classes.end, channel]]
        lines = vectorize_lines(stack, text_direction=orientation, num_threads=num_threads)
        found.extend(FoundLine(name, line) for line in lines)
        if min_confidence > 0:
            confidences.append(line_confidences(lines, stack[2]))
    if not confidences:
        return found
    sure = sure_lines(np.concatenate(confidences), min_confidence, lenient=lenient)
    kept = [line for line, counts in zip(found, sure, strict=True) if counts]
    if len(kept) < len(found):
        unsure = len(found) - len(kept)
        logger.info("%d lines are left out, their confidence is below %g.", unsure, min_confidence)
    return kept


def _min_confidence(model: TorchVGSLModel, config: Any) -> tuple[float, bool]:
    """What is asked for, to the letter, else what the model states, leniently."""
    value, lenient = config.min_confidence, config.min_confidence is None
    if lenient:
        value = model.user_metadata.get("min_confidence") or 0.0
    if not (isinstance(value, (int, float)) and 0 <= value <= 1):
        raise ValueError(f"min_confidence is {value!r}; it has to be a number from 0 to 1.")
    return float(value), lenient


def _outlines(heat: Heatmap, regions: Mapping[str, Sequence[Region]]) -> list[Points]:
    """Outlines of all regions in heatmap coordinates."""
    inverse = (1 / heat.scale[0], 1 / heat.scale[1])
    return [
        outline
        for group in regions.values()
        for outline in scale_regions([region.boundary for region in group], inverse)
    ]


def polygonise(
    heat: Heatmap,
    lines: list[FoundLine],
    regions: Mapping[str, Sequence[Region]],
    topline: bool | None,
    config: SegmentationInferenceConfig,
) -> list[Points | None]:
    """Polygon of each line in heatmap coordinates.

    No polygon crosses another line or, on the side of the text, the outline of
    a region that holds the middle of its line.
    """
    outlines = _outlines(heat, regions)
    own = [[o for o in outlines if is_in_region(line.baseline, o)] for line in lines]
    return calculate_polygonal_environment(
        baselines=[line.baseline for line in lines],
        im_feats=edge_energy(heat.grey, num_threads=config.num_threads),
        topline=topline,
        raise_on_error=config.raise_on_error,
        line_suppl_obj=own,
        num_threads=config.num_threads,
    )


def predict_page(model: TorchVGSLModel, im: Image.Image, mask: Image.Image | None = None) -> Segmentation:
    """Finds the lines and regions of a page with one segmentation network.

    Args:
        model: Network prepared with a ``SegmentationInferenceConfig``.
        im: Page in any mode; not modified, not rotated.
        mask: Bitonal image of the page's size; what is 0 is hidden from the network.

    Returns:
        Lines in heuristic reading order and regions, in page pixels.

    Raises:
        KrakenInputException: If the page's size can't be treated, or the mask doesn't fit.
        KrakenInvalidModelException: If the model's class mapping is unusable.
        ValueError: If the text direction, the padding or the least confidence is invalid.
    """
    if mask is not None:
        check_mask(mask, im)
    config: Any = model._inference_config
    orientation, order = check_text_direction(config.text_direction)
    classes = class_channels(model)
    given = None if config.regions is None else given_regions(config.regions, im.size)
    heat = compute_heatmap(model, im, config.input_padding, mask)
    regions = find_regions(heat, classes.regions, im.size) if given is None else given
    found = find_baselines(heat, classes, orientation, config.num_threads, *_min_confidence(model, config))
    separators = heat.probabilities[[classes.start, classes.end]]
    found = arrange_lines(found, _outlines(heat, regions), separators, config)
    topline = model.user_metadata.get("topline", False)
    polygons = polygonise(heat, found, regions, topline if topline is None else bool(topline), config)
    tolerance = 0.0 if given is None else _BORDER * max(heat.scale)
    lines = page_lines(found, polygons, heat.scale, regions, im.size, tolerance)
    if given is not None and not config.keep_outside:
        inside = [line for line in lines if line.regions]
        if len(inside) < len(lines):
            logger.info(
                "%d of %d lines lie outside of the given regions.", len(lines) - len(inside), len(lines)
            )
        lines = inside
    if lines:
        flat = [region for group in regions.values() for region in group]
        ranks = config.baseline_ro_fn(lines=lines, regions=flat, text_direction=order)
        lines = [lines[int(i)] for i in ranks]
    return Segmentation(
        type="baselines",
        imagename=getattr(im, "filename", None),  # type: ignore[arg-type]
        text_direction=str(config.text_direction),  # type: ignore[arg-type]
        script_detection=len(classes.baselines) > 1,
        lines=lines,
        regions=regions,
        line_orders=[],
    )
