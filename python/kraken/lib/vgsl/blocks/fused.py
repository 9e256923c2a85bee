"""Convolution, ReLU, dropout of channels and max pooling in one step, for training on processors.

The result is that of the single layers up to rounding. Two facts make it faster:

* The maximum of a window may be taken before ReLU and the scaling by dropout, neither of which changes
  the order of values. Nothing but the convolution itself ever sees the image before pooling, and after
  pooling only one of four positions has a gradient.
* A kernel of many columns needs fewer products on spectra of short tiles of each row. With kernels of
  13 columns, tiles of 64 columns need 2.5 products per pixel instead of 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from kraken._rust import nn as _nn
from kraken.lib.vgsl.blocks.conv import ActConv2D, MaxPool
from kraken.lib.vgsl.blocks.lengths import clear_padding
from kraken.lib.vgsl.blocks.simple import Dropout

__all__ = ["fusible"]

#: channels that the native kernels treat at once
_LANES = 16
#: columns of a tile
_TILE = 64
#: how many times fewer products a spectral convolution needs to have to be the faster one
_GAIN = 1.5


class Fused:
    """Layers of a series that run as one.

    Args:
        conv: The convolution, followed by a ReLU.
        dropout: Dropout of channels after it or None.
        pool: Pooling after that or None.
    """

    def __init__(self, conv: ActConv2D, dropout: Dropout | None, pool: MaxPool | None) -> None:
        self.conv = conv
        self.dropout = dropout
        self.pool = pool
        self.count = 1 + (dropout is not None) + (pool is not None)

    def suits(self, x: Tensor) -> bool:
        """Whether the native kernels can do it, and faster."""
        weight = self.conv.co.weight
        if not (x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32 and x.numel()):
            return False
        if torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return False
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            return False
        return self._direct(x) or self._spectral(x)

    def _direct(self, x: Tensor) -> bool:
        rows, columns = self.conv.kernel_size
        single = self.conv.in_channels == 1 and self.pool is not None and not x.requires_grad
        return single and rows in (1, 3, 5) and columns < _LANES

    def _spectral(self, x: Tensor) -> bool:
        columns, width = self.conv.kernel_size[1], x.shape[3]
        if self.conv.in_channels % _LANES or columns > _TILE // 2:
            return False
        tiles = -(-width // _nn.step(columns))
        # four real products per pair of numbers
        return width * columns > _GAIN * tiles * 2 * _TILE

    def __call__(self, x: Tensor, seq_len: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Outputs and lengths of an input that suits."""
        conv, pool = self.conv, 1 if self.pool is None else 2
        direct = self._direct(x)
        if conv.kernel_size[1] > 1:
            x = clear_padding(x, seq_len)
        scale = x.new_ones((len(x), conv.out_channels))
        if self.dropout is not None and self.dropout.training:
            kept = 1 - self.dropout.p
            scale.bernoulli_(kept).div_(kept)
        bias = conv.co.bias if conv.co.bias is not None else x.new_zeros(conv.out_channels)
        if direct:
            y = _Direct.apply(x, conv.co.weight, bias, scale)
        else:
            y = _Spectral.apply(x, conv.co.weight, bias, scale, pool)
        seq_len = conv.output_length(seq_len)
        if self.pool is not None:
            seq_len = self.pool.output_length(seq_len)
        return cast(Tensor, y), seq_len


def fusible(layers: Sequence[nn.Module]) -> Fused | None:
    """The first layers of a series as one, or None."""
    conv = layers[0]
    if not isinstance(conv, ActConv2D) or not _plain(conv) or not _nn.accelerated():
        return None
    following = [layer for layer in layers[1:3] if not _hooked(layer)]
    dropout, pool = None, None
    if following and isinstance(following[0], Dropout) and following[0].dim == 2 and following[0].p < 1:
        dropout, *following = following
    if following and isinstance(following[0], MaxPool) and (dropout is None or layers[2] is following[0]):
        found = following[0]
        pool = found if found.kernel == found.stride == (2, 2) else None
    return Fused(conv, cast(Any, dropout), pool)


