"""Settings for unsupervised pre-training of recognition networks."""

from __future__ import annotations

from typing import Any, ClassVar

from kraken.configs.vgsl import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.lib import _safe_globals


class VGSLPreTrainingDataConfig(VGSLRecognitionTrainingDataConfig):
    """Lines to pre-train on.

    `batch_size` holds where the model configuration's is left at 1.
    """

    _defaults: ClassVar[dict[str, Any]] = {"batch_size": 64}


class VGSLPreTrainingConfig(VGSLRecognitionTrainingConfig):
    """How to pre-train.

    Attributes:
        mask_width: Columns of a masked span.
        mask_prob: Share of columns to be masked.
        num_negatives: Distractors for each masked column.
        logit_temp: Divisor of the similarities.
    """

    mask_width: int
    mask_prob: float
    num_negatives: int
    logit_temp: float

    _defaults: ClassVar[dict[str, Any]] = {
        "mask_width": 4,
        "mask_prob": 0.5,
        "num_negatives": 100,
        "logit_temp": 0.1,
        "min_epochs": 100,
        "lrate": 1e-6,
        "weight_decay": 0.01,
        "schedule": "cosine",
        "cos_t_max": 100,
        "cos_min_lr": 1e-7,
        "warmup": 32000,
    }


_safe_globals.register(VGSLPreTrainingDataConfig, VGSLPreTrainingConfig)
