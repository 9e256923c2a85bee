"""Training of networks.

Names are loaded when they are asked for: importing the package needs neither torch nor lightning.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.train.base import KrakenTrainerModule as KrakenTrainerModule
    from kraken.train.recognition import VGSLRecognitionDataModule as VGSLRecognitionDataModule
    from kraken.train.recognition import VGSLRecognitionModel as VGSLRecognitionModel
    from kraken.train.trainer import KrakenTrainer as KrakenTrainer

#: Public name → module.
_NAMES = {
    "BLLASegmentationDataModule": "kraken.train.segmentation",
    "BLLASegmentationModel": "kraken.train.segmentation",
    "KrakenTrainer": "kraken.train.trainer",
    "KrakenTrainerModule": "kraken.train.base",
    "VGSLRecognitionDataModule": "kraken.train.recognition",
    "VGSLRecognitionModel": "kraken.train.recognition",
}

__all__ = [
    "BLLASegmentationDataModule",
    "BLLASegmentationModel",
    "KrakenTrainer",
    "KrakenTrainerModule",
    "VGSLRecognitionDataModule",
    "VGSLRecognitionModel",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
