"""Layers without parameters: dropout and identity."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from kraken.lib.vgsl.blocks.lengths import Shape


class Dropout(nn.Module):
    """Dropout.

    Args:
        p: Probability of being dropped.
        dim: 1 drops elements, 2 drops whole channels.
    """

    def __init__(self, p: float, dim: int) -> None:
        super().__init__()
        if dim not in (1, 2):
            raise ValueError(f"Dropout dimension has to be 1 (elements) or 2 (channels), not {dim}.")
        self.p = p
        self.dim = dim
        self.output_shape: Shape | None = None
        self.layer: nn.Module = nn.Dropout(p) if dim == 1 else nn.Dropout2d(p)

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Drop in training mode, else do nothing."""
        return self.layer(x), seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape: that of the input."""
        self.output_shape = input
        return input


class Identity(nn.Module):
    """Gives its input."""

    def __init__(self) -> None:
        super().__init__()
        self.output_shape: Shape | None = None

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Give the input."""
        return x, seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape: that of the input."""
        self.output_shape = input
        return input
