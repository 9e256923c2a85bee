"""Settings for inference and training; importing them needs no torch."""

from __future__ import annotations

import logging

from kraken.configs.base import (
    Config,
    RecognitionInferenceConfig,
    RecognitionTrainingDataConfig,
    SegmentationInferenceConfig,
    SegmentationTrainingDataConfig,
    TrainingConfig,
    TrainingDataConfig,
)
from kraken.configs.pretrain import VGSLPreTrainingConfig, VGSLPreTrainingDataConfig
from kraken.configs.ro import ROTrainingConfig, ROTrainingDataConfig
from kraken.configs.vgsl import (
    BLLASegmentationTestDataConfig,
    BLLASegmentationTrainingConfig,
    BLLASegmentationTrainingDataConfig,
    VGSLRecognitionTrainingConfig,
    VGSLRecognitionTrainingDataConfig,
)
from kraken.lib import _safe_globals
from kraken.registry import registry

__all__ = [
    "BLLASegmentationTestDataConfig",
    "BLLASegmentationTrainingConfig",
    "BLLASegmentationTrainingDataConfig",
    "Config",
    "ROTrainingConfig",
    "ROTrainingDataConfig",
    "RecognitionInferenceConfig",
    "RecognitionTrainingDataConfig",
    "SegmentationInferenceConfig",
    "SegmentationTrainingDataConfig",
    "TrainingConfig",
    "TrainingDataConfig",
    "VGSLPreTrainingConfig",
    "VGSLPreTrainingDataConfig",
    "VGSLRecognitionTrainingConfig",
    "VGSLRecognitionTrainingDataConfig",
]


def _register_plugins() -> None:
    """Let checkpoints hold the configurations of plug-ins, too."""
    for name, place in registry.entries("kraken.configs").items():
        if place.startswith("kraken.configs:"):
            continue
        try:
            _safe_globals.register(registry.load("kraken.configs", name))
        except Exception as e:
            # a plug-in's import can raise anything
            logging.getLogger(__name__).debug("Configuration %r (%s) can't be imported: %s", name, place, e)


_register_plugins()
