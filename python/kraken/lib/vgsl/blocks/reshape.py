"""Layers that move numbers between dimensions (spec chapter models §2.5, §2.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.blocks.lengths import Shape, ragged

WIDTH = 3


class Reshape(nn.Module):
    """Split a dimension into A×B (row-major) and move one part to another dimension.

    If `high` is the source dimension the B part moves to `low`, else the A part moves to
    `high`. The moved part becomes the slow index of its new dimension.

    Args:
        src_dim: Dimension (NCHW) that is split.
        part_a: Size of the slow part, -1 = infer.
        part_b: Size of the fast part, -1 = infer.
        high: Dimension the A part belongs to.
        low: Dimension the B part belongs to.
    """

    def __init__(self, src_dim: int, part_a: int, part_b: int, high: int, low: int) -> None:
        super().__init__()
        if src_dim not in (high, low):
            raise ValueError("One of the target dimensions of a reshape has to be its source dimension.")
        if part_a < 1 and part_b < 1:
            raise ValueError("Only one part of a reshape can be inferred.")
        self.src_dim = src_dim
        self.part_a = part_a
        self.part_b = part_b
        self.high = high
        self.low = low
        self.output_shape: Shape | None = None

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Reshape (N, C, H, W).

        Raises:
            KrakenInputException: The parts don't divide the input's size.
        """
        if WIDTH not in (self.high, self.low):
            return self._apply_to(x), seq_len
        if seq_len is not None and ragged(seq_len, x.shape[WIDTH]):
            return per_sample(x, seq_len, self._apply_to)
        y = self._apply_to(x)
        return y, None if seq_len is None else torch.full_like(seq_len, y.shape[WIDTH])

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape; a variable (0) dimension counts as 1.

        Raises:
            ValueError: The parts don't divide the source dimension.
        """
        sizes = [n or 1 for n in input]
        length = input[self.src_dim]
        if length:
            a, b = self._parts(length)
        else:
            # unknown until forward: an inferred part counts as 1
            a, b = max(1, self.part_a), max(1, self.part_b)
        if self.high == self.low:
            sizes[self.src_dim] = a * b
        elif self.high == self.src_dim:
            sizes[self.src_dim] = a
            sizes[self.low] *= b
        else:
            sizes[self.src_dim] = b
            sizes[self.high] *= a
        self.output_shape = cast(Shape, tuple(sizes))
        return self.output_shape

    def _parts(self, length: int) -> tuple[int, int]:
        a = self.part_a if self.part_a > 0 else length // self.part_b
        b = self.part_b if self.part_b > 0 else length // self.part_a
        if a * b != length or not length:
            raise ValueError(
                f"Reshape can't split a dimension of size {length} into "
                f"{self.part_a if self.part_a > 0 else 'any'}x{self.part_b if self.part_b > 0 else 'any'}."
            )
        return a, b

    def _apply_to(self, x: Tensor) -> Tensor:
        try:
            a, b = self._parts(x.shape[self.src_dim])
        except ValueError as e:
            raise KrakenInputException(str(e)) from e
        src = self.src_dim
        target = self.low if self.high == src else self.high
        shape = list(x.shape)
        split = x.reshape([*shape[:src], a, b, *shape[src + 1 :]])
        # axis numbers after the split: the parts are src and src + 1
        moved = src + 1 if self.high == src else src
        order = [axis for axis in range(5) if axis != moved]
        if target == src:
            order.insert(order.index(src if moved == src + 1 else src + 1), moved)
            shape[src] = a * b
        else:
            order.insert(order.index(target if target < src else target + 1), moved)
            shape[src] = a if self.high == src else b
            shape[target] *= b if self.high == src else a
        return split.permute(order).reshape(shape)


class Addition(nn.Module):
    """Sum of consecutive chunks of a dimension; a remainder is dropped.

    Args:
        dim: Dimension (NCHW).
        chunk_size: Size of a chunk, and of the output.
    """

    def __init__(self, dim: int, chunk_size: int) -> None:
        super().__init__()
        if not 0 <= dim <= 3:
            raise ValueError(f"Addition dimension {dim} doesn't exist.")
        if chunk_size < 1:
            raise ValueError("Chunks of an addition have to hold at least 1 element.")
        self.dim = dim
        self.chunk_size = chunk_size
        self.output_shape: Shape | None = None

    def forward(
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Add (N, C, H, W) up.

        Raises:
            KrakenInputException: The dimension is shorter than a chunk.
        """
        if self.dim == WIDTH and seq_len is not None:
            return (
                per_sample(x, seq_len, self._apply_to)
                if ragged(seq_len, x.shape[3])
                else (self._apply_to(x), torch.full_like(seq_len, self.chunk_size))
            )
        return self._apply_to(x), seq_len

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape.

        Raises:
            ValueError: The dimension is fixed and shorter than a chunk.
        """
        if 0 < input[self.dim] < self.chunk_size:
            raise ValueError(
                f"Addition can't take chunks of {self.chunk_size} from a size of {input[self.dim]}."
            )
        sizes = list(input)
        sizes[self.dim] = self.chunk_size
        self.output_shape = cast(Shape, tuple(sizes))
        return self.output_shape

    def _apply_to(self, x: Tensor) -> Tensor:
        chunks = x.shape[self.dim] // self.chunk_size
        if not chunks:
            raise KrakenInputException(
                f"Addition can't take chunks of {self.chunk_size} from a size of {x.shape[self.dim]}."
            )
        x = x.narrow(self.dim, 0, chunks * self.chunk_size)
        shape = x.shape
        split = x.reshape(*shape[: self.dim], chunks, self.chunk_size, *shape[self.dim + 1 :])
        return split.sum(self.dim)


def per_sample(x: Tensor, seq_len: Tensor, function: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Apply a function that changes widths to each sample cut to its length; pad the results with zeros.

    Raises:
        KrakenInputException: Outputs of different lines differ in channels or height, so
            they don't fit in one batch.
    """
    outputs = [function(x[i : i + 1, :, :, : max(1, int(n))]) for i, n in enumerate(seq_len.tolist())]
    sizes = {tuple(y.shape[1:3]) for y in outputs}
    if len(sizes) > 1:
        raise KrakenInputException(
            "This network makes channels or height depend on the width: lines of different widths "
            "don't fit in one batch. Use batch size 1."
        )
    widths = [y.shape[WIDTH] for y in outputs]
    batch = x.new_zeros((len(outputs), *outputs[0].shape[1:3], max(widths)))
    for row, y in zip(batch, outputs, strict=True):
        row[:, :, : y.shape[WIDTH]] = y[0]
    return batch, torch.tensor(widths, dtype=seq_len.dtype, device=seq_len.device)
