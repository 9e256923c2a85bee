"""Random distortions of line images, as tensors C×H×W in which 0 is background.

Random numbers come from torch, so that its seeds repeat them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["DefaultAugmenter"]


def _uniform(low: float, high: float) -> float:
    return float(torch.empty(1).uniform_(low, high))


def _whole(low: int, high: int) -> int:
    """A whole number of low…high, both included."""
    return int(torch.randint(low, high + 1, (1,)))


def _grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Pixel coordinates (y, x), each H×W."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij"
    )
    return y, x


def _sample(im: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The image at other places, bilinear, 0 outside."""
    height, width = im.shape[1:]
    place = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=2)
    return F.grid_sample(im[None], place[None].to(im.dtype), align_corners=False)[0]


def _blurred(im: Tensor, size: int, sigma: float) -> Tensor:
    """Gaussian blur with a kernel of some size."""
    offsets = torch.arange(size, dtype=im.dtype) - (size - 1) / 2
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    radius = size // 2
    channels = im.shape[0]
    padded = F.pad(im[None], (radius, radius, radius, radius), mode="replicate")
    across = F.conv2d(padded, kernel.expand(channels, 1, 1, size), groups=channels)
    return F.conv2d(across, kernel[:, None].expand(channels, 1, size, 1), groups=channels)[0]


# -- geometry ---------------------------------------------------------------------


def _affine(im: Tensor, angle: float, shift: tuple[float, float], scale: float, shear: float) -> Tensor:
    """Rotation and shear in degrees, shift as shares of width and height, about the centre."""
    height, width = im.shape[1:]
    y, x = _grid(height, width)
    y, x = y - (height - 1) / 2 - shift[1] * height, x - (width - 1) / 2 - shift[0] * width
    cos, sin, tan = (
        math.cos(math.radians(angle)),
        math.sin(math.radians(angle)),
        math.tan(math.radians(shear)),
    )
    turned_x, turned_y = (cos * x + sin * y) / scale, (cos * y - sin * x) / scale
    return _sample(im, turned_y + (height - 1) / 2, turned_x - tan * turned_y + (width - 1) / 2)


def _perspective(im: Tensor, distortion: float) -> Tensor:
    """Corners moved inwards by up to half of the distortion."""
    height, width = im.shape[1:]
    corners = [(0.0, 0.0), (width - 1.0, 0.0), (width - 1.0, height - 1.0), (0.0, height - 1.0)]
    half = distortion / 2
    moved = []
    for x, y in corners:
        dx, dy = _uniform(0, half * width), _uniform(0, half * height)
        moved.append((x + dx if x == 0 else x - dx, y + dy if y == 0 else y - dy))
    rows, wanted = [], []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    solution = torch.linalg.lstsq(
        torch.tensor(rows, dtype=torch.float64), torch.tensor(wanted, dtype=torch.float64)[:, None]
    ).solution.flatten()
    a, b, c, d, e, f, g, h = (float(value) for value in solution)
    rows_y, columns_x = _grid(height, width)
    below = g * columns_x + h * rows_y + 1
    return _sample(im, (d * columns_x + e * rows_y + f) / below, (a * columns_x + b * rows_y + c) / below)