def _plain(conv: ActConv2D) -> bool:
    """Whether a convolution is of the kind that the kernels know."""
    odd = all(size % 2 for size in conv.kernel_size)
    unit = conv.stride == conv.dilation == (1, 1) and not conv.transposed
    return conv.nl == "r" and odd and unit and conv.out_channels % _LANES == 0 and not _hooked(conv)


def _hooked(module: nn.Module) -> bool:
    """Whether someone wants to see what goes through a layer."""
    return any(
        part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks
        for part in module.modules()
    )


def _array(x: Tensor) -> Any:
    """A tensor N×C×H×W as an array N×H×W×C, without a copy if it is laid out so."""
    return x.detach().permute(0, 2, 3, 1).contiguous().numpy()


class _Direct(torch.autograd.Function):
    """Block with one input channel, pooled by 2×2; no gradient of the input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, scale: Tensor) -> Tensor:
        n, _, h, w = x.shape
        channels = weight.shape[0]
        pixels = x.detach().reshape(n, h, w).contiguous()
        out = x.new_empty((n, h // 2, w // 2, channels))
        state = torch.empty(out.shape, dtype=torch.uint8)
        taps = weight.detach().squeeze(1).permute(1, 2, 0).contiguous()
        _nn.convolve_first(
            pixels.numpy(),
            taps.numpy(),
            bias.detach().numpy(),
            scale.numpy(),
            out.numpy(),
            state.numpy(),
            torch.get_num_threads(),
        )
        ctx.save_for_backward(pixels, scale, state)
        ctx.kernel = weight.shape[2:]
        return out.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if not (ctx.needs_input_grad[1] or ctx.needs_input_grad[2]):
            return None, None, None, None
        pixels, scale, state = ctx.saved_tensors
        rows, columns = ctx.kernel
        weight, bias = _nn.first_gradients(
            pixels.numpy(),
            _array(gradient),
            state.numpy(),
            scale.numpy(),
            (rows, columns),
            torch.get_num_threads(),
        )
        shape = (len(bias), 1, rows, columns)
        return None, torch.from_numpy(weight).view(shape), torch.from_numpy(bias), None


@lru_cache(maxsize=8)
def _spectrum_of_taps(columns: int) -> Tensor:
    """Factors (columns, 32·2·2) that make a kernel's columns the matrices which spectra are multiplied by.

    With spectra X of a tile and W of the kernel, correlation is the product of X and the conjugate of W.
    A pair (real, imaginary) is multiplied by ((r, i), (-i, r)); frequency 0 shares its pair with 32.
    Their part in the inverse transform is contained.
    """
    half = _TILE // 2
    angle = np.outer(np.arange(columns), np.arange(half)) * (2 * np.pi / _TILE)
    real, imaginary = np.cos(angle) * 2 / _TILE, -np.sin(angle) * 2 / _TILE
    factors = np.stack([np.stack([real, imaginary], -1), np.stack([-imaginary, real], -1)], 2)
    factors[:, 0] = 0
    factors[:, 0, 0, 0] = 1 / _TILE
    factors[:, 0, 1, 1] = (-1.0) ** np.arange(columns) / _TILE
    return torch.from_numpy(factors.reshape(columns, -1).astype(np.float32))


def _matrices(weight: Tensor) -> Tensor:
    """Kernel of a grouped convolution of spectra, (32·2·out, 2·in, rows, 1)."""
    channels, inputs, rows, columns = weight.shape
    taps = weight.permute(3, 0, 1, 2).reshape(columns, -1)
    spread = _spectrum_of_taps(columns).t() @ taps
    spread = spread.view(_TILE // 2, 2, 2, channels, inputs, rows).transpose(2, 3)
    return spread.reshape(_TILE * channels, 2 * inputs, rows, 1)


def _as_image(spectra: Tensor) -> Tensor:
    """Spectra (N, H, tiles, 64, C) as an image with 64·C channels."""
    n, h, tiles, size, channels = spectra.shape
    return spectra.view(n, h, tiles, size * channels).permute(0, 3, 1, 2)


class _Spectral(torch.autograd.Function):
    """Block whose convolution is a product of spectra."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, scale: Tensor, pool: int) -> Tensor:
        n, inputs, h, w = x.shape
        channels, _, rows, columns = weight.shape
        threads = torch.get_num_threads()
        tiles = -(-w // _nn.step(columns))
        spectra = x.new_empty((n, h, tiles, _TILE, inputs))
        _nn.analyse_images(_array(x), columns, spectra.numpy(), threads)
        matrices = _matrices(weight.detach())
        products = F.conv2d(
            _as_image(spectra), matrices, None, padding=(rows // 2, 0), groups=_TILE // 2
        ).permute(0, 2, 3, 1)
        products = products.contiguous().view(n, h, tiles, _TILE, channels)
        out = x.new_empty((n, h // pool, w // pool, channels))
        state = torch.empty(out.shape, dtype=torch.uint8)
        _nn.synthesise_images(
            products.numpy(),
            bias.detach().numpy(),
            scale.numpy(),
            w,
            columns,
            pool,
            out.numpy(),
            state.numpy(),
            threads,
        )
        ctx.save_for_backward(spectra, matrices, scale, state)
        ctx.width, ctx.kernel, ctx.pool = w, (rows, columns), pool
        return out.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        spectra, matrices, scale, state = ctx.saved_tensors
        rows, columns = ctx.kernel
        n, h, tiles, _, inputs = spectra.shape
        channels = scale.shape[1]
        threads = torch.get_num_threads()
        arriving = spectra.new_empty((n, h, tiles, _TILE, channels))
        _nn.analyse_gradients(
            _array(gradient),
            state.numpy(),
            scale.numpy(),
            ctx.width,
            columns,
            ctx.pool,
            arriving.numpy(),
            threads,
        )
        x_gradient = weight_gradient = bias_gradient = None
        if ctx.needs_input_grad[0]:
            leaving = torch.ops.aten.convolution_backward(
                _as_image(arriving),
                _as_image(spectra),
                matrices,
                None,
                (1, 1),
                (rows // 2, 0),
                (1, 1),
                False,
                (0, 0),
                _TILE // 2,
                (True, False, False),
            )[0]
            leaving = leaving.permute(0, 2, 3, 1).contiguous().view(n, h, tiles, _TILE, inputs)
            x_gradient = spectra.new_empty((n, h, ctx.width, inputs))
            _nn.synthesise_gradients(leaving.numpy(), columns, x_gradient.numpy(), threads)
            x_gradient = x_gradient.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            weight_gradient = _weight_gradient(spectra, arriving, rows, columns)
        if ctx.needs_input_grad[2]:
            bias_gradient = arriving[:, :, :, 0].sum((0, 1, 2))
        return x_gradient, weight_gradient, bias_gradient, None, None


def _weight_gradient(spectra: Tensor, arriving: Tensor, rows: int, columns: int) -> Tensor:
    """Gradient of a kernel (out, in, rows, columns) of the spectra of input and output's gradient."""
    inputs, channels, half = spectra.shape[4], arriving.shape[4], _TILE // 2
    sums = spectra.new_empty((half, rows, 2 * channels, 2 * inputs))
    _nn.sum_products(spectra.numpy(), arriving.numpy(), sums.numpy(), torch.get_num_threads())
    spread = sums.view(half, rows, 2, channels, 2, inputs).permute(0, 2, 4, 1, 3, 5)
    taps = _spectrum_of_taps(columns) @ spread.reshape(4 * half, -1)
    return taps.view(columns, rows, channels, inputs).permute(2, 3, 1, 0).contiguous()
