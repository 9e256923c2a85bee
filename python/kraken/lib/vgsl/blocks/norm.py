"""Group normalisation of padded batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kraken.lib.vgsl.blocks.lengths import Shape, plain, ragged, sample_ends, valid_columns, zero_tails


class GroupNorm(nn.Module):
    """Group normalisation (Wu & He 2018) that ignores the padding of shorter samples.

    Args:
        in_channels: Channels of the input.
        num_groups: Number of groups, a divisor of the channels.
    """

    def __init__(self, in_channels: int, num_groups: int) -> None:
        super().__init__()
        if num_groups < 1 or in_channels % num_groups:
            raise ValueError(f"{num_groups} groups don't divide {in_channels} channels.")
        self.in_channels = in_channels
        self.num_groups = num_groups
        self.output_shape: Shape | None = None
        self.layer = nn.GroupNorm(num_groups, in_channels)

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Normalise (N, C, H, W) with float32 statistics; columns beyond a sample's end become 0."""
        weight, bias = self.layer.weight.float(), self.layer.bias.float()
        data = x.float() if x.dtype.itemsize < 4 else x
        if data.dtype != weight.dtype:
            weight, bias = self.layer.weight.to(data.dtype), self.layer.bias.to(data.dtype)
        if seq_len is None or not ragged(seq_len, x.shape[3]):
            # the function of torch.nn refuses groups of one number, which short lines can make
            y = torch.group_norm(data, self.num_groups, weight, bias, self.layer.eps)
            return y.to(x.dtype), seq_len
        normalise = self._one_by_one if plain(data) else self._masked
        return normalise(data, seq_len, weight, bias).to(x.dtype), seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape: that of the input."""
        self.output_shape = input
        return input

    def _one_by_one(self, x: Tensor, seq_len: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ends = sample_ends(seq_len, x.shape[3])
        y = torch.empty_like(x)
        zero_tails(y, ends)
        for source, target, end in zip(x, y, ends, strict=True):
            sample = source[None, ..., :end]
            target[..., :end] = torch.group_norm(sample, self.num_groups, weight, bias, self.layer.eps)[0]
        return y

    def _masked(self, x: Tensor, seq_len: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        n, c, h, w = x.shape
        mask = valid_columns(seq_len, w, x.device)
        grouped = x.masked_fill(~mask, 0).view(n, self.num_groups, -1, w)
        columns = mask.sum(dim=3, keepdim=True)
        count = columns * (c // self.num_groups * h)
        mean = grouped.sum(dim=(2, 3), keepdim=True) / count
        centred = (grouped - mean).masked_fill(~mask, 0)
        var = centred.square().sum(dim=(2, 3), keepdim=True) / count
        normed = (centred * (var + self.layer.eps).rsqrt()).view(n, c, h, w)
        y = normed * weight[None, :, None, None] + bias[None, :, None, None]
        return y.masked_fill(~mask, 0)