def _elastic(im: Tensor, alpha: float, sigma: float) -> Tensor:
    """Smooth random displacements."""
    height, width = im.shape[1:]
    size = min(8 * int(sigma) + 1, 2 * (min(height, width) // 2) - 1)
    if size < 3:
        return im
    noise = _blurred(torch.empty(2, height, width).uniform_(-1, 1), size, sigma) * alpha
    y, x = _grid(height, width)
    return _sample(im, y + noise[0], x + noise[1])


def _warp(im: Tensor) -> Tensor:
    kind = _whole(0, 3)
    if kind == 0:
        shift = (_uniform(-0.02, 0.02), _uniform(-0.04, 0.04))
        return _affine(im, 0.0, shift, _uniform(0.92, 1.08), _uniform(-3, 3))
    if kind == 1:
        return _perspective(im, 0.15)
    if kind == 2:
        return _affine(im, _uniform(-2, 2), (0.0, 0.0), 1.0, 0.0)
    return _elastic(im, 20.0, 5.0)


# -- ink, paper and neighbours ------------------------------------------------------


def _morph(im: Tensor) -> Tensor:
    """Bolder or thinner strokes."""
    sign = 1 if _whole(0, 1) else -1
    pooled = sign * F.max_pool2d(sign * im[None], 3, 1, 1)[0]
    return torch.lerp(im, pooled, _uniform(0.5, 1.0))


def _show_through(im: Tensor) -> Tensor:
    """The back of the page."""
    back = _blurred(im.flip(2), 5, 1.5)
    shift = (_whole(-(im.shape[1] // 4), im.shape[1] // 4), _whole(-(im.shape[2] // 4), im.shape[2] // 4))
    return torch.maximum(im, torch.roll(back, shift, (1, 2)) * _uniform(0.08, 0.25))


def _ruling(im: Tensor) -> Tensor:
    """Faint lines along the text."""
    height, width = im.shape[1:]
    y, x = _grid(height, width)
    for _ in range(_whole(1, 2)):
        centre = _uniform(0, height) + _uniform(-2, 2) * x / max(1, width)
        on = ((y - centre).abs() <= _uniform(1, 2)).to(im.dtype)
        im = torch.maximum(im, on * _uniform(0.1, 0.3))
    return im


def _intrusion(im: Tensor) -> Tensor:
    """Parts of the lines above and below."""
    height = im.shape[1]
    neighbour = torch.roll(im, _whole(-(im.shape[2] // 3), im.shape[2] // 3), 2)
    where = _whole(0, 2)
    found = im.clone()
    for at_top in ([True], [False], [True, False])[where]:
        rows = max(1, round(_uniform(0.08, 0.22) * height))
        shift = round(_uniform(0.65, 0.9) * height)
        moved = torch.zeros_like(im)
        if at_top:
            moved[:, : height - shift] = neighbour[:, shift:]
            found[:, :rows] = torch.maximum(found[:, :rows], moved[:, :rows])
        else:
            moved[:, shift:] = neighbour[:, : height - shift]
            found[:, height - rows :] = torch.maximum(found[:, height - rows :], moved[:, height - rows :])
    return found


# -- light and colour -----------------------------------------------------------------


def _weights(im: Tensor) -> Tensor:
    """Share of each channel in brightness (ITU-R 601)."""
    return torch.tensor([0.299, 0.587, 0.114], dtype=im.dtype)[:, None, None]


def _grey(im: Tensor) -> Tensor:
    return (im * _weights(im)).sum(0, keepdim=True)


def _grayscale(im: Tensor) -> Tensor:
    return _grey(im).expand_as(im).clone() if im.shape[0] == 3 else im


def _color(im: Tensor) -> Tensor:
    if im.shape[0] != 3:
        return im * _uniform(0.6, 1.15)
    light = ((1 - im) * _uniform(0.6, 1.15)).clamp(0, 1)
    light = torch.lerp(_grey(light).mean().expand_as(light), light, _uniform(0.7, 1.3)).clamp(0, 1)
    light = torch.lerp(_grey(light).expand_as(light), light, _uniform(0.5, 1.5)).clamp(0, 1)
    return 1 - _turned_hue(light, _uniform(-0.1, 0.1))


def _turned_hue(im: Tensor, turn: float) -> Tensor:
    """Hue turned about the grey axis by a share of the circle."""
    angle = 2 * math.pi * turn
    cos, sin = math.cos(angle), math.sin(angle)
    third, root = (1 - cos) / 3, sin / math.sqrt(3)
    matrix = torch.tensor(
        [
            [cos + third, third - root, third + root],
            [third + root, cos + third, third - root],
            [third - root, third + root, cos + third],
        ],
        dtype=im.dtype,
    )
    return torch.einsum("ij,jhw->ihw", matrix, im)


def _gamma(im: Tensor) -> Tensor:
    return 1 - (1 - im).clamp(0, 1) ** _uniform(0.6, 1.6)


def _shading(im: Tensor) -> Tensor:
    """Uneven light on the paper."""
    coarse = torch.rand(1, 1, _whole(2, 3), _whole(2, 5))
    field = F.interpolate(coarse, size=im.shape[1:], mode="bilinear", align_corners=True)[0]
    return 1 - (1 - im) * (1 - _uniform(0.1, 0.35) * field)


def _microfilm(im: Tensor) -> Tensor:
    hard = torch.sigmoid((im - _uniform(0.35, 0.55)) * _uniform(8, 14))
    return hard + torch.randn_like(im) * _uniform(0.02, 0.05)


def _noise(im: Tensor) -> Tensor:
    return im + 0.04 * torch.randn_like(im)


def _blur(im: Tensor) -> Tensor:
    return _blurred(im, 3, _uniform(0.1, 1.0))


def _erase(im: Tensor) -> Tensor:
    """A blank rectangle."""
    height, width = im.shape[1:]
    area = _uniform(0.01, 0.08) * height * width
    ratio = math.exp(_uniform(math.log(0.3), math.log(3.3)))
    rows = min(height, max(1, round(math.sqrt(area * ratio))))
    columns = min(width, max(1, round(area / rows)))
    top, left = _whole(0, height - rows), _whole(0, width - columns)
    found = im.clone()
    found[:, top : top + rows, left : left + columns] = 0
    return found


class DefaultAugmenter:
    """Distorts a line image by a few of many operations.

    Args:
        p: Probability that anything is done.
        max_ops: Largest number of operations on one image.
        probs: Probabilities of operations by name, where they differ from :attr:`PROBS`.

    Raises:
        ValueError: An operation is unknown.
    """

    PROBS: ClassVar[dict[str, float]] = {
        "warp": 0.25,
        "morph": 0.20,
        "show_through": 0.20,
        "ruling": 0.15,
        "intrusion": 0.20,
        "grayscale": 0.25,
        "color": 0.30,
        "gamma": 0.25,
        "shading": 0.20,
        "microfilm": 0.10,
        "noise": 0.20,
        "blur": 0.20,
        "erase": 0.10,
    }
    _OPS: ClassVar[dict[str, Callable[[Tensor], Tensor]]] = {
        "warp": _warp,
        "morph": _morph,
        "show_through": _show_through,
        "ruling": _ruling,
        "intrusion": _intrusion,
        "grayscale": _grayscale,
        "color": _color,
        "gamma": _gamma,
        "shading": _shading,
        "microfilm": _microfilm,
        "noise": _noise,
        "blur": _blur,
        "erase": _erase,
    }

    def __init__(self, p: float = 0.5, max_ops: int = 3, probs: Mapping[str, float] | None = None) -> None:
        if unknown := set(probs or ()) - set(self.PROBS):
            raise ValueError(
                f"Unknown augmentations {', '.join(sorted(unknown))}; there are {', '.join(self.PROBS)}."
            )
        self.p = p
        self.max_ops = max_ops
        self.probs = {**self.PROBS, **(probs or {})}

    def __call__(self, im: Tensor) -> Tensor:
        """The image, distorted or not.

        Args:
            im: C×H×W with 1 or 3 channels, values 0…1.

        Returns:
            An image of the same shape, values 0…1.
        """
        if _uniform(0, 1) >= self.p or min(im.shape[1:]) < 3:
            return im
        drawn = [name for name, prob in self.probs.items() if _uniform(0, 1) < prob]
        if len(drawn) > self.max_ops:
            kept = sorted(torch.randperm(len(drawn))[: self.max_ops].tolist())
            drawn = [drawn[i] for i in kept]
        for name in drawn:
            im = self._OPS[name](im)
        return im.clamp(0, 1)
