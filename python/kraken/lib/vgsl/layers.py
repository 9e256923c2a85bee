"""Layers of VGSL networks under their public names."""

from __future__ import annotations

from kraken.lib.vgsl.blocks import (
    ActConv2D,
    Addition,
    Dropout,
    GroupNorm,
    Identity,
    LinSoftmax,
    MaxPool,
    MultiParamParallel,
    MultiParamSequential,
    PeepholeBidiLSTM,
    Reshape,
    TransposedSummarizingRNN,
    Wav2Vec2Mask,
)

__all__ = [
    "ActConv2D",
    "Addition",
    "Dropout",
    "GroupNorm",
    "Identity",
    "LinSoftmax",
    "MaxPool",
    "MultiParamParallel",
    "MultiParamSequential",
    "PeepholeBidiLSTM",
    "Reshape",
    "TransposedSummarizingRNN",
    "Wav2Vec2Mask",
]
