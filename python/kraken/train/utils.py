"""Pieces that code around training uses: trainer, callbacks, optimiser, results of tests."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import torch

from kraken.lib.baseline_score import BaselineScore
from kraken.train.callbacks import KrakenOnExceptionCheckpoint
from kraken.train.optim import configure_optimizer_and_lr_scheduler
from kraken.train.trainer import KrakenTrainer

__all__ = [
    "KrakenOnExceptionCheckpoint",
    "KrakenTrainer",
    "RecognitionTestMetrics",
    "SegmentationTestMetrics",
    "configure_optimizer_and_lr_scheduler",
    "validation_worker_init_fn",
]


@dataclass
class RecognitionTestMetrics:
    """Result of a test of a recognition model.

    `cer`, `wer` and `case_insensitive_cer` hold accuracies, one minus the rate that they are named
    after: callers rely on it.

    Attributes:
        character_counts: Code points of the ground truth and their numbers.
        num_errors: Edit distance, summed over all lines.
        cer: Character accuracy.
        wer: Word accuracy.
        case_insensitive_cer: Character accuracy without regard to case.
        confusions: (correct, generated) → count.
        scripts: Script → characters of the ground truth.
        insertions: Characters that aren't in the ground truth.
        deletes: Script → missing characters.
        substitutions: Script → wrong characters.
        lines: (character errors, characters, word errors, words) of each line, in order.
    """

    character_counts: Counter[str]
    num_errors: int
    cer: float
    wer: float
    case_insensitive_cer: float
    confusions: Counter[tuple[str, str]]
    scripts: Counter[str]
    insertions: int
    deletes: Counter[str]
    substitutions: Counter[str]
    lines: list[tuple[int, int, int, int]] = field(default_factory=list, repr=False)


@dataclass
class SegmentationTestMetrics:
    """Result of a test of a segmentation model.

    Attributes:
        class_pixel_accuracy: Share of right pixels, per auxiliary and region channel by index.
        mean_accuracy: Mean of these.
        class_iu: Intersection over union of the same channels.
        mean_iu: Mean of these.
        freq_iu: Mean weighted by the ground truth's pixels.
        region_iu: Intersection over union of all regions together, None without regions.
        bl_precision: Precision of baselines, mean over pages.
        bl_recall: Recall of baselines.
        bl_f1: Harmonic mean of both.
        bl_detection_per_class: Line class → precision, recall, f1.
        bl_by_set: Folder of pages → figures of :mod:`kraken.lib.baseline_score`, ``''`` being all pages.
        region_precision: Region class → average precision at an overlap of 0.5, and the mean over the
            thresholds of :mod:`kraken.lib.region_score`.
    """

    class_pixel_accuracy: torch.Tensor
    mean_accuracy: torch.Tensor
    class_iu: torch.Tensor
    mean_iu: torch.Tensor
    freq_iu: torch.Tensor
    region_iu: torch.Tensor | None
    bl_precision: float
    bl_recall: float
    bl_f1: float
    bl_detection_per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    bl_by_set: dict[str, BaselineScore] = field(default_factory=dict)
    region_precision: dict[str, tuple[float, float]] = field(default_factory=dict)


def validation_worker_init_fn(worker_id: int) -> None:
    """Makes loader processes of evaluations repeat themselves."""
    random.seed(42)
    np.random.seed(42)
    torch.manual_seed(42)
