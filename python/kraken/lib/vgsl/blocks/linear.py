"""1-D output layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kraken.lib.vgsl.blocks.init import resize_rows
from kraken.lib.vgsl.blocks.lengths import Shape


class LinSoftmax(nn.Module):
    """Linear map of the channel vector at every position; gives logits in both modes.

    Args:
        input_size: Channels of the input.
        output_size: Number of classes.
        augmentation: Whether a constant 1 is put before the input vector.
    """

    def __init__(self, input_size: int, output_size: int, augmentation: bool = False) -> None:
        super().__init__()
        self.input_size = input_size
        self.output_size = output_size
        self.augmentation = augmentation
        self.output_shape: Shape | None = None
        self.lin = nn.Linear(input_size + int(augmentation), output_size)

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Map (N, C, H, W) to (N, classes, H, W)."""
        x = x.transpose(1, 3)
        if self.augmentation:
            x = torch.cat([x.new_ones((*x.shape[:3], 1)), x], dim=3)
        return self.lin(x).transpose(1, 3), seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape."""
        self.output_shape = (input[0], self.output_size, input[2], input[3])
        return self.output_shape

    def resize(self, output_size: int, del_indices: Sequence[int] | None = None) -> None:
        """Drop the classes `del_indices` and add new ones up to `output_size`."""
        weight, bias = resize_rows(self.lin.weight, self.lin.bias, output_size, del_indices)
        self.lin.weight = weight
        assert bias is not None  # the layer is always built with a bias
        self.lin.bias = bias
        self.lin.out_features = self.output_size = output_size
