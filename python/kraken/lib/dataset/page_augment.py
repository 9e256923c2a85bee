"""Random distortions of page images together with the geometry on them.

Random numbers come from torch, so that its seeds repeat them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from kraken.lib.dataset.augment import _blurred, _color, _uniform, _whole

__all__ = ["PageAugmenter", "transform_points", "warp_image"]

#: 3 × 3 matrix from places on the page to places on the distorted page
Homography = npt.NDArray[np.float64]


def transform_points(points: npt.ArrayLike, matrix: Homography) -> npt.NDArray[np.float64]:
    """Places (N, 2) after a distortion."""
    flat = np.asarray(points, dtype=float).reshape(-1, 2)
    moved = np.c_[flat, np.ones(len(flat))] @ matrix.T
    found: npt.NDArray[np.float64] = moved[:, :2] / moved[:, 2:]
    return found


def warp_image(im: Tensor, matrix: Homography) -> Tensor:
    """An image (C, H, W) after a distortion: bilinear, 0 where there was no page."""
    height, width = im.shape[1:]
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64), indexing="ij"
    )
    places = torch.stack([x, y, torch.ones_like(x)], dim=2) @ torch.from_numpy(np.linalg.inv(matrix).T)
    source = places[..., :2] / places[..., 2:]
    size = torch.tensor([width, height], dtype=torch.float64)
    grid = ((2 * source + 1) / size - 1).to(im.dtype)
    return F.grid_sample(im[None], grid[None], align_corners=False)[0]


def _affine(width: int, height: int) -> Homography:
    """Rotation up to 45°, shift up to 1/16, scale 0.8–1.2, shear up to 5°, about the centre."""
    centre = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]], dtype=float)
    angle, shear = math.radians(_uniform(-45, 45)), math.tan(math.radians(_uniform(-5, 5)))
    scale = _uniform(0.8, 1.2)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    shift = (_uniform(-0.0625, 0.0625) * width, _uniform(-0.0625, 0.0625) * height)
    turn = np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]], [0, 0, 1]])
    slant = np.array([[1, shear, 0], [0, 1, 0], [0, 0, 1]])
    found: Homography = np.linalg.inv(centre) @ turn @ slant @ centre
    return found


def _perspective(width: int, height: int) -> Homography:
    """Each corner moved inwards by up to a tenth of the page."""
    corners = [(0.0, 0.0), (width - 1.0, 0.0), (width - 1.0, height - 1.0), (0.0, height - 1.0)]
    rows, wanted = [], []
    for x, y in corners:
        dx, dy = _uniform(0, 0.1 * width), _uniform(0, 0.1 * height)
        u, v = (x - dx if x else dx), (y - dy if y else dy)
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    solution = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    return np.append(solution, 1.0).reshape(3, 3)


def _bleed_through(im: Tensor) -> Tensor:
    """The writing on the back of the page, mirrored, blurred and shifted a little.

    Only what is darker than the paper shows, so that grey paper doesn't hide it.
    """
    back = _blurred(im.flip(2), 5, 1.5)
    ink = (back - back.flatten(1).median(dim=1).values[:, None, None]).clamp(min=0)
    height, width = im.shape[1:]
    shift = (_whole(-(height // 16), height // 16), _whole(-(width // 16), width // 16))
    return im + (1 - im) * torch.roll(ink, shift, (1, 2)) * _uniform(0.15, 0.5)


def _blur(im: Tensor) -> Tensor:
    if _whole(0, 1):
        return _blurred(im, 3, _uniform(0.1, 1.0))
    return _blurred(im, 5, _uniform(0.1, 2.0))


def _noise(im: Tensor) -> Tensor:
    return im + _uniform(0.01, 0.05) * torch.randn_like(im)


class PageAugmenter:
    """Distorts a page by some of several operations, each drawn by itself.

    Args:
        p: Probability that anything is done.
        probs: Probabilities of operations by name, where they differ from :attr:`PROBS`.

    Raises:
        ValueError: An operation is unknown.
    """

    PROBS: ClassVar[dict[str, float]] = {
        "affine": 0.2,
        "perspective": 0.2,
        "bleed_through": 0.15,
        "blur": 0.2,
        "color": 0.3,
        "noise": 0.15,
    }
    _GEOMETRY: ClassVar[dict[str, Callable[[int, int], Homography]]] = {
        "affine": _affine,
        "perspective": _perspective,
    }
    _IMAGE: ClassVar[dict[str, Callable[[Tensor], Tensor]]] = {
        "bleed_through": _bleed_through,
        "blur": _blur,
        "color": _color,
        "noise": _noise,
    }

    def __init__(self, p: float = 0.5, probs: Mapping[str, float] | None = None) -> None:
        if unknown := set(probs or ()) - set(self.PROBS):
            raise ValueError(
                f"Unknown augmentations {', '.join(sorted(unknown))}; there are {', '.join(self.PROBS)}."
            )
        self.p = p
        self.probs = {**self.PROBS, **(probs or {})}

    def __call__(self, im: Tensor) -> tuple[Tensor, Homography]:
        """The page, distorted or not, and where its places have gone.

        Args:
            im: C×H×W with 1 or 3 channels, values 0…1, 0 is background.

        Returns:
            An image of the same shape, and the matrix for :func:`transform_points`.
        """
        matrix = np.eye(3)
        if _uniform(0, 1) >= self.p or min(im.shape[1:]) < 8:
            return im, matrix
        drawn = {name for name, prob in self.probs.items() if _uniform(0, 1) < prob}
        for name, make in self._GEOMETRY.items():
            if name in drawn:
                matrix = make(im.shape[2], im.shape[1]) @ matrix
        if not np.array_equal(matrix, np.eye(3)):
            im = warp_image(im, matrix)
        for name, operation in self._IMAGE.items():
            if name in drawn:
                im = operation(im)
        return im.clamp(0, 1), matrix
