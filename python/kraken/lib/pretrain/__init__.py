"""Unsupervised pre-training of recognition networks."""

from __future__ import annotations

from kraken.lib.vgsl.blocks.wav2vec import Wav2Vec2Mask

__all__ = ["Wav2Vec2Mask"]
