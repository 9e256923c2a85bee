"""Unsupervised pre-training of recognition networks.

The trainer and its data module are loaded on first use, as they need lightning.
"""

from __future__ import annotations

import importlib
from typing import Any

from kraken.lib.vgsl.blocks.wav2vec import Wav2Vec2Mask

#: Public name → module.
_NAMES = {
    "PretrainDataModule": "kraken.train.pretraining",
    "RecognitionPretrainModel": "kraken.train.pretraining",
}

__all__ = ["PretrainDataModule", "RecognitionPretrainModel", "Wav2Vec2Mask"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value
