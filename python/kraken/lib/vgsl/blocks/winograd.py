"""Convolutions with 3×3 kernels by minimal filtering, for training on processors.

Winograd's algorithm F(4×4, 3×3) after Lavin & Gray, "Fast algorithms for convolutional neural networks"
(2016): 36 products for 16 outputs instead of 144, in both directions and for the weights' gradient. The
products of all channels are those of 36 matrices; native kernels transform images into them and back. The
image is treated in bands, so that little memory is needed besides its own.

Results differ from those of a plain convolution by rounding, about 1e-5 of the largest value.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from kraken._rust import nn as _nn
from kraken.lib.vgsl.blocks.threads import in_threads

__all__ = ["convolve", "suits"]

#: rows and columns of outputs of a tile, numbers of its transform
_OUT, _ALL = 4, 36
#: channels from which on fewer products outweigh the transforms
_MIN_CHANNELS = 64
#: pixels from which on tiles are worth their borders
_MIN_PIXELS = 1024
#: numbers of a band's transform
_BAND = 800_000

#: parts of the image for each of which a gradient of the weights is summed
_SUMS = 8

#: first row of tiles of a band; its numbers of a tile, rows and columns of tiles
Band = tuple[int, tuple[int, int, int]]

_KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)


@lru_cache(maxsize=1)
def _kernel() -> Tensor:
    """Transform (36×9) of a whole kernel."""
    with torch.inference_mode(False):
        single = torch.tensor(_KERNEL, dtype=torch.float64)
        return torch.kron(single, single).float()


def suits(conv: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """Whether :func:`convolve` can stand for a convolution in training, and is the faster one."""
    plain = (
        isinstance(conv, nn.Conv2d)
        and conv.kernel_size == (3, 3)
        and conv.padding == conv.stride == conv.dilation == (1, 1)
        and min(conv.in_channels, conv.out_channels) >= _MIN_CHANNELS
    )
    if not plain or not (conv.training and torch.is_grad_enabled()):
        return False
    if not (x.device.type == "cpu" and x.dtype == conv.weight.dtype == torch.float32):
        return False
    if torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
        return False
    return x.shape[2] * x.shape[3] >= _MIN_PIXELS


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolution (N, C, H, W) with a kernel (O, C, 3, 3), padded by 1; the result has its channels last."""
    return cast(Tensor, _Convolution.apply(x, weight, bias))


class _Convolution(torch.autograd.Function):
    """The convolution and its gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.biased = bias is not None
        return _filter(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        grad = grad.contiguous(memory_format=torch.channels_last)
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(x, grad)
        # may have been made for this only
        del x
        if ctx.needs_input_grad[0]:
            grad_x = _filter(grad, weight.flip(2, 3).transpose(0, 1), None)
        if ctx.biased and ctx.needs_input_grad[2]:
            grad_bias = grad.sum(dim=(0, 2, 3))
        return grad_x, grad_weight, grad_bias


def _bands(height: int, width: int, channels: int) -> list[Band]:
    """The bands of an image, the first of which is the largest."""
    rows, columns = -(-height // _OUT), -(-width // _OUT)
    step = max(1, min(rows, _BAND // (_ALL * columns * channels)))
    return [(row, (_ALL, min(step, rows - row), columns)) for row in range(0, rows, step)]


def _images(x: Tensor) -> Tensor:
    """A tensor (N, C, H, W) as images (H, W, C), without a copy if it is laid out so."""
    return x.detach().permute(0, 2, 3, 1).contiguous()


class _Tiles(threading.local):
    """Transformed tiles of bands of images (H, W, C), of which each thread has one place."""

    def __init__(self, channels: int, bands: Sequence[Band]) -> None:
        self.channels = channels
        # the first band is the largest
        self.place = torch.empty(math.prod(bands[0][1]) * channels)

    def empty(self, sides: tuple[int, int, int]) -> Tensor:
        """Tiles (36, rows, columns, C) that aren't computed yet."""
        return self.place[: math.prod(sides) * self.channels].view(*sides, self.channels)

    def make(self, transform: Any, image: Tensor, row: int, sides: tuple[int, int, int]) -> Tensor:
        """Tiles (36, tiles, C) of a band."""
        tiles = self.empty(sides)
        transform(image.numpy(), row, tiles.numpy(), 1)
        return tiles.flatten(1, 2)


def _filter(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The convolution."""
    n, c, height, width = x.shape
    o = len(weight)
    found = torch.empty((n, o, height, width), dtype=x.dtype, memory_format=torch.channels_last)
    kernels = (_kernel() @ weight.detach().reshape(o * c, 9).t()).view(_ALL, o, c).transpose(1, 2)
    kernels = kernels.contiguous()
    added = (x.new_empty(0) if bias is None else bias.detach().contiguous()).numpy()
    bands = _bands(height, width, max(c, o))
    inputs, outputs = _Tiles(c, bands), _Tiles(o, bands)
    images, results = _images(x), found.permute(0, 2, 3, 1)

    @torch.no_grad()
    def run(part: tuple[int, Band]) -> None:
        i, (row, sides) = part
        products = outputs.empty(sides)
        tiles = inputs.make(_nn.winograd_inputs, images[i], row, sides)
        torch.bmm(tiles, kernels, out=products.flatten(1, 2))
        # of the image, only what belongs to the band: others are written at the same time
        result = results[i, _OUT * row : _OUT * (row + sides[1])]
        _nn.winograd_outputs(products.numpy(), added, 0, result.numpy(), 1)

    deque(in_threads(run, [(i, band) for i in range(n) for band in bands]), maxlen=0)
    return found


def _weight_gradient(x: Tensor, grad: Tensor) -> Tensor:
    """Gradient (O, C, 3, 3) of the kernel."""
    n, c, height, width = x.shape
    o = grad.shape[1]
    bands = _bands(height, width, max(c, o))
    inputs, gradients = _Tiles(c, bands), _Tiles(o, bands)
    images, errors = _images(x), _images(grad)

    @torch.no_grad()
    def run(part: list[tuple[int, Band]]) -> Tensor:
        found = torch.zeros((_ALL, o, c))
        for i, (row, sides) in part:
            tiles = gradients.make(_nn.winograd_gradients, errors[i], row, sides)
            found.baddbmm_(tiles.transpose(1, 2), inputs.make(_nn.winograd_inputs, images[i], row, sides))
        return found

    every = [(i, band) for i in range(n) for band in bands]
    # always as many sums and in the same order, so that the result doesn't depend on the number of threads
    found = sum(in_threads(run, [every[k::_SUMS] for k in range(min(_SUMS, len(every)))]), x.new_zeros(()))
    return (_kernel().t() @ found.reshape(_ALL, -1)).view(3, 3, o, c).permute(2, 3, 0, 1)
