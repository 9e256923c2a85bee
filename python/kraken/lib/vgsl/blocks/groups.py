"""Layers in series and in parallel (spec chapter models §1.4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.blocks.conv import ActConv2D
from kraken.lib.vgsl.blocks.fused import fusible
from kraken.lib.vgsl.blocks.lengths import Shape


class MultiParamSequential(nn.Sequential):
    """Layers one after the other, with sequence lengths."""

    output_shape: Shape | None = None

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Run all layers; only the last one hears of the wished size (H, W)."""
        layers = list(self)
        # what evaluation gives must not depend on the number of threads or the machine
        fuse = torch.is_grad_enabled() and self.training
        i = 0
        while i < len(layers):
            fused = fusible(layers[i:]) if fuse else None
            if fused is not None and fused.suits(x):
                x, seq_len = fused(x, seq_len)
                i += fused.count
                continue
            x, seq_len = layers[i](x, seq_len, output_shape if i == len(layers) - 1 else None)
            i += 1
        return x, seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape."""
        shape = input
        last = len(self) - 1
        for i, module in enumerate(self):
            shape = module.get_shape(shape, target_shape if i == last else None)  # type: ignore[operator]
        self.output_shape = shape
        return shape


class MultiParamParallel(nn.Module):
    """Branches that get the same input; their outputs are concatenated along the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.output_shape: Shape | None = None

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Run all branches; the size of the first one's output is the wish for the others.

        Raises:
            KrakenInputException: The branches disagree about the size of the output.
        """
        outputs: list[Tensor] = []
        lengths: list[Tensor | None] = []
        for branch in self.children():
            y, length = branch(x, seq_len, output_shape)
            output_shape = tuple(y.shape[2:])
            outputs.append(y)
            # an enlarged transposed convolution ends where the branch it was fitted to does
            lengths.append(lengths[0] if lengths and ends_transposed(branch) else length)
        if len({tuple(y.shape[2:]) for y in outputs}) > 1:
            sizes = [tuple(y.shape[2:]) for y in outputs]
            raise KrakenInputException(
                f"Branches of parallel block {self.names!r} give different sizes: {sizes}."
            )
        if seq_len is not None and any(not torch.equal(a, lengths[0]) for a in lengths):  # type: ignore[arg-type]
            raise KrakenInputException(f"Branches of parallel block {self.names!r} give different lengths.")
        return torch.cat(outputs, dim=1), lengths[-1]

    @property
    def names(self) -> str:
        """Names of the branches."""
        return " ".join(name for name, _ in self.named_children())

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape.

        Raises:
            ValueError: The branches give different heights or widths.
        """
        channels, sizes = 0, []
        for branch in self.children():
            shape = branch.get_shape(input, target_shape)  # type: ignore[operator]
            target_shape = shape[2:]
            channels += shape[1]
            sizes.append(shape[2:])
        if len(set(sizes)) > 1:
            raise ValueError(f"Output shape in parallel block not equal! {self.names}: {sizes} (H, W)")
        self.output_shape = (input[0], channels, *sizes[0])
        return self.output_shape


def ends_transposed(module: nn.Module) -> bool:
    """Whether the last layer of a branch is a transposed convolution."""
    while isinstance(module, MultiParamSequential) and len(module):
        module = module[-1]
    return isinstance(module, ActConv2D) and module.transposed
