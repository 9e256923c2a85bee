"""Layers of VGSL networks, one file per family.

Every layer has ``forward(x, seq_len=None, output_shape=None) -> (y, seq_len)`` for tensors
(N, C, H, W) and ``get_shape((n, c, h, w))`` for its nominal output shape, where 0 stands for
a variable size.
"""

from __future__ import annotations

from kraken.lib.vgsl.blocks.conv import ActConv2D, MaxPool
from kraken.lib.vgsl.blocks.groups import MultiParamParallel, MultiParamSequential
from kraken.lib.vgsl.blocks.linear import LinSoftmax
from kraken.lib.vgsl.blocks.norm import GroupNorm
from kraken.lib.vgsl.blocks.reshape import Addition, Reshape
from kraken.lib.vgsl.blocks.rnn import PeepholeBidiLSTM, TransposedSummarizingRNN
from kraken.lib.vgsl.blocks.simple import Dropout, Identity
from kraken.lib.vgsl.blocks.wav2vec import Wav2Vec2Mask

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
