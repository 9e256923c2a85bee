"""Convolutions with activation, plain and transposed (spec chapter models §2.1, §2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kraken.lib.vgsl.blocks import winograd
from kraken.lib.vgsl.blocks.init import resize_rows
from kraken.lib.vgsl.blocks.lengths import Shape, clear_padding, strided_length

#: s sigmoid, t tanh, m softmax over channels, r ReLU, l linear, lr leaky ReLU
ACTIVATIONS = ("s", "t", "m", "r", "l", "lr")


class ActConv2D(nn.Module):
    """2-D convolution followed by an activation.

    Padding keeps the size for odd kernels. A sigmoid is *not* applied, in neither mode:
    consumers get logits. The other activations are applied in both modes.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: (y, x).
        stride: (y, x).
        nl: One of :data:`ACTIVATIONS`.
        dilation: (y, x).
        transposed: Whether this is a transposed convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        stride: Sequence[int],
        nl: str = "l",
        dilation: Sequence[int] = (1, 1),
        transposed: bool = False,
    ) -> None:
        super().__init__()
        if nl not in ACTIVATIONS:
            raise ValueError(f"Activation {nl!r} is none of {', '.join(ACTIVATIONS)}.")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.dilation = _pair(dilation)
        self.padding = (
            self.dilation[0] * (self.kernel_size[0] - 1) // 2,
            self.dilation[1] * (self.kernel_size[1] - 1) // 2,
        )
        self.nl = nl
        self.transposed = transposed
        self.output_shape: Shape | None = None
        conv = nn.ConvTranspose2d if transposed else nn.Conv2d
        self.co: nn.Conv2d | nn.ConvTranspose2d = conv(
            in_channels,
            out_channels,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Convolve (N, C, H, W); `output_shape` (H, W) is the wish for a transposed convolution."""
        if self.kernel_size[1] > 1:
            x = clear_padding(x, seq_len)
        if not self.transposed:
            y = (
                winograd.convolve(x, self.co.weight, self.co.bias)
                if winograd.suits(self.co, x)
                else self.co(x)
            )
            return self._activate(y), self.output_length(seq_len)
        size = [self._length(n, axis) for axis, n in enumerate(x.shape[2:])]
        target = self._fit(size, output_shape)
        y = cast(nn.ConvTranspose2d, self.co)(x, output_size=target)
        if seq_len is not None:
            seq_len = (self._scale(seq_len, 1) + (target[1] - size[1])).clamp(min=1)
        return self._activate(y), seq_len

    def output_length(self, seq_len: Tensor | None) -> Tensor | None:
        """Lengths of the outputs of a convolution that isn't transposed."""
        if seq_len is None:
            return None
        return strided_length(seq_len, self.kernel_size[1], self.stride[1], self.padding[1], self.dilation[1])

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape; 0 (variable) stays 0."""
        h, w = (self._length(n, axis) if n else 0 for axis, n in enumerate(input[2:]))
        if self.transposed:
            h, w = self._fit([h, w], target_shape)
        self.output_shape = (input[0], self.out_channels, h, w)
        return self.output_shape

    def resize(self, output_size: int, del_indices: Sequence[int] | None = None) -> None:
        """Drop the output channels `del_indices` and add new ones up to `output_size`."""
        dim = 1 if self.transposed else 0
        weight, bias = resize_rows(self.co.weight, self.co.bias, output_size, del_indices, dim)
        self.co.weight, self.co.bias = weight, bias
        self.co.out_channels = self.out_channels = output_size

    def _activate(self, y: Tensor) -> Tensor:
        if self.nl == "r":
            return F.relu(y, inplace=True)
        if self.nl == "lr":
            return F.leaky_relu(y, 0.01, inplace=True)
        if self.nl == "t":
            return torch.tanh(y)
        if self.nl == "m":
            return F.softmax(y, dim=1)
        return y

    def _scale(self, length: Tensor, axis: int) -> Tensor:
        """Lengths after a transposed convolution without enlargement."""
        span = self.dilation[axis] * (self.kernel_size[axis] - 1)
        return (length - 1) * self.stride[axis] - 2 * self.padding[axis] + span + 1

    def _length(self, n: int, axis: int) -> int:
        k, s, p, d = (x[axis] for x in (self.kernel_size, self.stride, self.padding, self.dilation))
        if self.transposed:
            return max(1, (n - 1) * s - 2 * p + d * (k - 1) + 1)
        return max(1, (n + 2 * p - d * (k - 1) - 1) // s + 1)

    def _fit(self, size: Sequence[int], target: Sequence[int] | None) -> list[int]:
        """`size`, each side enlarged to the target if the ambiguity of the stride allows it."""
        if target is None:
            return list(size)
        return [t if n and 0 < t - n < s else n for n, t, s in zip(size, target, self.stride, strict=True)]


def _pair(values: Sequence[int]) -> tuple[int, int]:
    y, x = values
    return (int(y), int(x))


class MaxPool(nn.Module):
    """Max pooling without padding.

    Args:
        kernel: (y, x).
        stride: (y, x).
    """

    def __init__(self, kernel: Sequence[int], stride: Sequence[int]) -> None:
        super().__init__()
        self.kernel = _pair(kernel)
        self.stride = _pair(stride)
        self.output_shape: Shape | None = None
        self.layer = nn.MaxPool2d(self.kernel, self.stride)

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Pool (N, C, H, W). Windows that straddle a line's end fall right of the new length."""
        return self.layer(x), self.output_length(seq_len)

    def output_length(self, seq_len: Tensor | None) -> Tensor | None:
        """Lengths of the outputs."""
        return None if seq_len is None else strided_length(seq_len, self.kernel[1], self.stride[1], 0, 1)

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape; 0 (variable) stays 0."""
        h, w = (
            (n - k) // s + 1 if n else 0 for n, k, s in zip(input[2:], self.kernel, self.stride, strict=True)
        )
        if h < 0 or w < 0 or (input[2] and not h) or (input[3] and not w):
            raise ValueError(
                f"Pooling window {self.kernel} is larger than the layer's input {input[2:]} (H, W)."
            )
        self.output_shape = (input[0], input[1], h, w)
        return self.output_shape
