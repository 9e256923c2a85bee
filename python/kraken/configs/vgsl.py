"""Settings for training VGSL networks: recognition and segmentation."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from kraken.configs.base import (
    RecognitionTrainingDataConfig,
    SegmentationTrainingDataConfig,
    TrainingConfig,
)
from kraken.lib import _safe_globals

RECOGNITION_SPEC = (
    "[1,120,0,1 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,13,32 Do0.1,2 Mp2,2 Cr3,9,64 Do0.1,2 Mp2,2 Cr3,9,64 "
    "Do0.1,2 S1(1x0)1,3 Lbx200 Do0.1,2 Lbx200 Do0.1,2 Lbx200 Do]"
)
SEGMENTATION_SPEC = (
    "[1,1800,0,3 Cr7,7,64,2,2 Gn32 Cr3,3,128,2,2 Gn32 Cr3,3,128 Gn32 Cr3,3,256 Gn32 Cr3,3,256 Gn32 "
    "Lbx32 Lby32 Cr1,1,32 Gn32 Lby32 Lbx32]"
)


class VGSLRecognitionTrainingDataConfig(RecognitionTrainingDataConfig):
    """Lines to train a VGSL network on.

    Attributes:
        normalization: NFC, NFD, NFKC, NFKD or None.
        normalize_whitespace: Whether runs of white space become one space.
        bidi_reordering: Whether texts are put in visual order; ``L`` and ``R`` fix the base direction.
        legacy_polygons: Whether lines are cut out the old way.
        padding: Blank columns left and right of a line.
        pixel_budget: Pixels of a training batch, which then holds as many lines of similar width as fit;
            0 = batches of the model configuration's size.
    """

    normalization: Literal["NFC", "NFD", "NFKC", "NFKD"] | None
    normalize_whitespace: bool
    bidi_reordering: bool | Literal["L", "R"]
    legacy_polygons: bool
    padding: int
    pixel_budget: int = 0

    _extensions: ClassVar[tuple[str, ...]] = ("pixel_budget",)
    _defaults: ClassVar[dict[str, Any]] = {
        "normalization": None,
        "normalize_whitespace": True,
        "bidi_reordering": True,
        "legacy_polygons": False,
        "padding": 16,
    }


class VGSLRecognitionTrainingConfig(TrainingConfig):
    """How to train a recognition network.

    Attributes:
        spec: VGSL description; the output layer is added at set-up.
        freeze_backbone: Steps during which only the output layers learn.
        resize: What to do if a loaded model's classes differ from the data's.
        keep_old: With `resize` ``union``: weight of the loss for reading old letters otherwise than the
            loaded model did. The layers before the last one then learn at a tenth of the rate. 0 for none.
    """

    spec: str
    freeze_backbone: int
    resize: str
    keep_old: float = 2.0

    _extensions: ClassVar[tuple[str, ...]] = ("keep_old",)
    _defaults: ClassVar[dict[str, Any]] = {
        "spec": RECOGNITION_SPEC,
        "freeze_backbone": 0,
        "resize": "fail",
        "quit": "early",
        "lrate": 1e-3,
    }


class BLLASegmentationTrainingDataConfig(SegmentationTrainingDataConfig):
    """Pages to train a segmentation network on.

    Attributes:
        line_width: Width in pixels of a drawn baseline after scaling.
    """

    line_width: int

    _defaults: ClassVar[dict[str, Any]] = {"line_width": 8}


class BLLASegmentationTestDataConfig(BLLASegmentationTrainingDataConfig):
    """Pages to test a segmentation network on.

    Attributes:
        test_class_mapping_mode: ``full``, ``canonical`` or ``custom``.
    """

    test_class_mapping_mode: Literal["full", "canonical", "custom"]

    _defaults: ClassVar[dict[str, Any]] = {"test_class_mapping_mode": "full"}


class BLLASegmentationTrainingConfig(TrainingConfig):
    """How to train a segmentation network.

    Attributes:
        spec: VGSL description; the output layer is added at set-up.
        padding: Pixels added left/right and top/bottom.
        resize: What to do if a loaded model's classes differ from the data's.
        bl_tol: Tolerance in pixels of the baseline score.
        dice_weight: Share of the Dice loss.
        overlays: Pages of the evaluation data, from the first on, that are drawn with what was found and the
            ground truth at each evaluation: pictures in the folder ``overlays`` beside the checkpoints.
    """

    spec: str
    padding: tuple[int, int]
    resize: str
    bl_tol: float
    dice_weight: float
    overlays: int = 0

    _extensions: ClassVar[tuple[str, ...]] = ("overlays",)
    _defaults: ClassVar[dict[str, Any]] = {
        "spec": SEGMENTATION_SPEC,
        "padding": (0, 0),
        "resize": "fail",
        "bl_tol": 10.0,
        "dice_weight": 0.5,
        "quit": "fixed",
        "epochs": 50,
        "lrate": 2e-4,
        "weight_decay": 1e-5,
        "cos_t_max": 50,
        "cos_min_lr": 2e-5,
    }


_safe_globals.register(
    VGSLRecognitionTrainingDataConfig,
    VGSLRecognitionTrainingConfig,
    BLLASegmentationTrainingDataConfig,
    BLLASegmentationTestDataConfig,
    BLLASegmentationTrainingConfig,
)
