"""Convolutions with 3×3 kernels by minimal filtering, for training on processors.

Winograd's algorithm F(4×4, 3×3) after Lavin & Gray, "Fast algorithms for convolutional neural networks"
(2016): 36 products for 16 outputs instead of 144, in both directions and for the weights' gradient. The
products of all channels are those of 36 matrices; the transforms into and out of them are products with
fixed matrices, too. The image is treated in bands, so that little memory is needed besides its own.

Results differ from those of a plain convolution by rounding, about 1e-5 of the largest value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["convolve", "suits"]

#: rows and columns of outputs of a tile, of its inputs, and of both transforms together
_OUT, _IN, _ALL = 4, 6, 36
#: channels from which on fewer products outweigh the transforms
_MIN_CHANNELS = 64
#: pixels from which on tiles are worth their borders
_MIN_PIXELS = 1024
#: numbers of a band's transform
_BAND = 4_000_000

_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


@lru_cache(maxsize=1)
def _matrices() -> tuple[Tensor, Tensor, Tensor]:
    """Transforms of a whole tile's inputs (36×36), kernel (36×9) and products (16×36)."""
    with torch.inference_mode(False):
        single = (torch.tensor(values, dtype=torch.float64) for values in (_INPUT, _KERNEL, _OUTPUT))
        inputs, kernel, output = (torch.kron(matrix, matrix).float() for matrix in single)
    return inputs, kernel, output


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
        if ctx.needs_input_grad[0]:
            grad_x = _filter(grad, weight.flip(2, 3).transpose(0, 1), None)
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(x, grad)
        if ctx.biased and ctx.needs_input_grad[2]:
            grad_bias = grad.sum(dim=(0, 2, 3))
        return grad_x, grad_weight, grad_bias


class _Bands:
    """An image (H, W, C) as bands of rows of tiles."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        self.height, self.width = height, width
        self.rows, self.columns = -(-height // _OUT), -(-width // _OUT)
        self.step = max(1, min(self.rows, _BAND // (_ALL * self.columns * channels)))

    def __iter__(self) -> Any:
        """First row of tiles and number of rows of each band."""
        return ((row, min(self.step, self.rows - row)) for row in range(0, self.rows, self.step))

    def inputs(self, image: Tensor, row: int, count: int) -> Tensor:
        """Transformed tiles (36, tiles, C) of a band, which overlap by two pixels."""
        channels = image.shape[2]
        top = row * _OUT - 1
        padded = image.new_zeros((count * _OUT + 2, self.columns * _OUT + 2, channels))
        first, last = max(top, 0), min(top + len(padded), self.height)
        padded[first - top : last - top, 1 : self.width + 1] = image[first:last]
        across, down = padded.stride(1), padded.stride(0)
        tiles = padded.as_strided(
            (_IN, _IN, count, self.columns, channels), (down, across, _OUT * down, _OUT * across, 1)
        )
        transform = _matrices()[0]
        return (transform @ tiles.reshape(_ALL, -1)).view(_ALL, count * self.columns, channels)

    def outputs(self, image: Tensor, row: int, count: int) -> Tensor:
        """Tiles (16, tiles · C) of a band, which don't overlap."""
        channels = image.shape[2]
        first, last = row * _OUT, min((row + count) * _OUT, self.height)
        band = image[first:last]
        if band.shape[:2] != (count * _OUT, self.columns * _OUT):
            whole = image.new_zeros((count * _OUT, self.columns * _OUT, channels))
            whole[: last - first, : self.width] = band
            band = whole
        tiles = band.reshape(count, _OUT, self.columns, _OUT, channels).permute(1, 3, 0, 2, 4)
        return tiles.reshape(_OUT * _OUT, -1)

    def write(self, tiles: Tensor, image: Tensor, row: int, count: int) -> None:
        """Puts tiles (16, tiles · C) of a band in their places."""
        channels = image.shape[2]
        placed = tiles.view(_OUT, _OUT, count, self.columns, channels).permute(2, 0, 3, 1, 4)
        first, last = row * _OUT, min((row + count) * _OUT, self.height)
        band = placed.reshape(count * _OUT, self.columns * _OUT, channels)
        image[first:last] = band[: last - first, : self.width]


def _filter(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The convolution."""
    n, c, height, width = x.shape
    found = torch.empty((n, len(weight), height, width), dtype=x.dtype, memory_format=torch.channels_last)
    out = found.permute(0, 2, 3, 1)
    _, kernel, output = _matrices()
    kernels = (kernel @ weight.reshape(-1, 9).t()).view(_ALL, len(weight), c).transpose(1, 2).contiguous()
    bands = _Bands(height, width, max(c, len(weight)))
    for image, result in zip(x.permute(0, 2, 3, 1), out, strict=True):
        for row, count in bands:
            products = torch.bmm(bands.inputs(image, row, count), kernels)
            bands.write(output @ products.view(_ALL, -1), result, row, count)
    if bias is not None:
        out += bias
    return found


def _weight_gradient(x: Tensor, grad: Tensor) -> Tensor:
    """Gradient (O, C, 3, 3) of the kernel."""
    c, height, width = x.shape[1:]
    o = grad.shape[1]
    _, kernel, output = _matrices()
    found = x.new_zeros((_ALL, o, c))
    bands = _Bands(height, width, max(c, o))
    for image, gradient in zip(x.permute(0, 2, 3, 1), grad.permute(0, 2, 3, 1), strict=True):
        for row, count in bands:
            errors = (output.t() @ bands.outputs(gradient, row, count)).view(_ALL, -1, o)
            found.baddbmm_(errors.transpose(1, 2), bands.inputs(image, row, count))
    return (kernel.t() @ found.view(_ALL, -1)).view(3, 3, o, c).permute(2, 3, 0, 1)
