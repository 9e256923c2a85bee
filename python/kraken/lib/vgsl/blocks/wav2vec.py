"""Masking layer of wav2vec 2.0 pre-training (Baevski et al. 2020; spec chapter models §2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.blocks.lengths import Shape
from kraken.models.base import BaseModel

#: columns that stay unmasked between two masked spans, at least
SPAN_DISTANCE = 2


class MaskedFeatures(NamedTuple):
    """Features of lines with masked columns.

    Attributes:
        output: Features (N, C, 1, W) with the learned vector in the masked columns.
        targets: Projected features (N, K, D) of the K masked columns of each line.
        negatives: Distractors (negatives, N, K) of each masked column: numbers below K of others.
        mask: Where columns are masked (N, W).
    """

    output: Tensor
    targets: Tensor
    negatives: Tensor
    mask: Tensor


class Wav2Vec2Mask(nn.Module, BaseModel):
    """Replaces spans of time steps by a learned vector and samples what a network has to tell apart.

    Args:
        context_encoder_input_dim: Channels of the features.
        final_dim: Size of the projected features.
        mask_width: Columns of a span.
        mask_prob: Share of columns to be masked, roughly.
        num_negatives: Distractors for each masked column.
    """

    _kraken_min_version = "5.0.0"

    def __init__(
        self,
        context_encoder_input_dim: int,
        final_dim: int,
        mask_width: int,
        mask_prob: float,
        num_negatives: int,
        **metadata: Any,
    ) -> None:
        super().__init__()
        for what, value in (("mask_width", mask_width), ("num_negatives", num_negatives)):
            if value < 1:
                raise ValueError(f"{what} has to be at least 1, not {value}.")
        if mask_prob < 0:
            raise ValueError(f"mask_prob can't be negative: {mask_prob}.")
        self.context_encoder_input_dim = context_encoder_input_dim
        self.final_dim = final_dim
        self.mask_width = mask_width
        self.mask_prob = mask_prob
        self.num_negatives = num_negatives
        self.output_shape: Shape | None = None
        self.mask_emb = nn.Embedding(1, context_encoder_input_dim)
        self.project_q = nn.Linear(context_encoder_input_dim, final_dim)
        self.user_metadata = {
            "context_encoder_input_dim": context_encoder_input_dim,
            "final_dim": final_dim,
            "mask_width": mask_width,
            "mask_prob": mask_prob,
            "num_negatives": num_negatives,
            **metadata,
        }

    @property
    def model_type(self) -> list[str]:
        """``['pretrain']``."""
        return ["pretrain"]

    def prepare_for_inference(self, config: Any) -> None:
        """Nothing to do: the layer is for training only."""

    @property
    def least_spans(self) -> int:
        """Spans in the shortest line that can be masked: there have to be two columns to tell apart."""
        return -(-2 // self.mask_width)

    @property
    def min_columns(self) -> int:
        """Columns of the shortest line worth masking: the least spans, and something left to guess from."""
        spans = self.least_spans
        return spans * self.mask_width + max(1, (spans - 1) * SPAN_DISTANCE)

    def forward(
        self, inputs: Tensor, seq_len: Tensor | None = None, generator: torch.Generator | None = None
    ) -> dict[str, Any]:
        """Mask features (N, C, 1, W).

        Args:
            inputs: The features.
            seq_len: Columns (N) of each line without padding; None = all.
            generator: Source of the random numbers, on the CPU; None = torch's own.

        Returns:
            ``output`` (N, C, 1, W), the masked features; ``unmasked_samples`` (N, K, D), projected
            features of the K masked columns; ``negative_samples`` (negatives, N, K, D); ``seq_len``;
            ``mask`` (N, W), true where masked.

        Raises:
            KrakenInputException: The features are higher than 1, or a line is too short to hold
                two masked columns.
        """
        masked = self.sample(inputs, seq_len, generator)
        line = torch.arange(len(inputs), device=inputs.device)[None, :, None].expand_as(masked.negatives)
        return {
            "output": masked.output,
            "unmasked_samples": masked.targets,
            "negative_samples": masked.targets[line, masked.negatives],
            "seq_len": seq_len,
            "mask": masked.mask,
        }

    def sample(
        self, inputs: Tensor, seq_len: Tensor | None = None, generator: torch.Generator | None = None
    ) -> MaskedFeatures:
        """Mask features and say by number which columns are each other's distractors.

        Arguments and errors as for :meth:`forward`, whose negative samples take a hundred times the memory.
        """
        n, c, h, w = inputs.shape
        if h != 1:
            raise KrakenInputException(f"Height has to be 1 for masking, not {h}.")
        features = inputs.squeeze(2).transpose(1, 2)
        mask = self._sample_mask(n, w, seq_len, generator).to(inputs.device)
        output = torch.where(mask.unsqueeze(2), self.mask_emb.weight.to(features.dtype), features)
        targets: Tensor = self.project_q(features[mask].view(n, -1, c))
        negatives = self._sample_negatives(n, targets.shape[1], generator).to(inputs.device)
        return MaskedFeatures(output.transpose(1, 2).unsqueeze(2), targets, negatives, mask)

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape: that of the input."""
        self.output_shape = input
        return input

    def _sample_mask(
        self, n: int, width: int, seq_len: Tensor | None, generator: torch.Generator | None = None
    ) -> Tensor:
        ends = [width] * n if seq_len is None else seq_len.clamp(0, width).tolist()
        mask = torch.zeros((n, width), dtype=torch.bool)
        for row, end in zip(mask, ends, strict=True):
            for start in self._sample_starts(end, generator):
                row[start : start + self.mask_width] = True
        counts = mask.sum(dim=1)
        keep = int(counts.min())
        if keep < 2:
            raise KrakenInputException(
                f"A line of {min(ends)} columns is too short to be masked in spans of {self.mask_width}."
            )
        for row, count in zip(mask, counts.tolist(), strict=True):
            masked = row.nonzero().squeeze(1)
            row[masked[torch.randperm(count, generator=generator)[keep:]]] = False
        return mask

    def _sample_starts(self, width: int, generator: torch.Generator | None = None) -> list[int]:
        """First columns of the spans of one line, uniform over all arrangements that fit."""
        pitch = self.mask_width + SPAN_DISTANCE
        share = self.mask_prob * width / self.mask_width
        # a line without any span would leave its batch without any
        wanted = max(self.least_spans, int(share + float(torch.rand((), generator=generator))))
        spans = min(wanted, (width + SPAN_DISTANCE) // pitch)
        if spans < 1:
            return []
        # n spans with gaps correspond to n distinct cells of a line without the spans
        cells = width + SPAN_DISTANCE - spans * (pitch - 1)
        chosen = torch.randperm(cells, generator=generator)[:spans].sort().values.tolist()
        return [cell + i * (pitch - 1) for i, cell in enumerate(chosen)]

    def _sample_negatives(self, n: int, k: int, generator: torch.Generator | None) -> Tensor:
        """Numbers (negatives, N, K) of other masked columns of the same line."""
        other = torch.randint(k - 1, (self.num_negatives, n, k), generator=generator)
        # skip the column itself
        return other + (other >= torch.arange(k))


class InlineWav2Vec2Mask(Wav2Vec2Mask):
    """The masking layer inside a VGSL network: masks in training, does nothing in evaluation."""

    def forward(  # type: ignore[override]
        self, x: Tensor, seq_len: Tensor | None = None, output_shape: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Mask (N, C, 1, W) in training mode."""
        if not self.training:
            return x, seq_len
        masked: Tensor = super().forward(x, seq_len)["output"]
        return masked, seq_len
