"""Settings for training reading-order models."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from kraken.configs.base import SegmentationTrainingDataConfig, TrainingConfig, _Counter, numbered
from kraken.lib import _safe_globals


class ROTrainingDataConfig(SegmentationTrainingDataConfig):
    """Pages to train a reading-order model on.

    Attributes:
        level: ``baselines`` or ``regions``.
        reading_order: Name of the order to learn, None = the implicit one of the level.
        class_mapping: Type → class; by default types get numbers from 1, 0 is any unknown type.
    """

    level: Literal["baselines", "regions"]
    reading_order: str | None
    class_mapping: dict[str, int]

    _defaults: ClassVar[dict[str, Any]] = {
        "level": "baselines",
        "reading_order": None,
        "class_mapping": None,
        "batch_size": 15000,
    }

    @staticmethod
    def _fresh() -> dict[str, Any]:
        return {"class_mapping": numbered(_Counter(1))}


class ROTrainingConfig(TrainingConfig):
    """How to train a reading-order model."""

    _defaults: ClassVar[dict[str, Any]] = {
        "lrate": 1e-3,
        "min_epochs": 500,
        "epochs": 3000,
        "lag": 300,
        "weight_decay": 0.01,
        "schedule": "cosine",
        "cos_t_max": 100,
        "cos_min_lr": 1e-5,
    }


_safe_globals.register(ROTrainingDataConfig, ROTrainingConfig)
