"""From line and page images to network inputs (spec chapter recognition §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image

from kraken.lib import functional_im_transforms as steps
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.lineest import CenterNormalizer

__all__ = ["ImageInputTransforms", "PILToTensor", "ToFloat", "collate_sequences", "pad_sequences"]

Padding = int | tuple[int, ...] | list[int]


class PILToTensor:
    """Image (``L`` or ``RGB``) to bytes C×H×W. Steps before it map images to images."""

    def __call__(self, im: Image.Image) -> torch.Tensor:
        """The image's bytes as a tensor."""
        pixels = np.array(im.convert("L") if im.mode == "1" else im)
        tensor = torch.from_numpy(pixels)
        return tensor.unsqueeze(0) if pixels.ndim == 2 else tensor.permute(2, 0, 1)

    def __repr__(self) -> str:
        return "PILToTensor()"


class ToFloat:
    """Bytes to floats of 0…1."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def __call__(self, t: torch.Tensor) -> torch.Tensor:
        """The values divided by 255."""
        return t.to(self.dtype) / 255

    def __repr__(self) -> str:
        return f"ToFloat({self.dtype})"


class ImageInputTransforms:
    """Makes network inputs C×H×W of images, as a network's input specification says.

    The properties rebuild the pipeline when they are set. ``transforms`` holds its
    steps; all are picklable.

    Args:
        batch: Batch size of the specification; without effect.
        height: Height in pixels, 0 if variable.
        width: Width in pixels, 0 if variable.
        channels: 1 (grey) or 3 (colour); above 3 with height 1, the height of lines
            whose rows become channels.
        pad: White border in pixels: on all sides, as (horizontal, vertical) or as
            (left, top, right, bottom). Inputs of fixed size aren't padded.
        valid_norm: Allow centre normalisation.
        force_binarization: Binarise images.
        dtype: Type of the tensors.

    Raises:
        KrakenInputException: If the specification fits neither lines nor pages.
        TypeError: If the padding isn't a number or a sequence.
    """

    def __init__(
        self,
        batch: int,
        height: int,
        width: int,
        channels: int,
        pad: Padding,
        valid_norm: bool = True,
        force_binarization: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.dtype = dtype
        self._wanted: dict[str, Any] = {
            "batch": batch,
            "height": height,
            "width": width,
            "channels": channels,
            "pad": pad,
            "valid_norm": valid_norm,
            "force_binarization": force_binarization,
        }
        self._rows_as_channels = False
        self._build()

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """The network input of an image, C×H×W, 0 where it is brightest."""
        value: Any = image
        for step in self.transforms:
            value = step(value)
        tensor: torch.Tensor = value
        return tensor

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.transforms))})"

    # -- construction -----------------------------------------------------

    def _change(self, **values: Any) -> None:
        """Sets arguments; nothing changes if they don't fit."""
        before = dict(self._wanted), self._rows_as_channels
        self._wanted.update(values)
        try:
            self._build()
        except Exception:
            self._wanted, self._rows_as_channels = before
            self._build()
            raise

    def _build(self) -> None:
        wanted = self._wanted
        height, width, channels = wanted["height"], wanted["width"], wanted["channels"]
        padding: tuple[int, int, int, int] | None = _sides(wanted["pad"])
        rows_as_channels = self._rows_as_channels and height > 1 and width == 0 and channels == 1
        if height == 1 and width == 0 and channels > 3:
            height, channels, rows_as_channels = channels, 1, True
        centre = False
        if channels not in (1, 3) or min(height, width) < 0:
            raise self._unusable(height, width, channels)
        if height > 1 and width == 0:
            centre = bool(wanted["valid_norm"]) and channels == 1
        elif (height > 0 and width > 0) or (height == 0 and width == 0):
            padding = None
        elif not (height == 0 and width > 1):
            raise self._unusable(height, width, channels)
        if wanted["force_binarization"] and channels == 3:
            raise KrakenInputException(
                "Binarisation was asked for, but the input specification has 3 channels: use one or the other"
            )
        wanted.update(height=height, width=width, channels=channels)
        self._rows_as_channels = rows_as_channels
        self._padded = padding is not None
        self._sides = padding or (0, 0, 0, 0)
        self._centre = centre
        self.transforms = self._steps(height, width, channels, padding)

    @staticmethod
    def _unusable(height: int, width: int, channels: int) -> KrakenInputException:
        return KrakenInputException(
            f"Invalid input spec (height {height}, width {width}, channels {channels}): 1 or 3 channels, "
            "and a height above 1, a width above 1, both or neither are needed"
        )

    def _steps(
        self, height: int, width: int, channels: int, padding: tuple[int, int, int, int] | None
    ) -> list[Callable[[Any], Any]]:
        """The pipeline for checked arguments."""
        found: list[Callable[[Any], Any]] = [partial(steps.pil_to_mode, mode="RGB" if channels == 3 else "L")]
        if self._wanted["force_binarization"]:
            found.append(steps.pil_to_bin)
        if self._centre:
            found.append(partial(steps.pil_dewarp, lnorm=CenterNormalizer(height)))
            found.append(steps.pil_float_to_grey)
        elif height or width:
            found.append(partial(steps.pil_fixed_resize, scale=(height, width)))
        if padding is not None and any(padding):
            found.append(partial(steps.pil_pad, padding=padding, fill=255))
        found += [PILToTensor(), ToFloat(self.dtype), steps.tensor_invert]
        if self._rows_as_channels:
            found.append(partial(steps.tensor_permute, perm=(1, 0, 2)))
        return found

    # -- properties -------------------------------------------------------

    @property
    def batch(self) -> int:
        """Batch size of the specification; without effect."""
        return int(self._wanted["batch"])

    @batch.setter
    def batch(self, batch: int) -> None:
        self._change(batch=batch)

    @property
    def channels(self) -> int:
        """Channels of the image that is made a tensor."""
        return int(self._wanted["channels"])

    @channels.setter
    def channels(self, channels: int) -> None:
        self._change(channels=channels)

    @property
    def height(self) -> int:
        """Height that images are scaled to, 0 if it varies."""
        return int(self._wanted["height"])

    @height.setter
    def height(self, height: int) -> None:
        self._change(height=height)

    @property
    def width(self) -> int:
        """Width that images are scaled to, 0 if it varies."""
        return int(self._wanted["width"])

    @width.setter
    def width(self, width: int) -> None:
        self._change(width=width)

    @property
    def scale(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @scale.setter
    def scale(self, scale: tuple[int, int]) -> None:
        height, width = scale
        self._change(height=height, width=width)

    @property
    def pad(self) -> Padding:
        """Padding that is applied."""
        pad: Padding = self._wanted["pad"] if self._padded else 0
        return pad

    @pad.setter
    def pad(self, pad: Padding) -> None:
        self._change(pad=pad)

    @property
    def valid_norm(self) -> bool:
        """Whether centre normalisation is allowed."""
        return bool(self._wanted["valid_norm"])

    @valid_norm.setter
    def valid_norm(self, valid_norm: bool) -> None:
        self._change(valid_norm=valid_norm)

    @property
    def force_binarization(self) -> bool:
        """Whether images are binarised."""
        return bool(self._wanted["force_binarization"])

    @force_binarization.setter
    def force_binarization(self, force_binarization: bool) -> None:
        self._change(force_binarization=force_binarization)

    @property
    def mode(self) -> str:
        """Kind of image that the network gets: ``RGB``, ``L`` or ``1``."""
        if self.force_binarization:
            return "1"
        return "RGB" if self.channels == 3 else "L"

    @property
    def sides(self) -> tuple[int, int, int, int]:
        """Padding that is applied to the left, at the top, to the right and at the bottom."""
        return self._sides

    @property
    def only_scales(self) -> bool:
        """Whether lines are scaled to one height, padded and inverted, but nothing else.

        Then :func:`kraken.lib.segmentation.extraction.extract_line_arrays` does the same.
        """
        other_steps = self._centre or self.force_binarization or self._rows_as_channels
        return self.height > 1 and self.width == 0 and not other_steps and self.dtype == torch.float32

    @property
    def centerline_norm(self) -> bool:
        """Whether lines are straightened along their centre."""
        return self._centre


def _sides(pad: Any) -> tuple[int, int, int, int]:
    """Padding as (left, top, right, bottom)."""
    if isinstance(pad, (int, float)):
        sides = [pad] * 4
    elif isinstance(pad, (tuple, list)):
        sides = [*pad, *pad] if len(pad) == 2 else list(pad) * (4 if len(pad) == 1 else 1)
    else:
        raise TypeError(f"pad is a {type(pad).__name__}, must be a number, or a tuple or list of 2 or 4")
    if len(sides) != 4 or any(side < 0 for side in sides):
        raise ValueError(f"pad is {pad}, must be a number, 2 or 4 of them, not negative")
    left, top, right, bottom = (int(side) for side in sides)
    return left, top, right, bottom


def pad_sequences(images: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Stacks C×H×W tensors of different widths, filled up with 0 on the right.

    Returns:
        The stack N×C×H×W, and the widths (int64).

    Raises:
        ValueError: If there are no tensors or their heights or channels differ.
    """
    if not images or len({image.shape[:2] for image in images}) != 1:
        shapes = sorted({tuple(image.shape) for image in images})
        raise ValueError(f"Only tensors of equal channels and heights form a batch, these are {shapes}")
    widths = torch.tensor([image.shape[2] for image in images], dtype=torch.long)
    stack = images[0].new_zeros((len(images), *images[0].shape[:2], int(widths.max())))
    for slot, image in zip(stack, images, strict=True):
        slot[..., : image.shape[2]] = image
    return stack, widths


def collate_sequences(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Makes a batch of samples, the widest first.

    Args:
        batch: Samples with ``image`` (tensor C×H×W) and ``target`` (text or labels).

    Returns:
        ``image`` (N×C×H×W, filled up with 0 on the right), ``target`` (list of texts, or
        all labels in one tensor), ``seq_lens`` (widths) and ``target_lens``.
    """
    ordered = sorted(batch, key=lambda sample: int(sample["image"].shape[2]), reverse=True)
    images, widths = pad_sequences([sample["image"] for sample in ordered])
    targets = [sample["target"] for sample in ordered]
    lengths = torch.tensor([len(target) for target in targets], dtype=torch.long)
    labels: Any = targets if isinstance(targets[0], str) else torch.cat([t.long() for t in targets])
    return {"image": images, "target": labels, "seq_lens": widths, "target_lens": lengths}
