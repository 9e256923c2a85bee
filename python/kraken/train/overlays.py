"""Pictures of what a layout network finds during training, over pages and their ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw

from kraken.lib.atomic import atomic_output

__all__ = ["draw_overlay", "write_overlay"]

Floats = npt.NDArray[np.float32]

#: Ground truth, found lines and the network's map of lines: told apart by people with colour blindness.
TRUTH = (0, 114, 178)
FOUND = (213, 94, 0)
_HEAT = (240, 228, 66)
#: Regions by class; after the last one it begins anew.
_REGIONS = ((86, 180, 233), (0, 158, 115), (204, 121, 167), (230, 159, 0))
#: Height of pictures in pixels.
HEIGHT = 900


def _blend(page: Floats, mask: Floats, colour: Sequence[int], strength: float) -> Floats:
    """The page (H, W, 3) with a colour where the mask (H, W) is, by its values from 0 to 1."""
    share = (strength * mask)[..., None]
    mixed: Floats = page * (1 - share) + np.asarray(colour, dtype=np.float32) * share
    return mixed


def _edges(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels of a mask beside one that isn't in it."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edges: npt.NDArray[np.bool_] = mask & ~inner
    return edges


def _resized(maps: torch.Tensor, size: tuple[int, int], mode: str) -> Floats:
    options = {"align_corners": False} if mode == "bilinear" else {}
    scaled = torch.nn.functional.interpolate(maps[None].float(), size=size, mode=mode, **options)
    found: Floats = scaled[0].cpu().numpy()
    return found


def draw_overlay(
    image: torch.Tensor,
    target: torch.Tensor,
    probabilities: torch.Tensor,
    truth: Sequence[Any],
    found: Sequence[Any],
    classes: Mapping[str, Mapping[str, int]],
) -> Image.Image:
    """Draws the network's answer and the ground truth over a page.

    Ground truth is blue: lines, outlines of regions. Found lines are orange, with a dot where they start; the
    map of lines they were taken from is yellow. Areas that the network takes for regions are tinted.

    Args:
        image: Network input (C, H, W), 0 is background.
        target: Maps of the ground truth (classes, H, W).
        probabilities: Network output (classes, h, w) after the sigmoid.
        truth: Polylines of the ground truth in pixels of the output.
        found: Polylines that were found in pixels of the output.
        classes: ``baselines`` and ``regions``: name → channel.

    Returns:
        A picture at most 900 px high.
    """
    height = min(HEIGHT, image.shape[1])
    size = (height, max(1, round(image.shape[2] * height / image.shape[1])))
    ink = _resized(image, size, "bilinear").mean(axis=0)
    page: Floats = np.repeat(255 * (1 - 0.7 * np.clip(ink, 0, 1))[..., None], 3, axis=2).astype(np.float32)
    answers, masks = _resized(probabilities, size, "bilinear"), _resized(target, size, "nearest") > 0.5
    for place, channel in enumerate(sorted(set(classes["regions"].values()))):
        page = _blend(
            page, (answers[channel] > 0.5).astype(np.float32), _REGIONS[place % len(_REGIONS)], 0.35
        )
        page[_edges(masks[channel])] = TRUTH
    for channel in sorted(set(classes["baselines"].values())):
        page = _blend(page, answers[channel], _HEAT, 0.8)
    picture = Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    scale = (size[1] / probabilities.shape[2], size[0] / probabilities.shape[1])
    for lines, colour in ((truth, TRUTH), (found, FOUND)):
        for line in lines:
            points = [(float(x) * scale[0], float(y) * scale[1]) for x, y in line]
            if len(points) > 1:
                draw.line(points, fill=colour, width=2)
            if colour is FOUND and points:
                (x, y), r = points[0], 3
                draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    return picture


def write_overlay(picture: Image.Image, path: Path) -> None:
    """Writes a picture as PNG with 64 colours; its folder is made if need be.

    Raises:
        OSError: The file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    small = picture.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    with atomic_output(path) as temporary:
        small.save(temporary, format="PNG", optimize=True)
