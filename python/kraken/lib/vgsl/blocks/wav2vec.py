"""Masking layer of wav2vec 2.0 pre-training (Baevski et al. 2020; spec chapter models §2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from kraken.lib.exceptions import KrakenInputException
from kraken.lib.vgsl.blocks.lengths import Shape
from kraken.models.base import BaseModel

#: columns that stay unmasked between two masked spans, at least
SPAN_DISTANCE = 2


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

    def forward(self, inputs: Tensor, seq_len: Tensor | None = None) -> dict[str, Any]:
        """Mask features (N, C, 1, W).

        Returns:
            ``output`` (N, C, 1, W), the masked features; ``unmasked_samples`` (N, K, D), projected
            features of the K masked columns; ``negative_samples`` (negatives, N, K, D); ``seq_len``;
            ``mask`` (N, W), true where masked.

        Raises:
            KrakenInputException: The features are higher than 1, or a line is too short to hold
                two masked columns.
        """
        n, c, h, w = inputs.shape
        if h != 1:
            raise KrakenInputException(f"Height has to be 1 for masking, not {h}.")
        features = inputs.squeeze(2).transpose(1, 2)
        mask = self._sample_mask(n, w, seq_len).to(inputs.device)
        output = torch.where(mask.unsqueeze(2), self.mask_emb.weight.to(features.dtype), features)
        unmasked = features[mask].view(n, -1, c)
        projected = self.project_q(unmasked)
        return {
            "output": output.transpose(1, 2).unsqueeze(2),
            "unmasked_samples": projected,
            "negative_samples": self._sample_negatives(projected),
            "seq_len": seq_len,
            "mask": mask,
        }

    def get_shape(self, input: Shape, target_shape: Sequence[int] | None = None) -> Shape:
        """Nominal output shape: that of the input."""
        self.output_shape = input
        return input

    def _sample_mask(self, n: int, width: int, seq_len: Tensor | None) -> Tensor:
        ends = [width] * n if seq_len is None else seq_len.clamp(0, width).tolist()
        mask = torch.zeros((n, width), dtype=torch.bool)
        for row, end in zip(mask, ends, strict=True):
            for start in self._sample_starts(end):
                row[start : start + self.mask_width] = True
        counts = mask.sum(dim=1)
        keep = int(counts.min())
        if keep < 2:
            raise KrakenInputException(
                f"A line of {min(ends)} columns is too short to be masked in spans of {self.mask_width}."
            )
        for row, count in zip(mask, counts.tolist(), strict=True):
            masked = row.nonzero().squeeze(1)
            row[masked[torch.randperm(count)[keep:]]] = False
        return mask

    def _sample_starts(self, width: int) -> list[int]:
        """First columns of the spans of one line, uniform over all arrangements that fit."""
        pitch = self.mask_width + SPAN_DISTANCE
        wanted = int(self.mask_prob * width / self.mask_width + float(torch.rand(())))
        spans = min(wanted, (width + SPAN_DISTANCE) // pitch)
        if spans < 1:
            return []
        # n spans with gaps correspond to n distinct cells of a line without the spans
        cells = width + SPAN_DISTANCE - spans * (pitch - 1)
        chosen = torch.randperm(cells)[:spans].sort().values.tolist()
        return [cell + i * (pitch - 1) for i, cell in enumerate(chosen)]

    def _sample_negatives(self, projected: Tensor) -> Tensor:
        n, k, _ = projected.shape
        other = torch.randint(k - 1, (self.num_negatives, n, k), device=projected.device)
        # skip the column itself
        other = other + (other >= torch.arange(k, device=projected.device))
        sample = torch.arange(n, device=projected.device)[None, :, None].expand_as(other)
        return projected[sample, other]


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
