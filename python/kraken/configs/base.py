"""Settings of inference and training that don't depend on the kind of network (spec chapter configs).

The classes are bags of attributes: keywords only, no validation; keywords that a class
doesn't know are ignored, since callers build several configurations from one dictionary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from kraken.configs._fields import fill, restore, root
from kraken.containers import Region
from kraken.lib import _safe_globals
from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.segmentation import polygonal_reading_order, reading_order


class ModelDefault(str):
    """A default that the metadata of a model may replace; a plain text that is equal to it may not.

    So a configuration made without ``text_direction`` follows the model, and one made with it doesn't.
    """

    __slots__ = ()


class _Counter:
    """Gives consecutive numbers.

    Args:
        start: First number.

    Attributes:
        n: Next number.
    """

    def __init__(self, start: int = 2) -> None:
        self.n = start

    def __call__(self) -> int:
        """Give the next number."""
        n = self.n
        self.n += 1
        return n


def numbered(counter: _Counter) -> defaultdict[str, int]:
    """Mapping that gives each new name the counter's next number."""
    return defaultdict(counter)


@root
class Config:
    """How to compute: common to inference and training.

    Attributes:
        precision: One of :data:`kraken.registry.PRECISIONS`.
        accelerator: cpu, gpu, mps, tpu, hpu or auto.
        device: Index or list of indices of devices.
        batch_size: Lines in one forward pass.
        compile_config: Arguments of ``torch.compile``, None = off; set by keyword `compile`.
        raise_on_error: Whether a malformed line raises instead of being skipped.
        num_threads: Threads inside one operation.
    """

    precision: str
    accelerator: str
    device: str | int | list[int]
    batch_size: int
    compile_config: dict[str, Any] | None
    raise_on_error: bool
    num_threads: int

    _defaults: ClassVar[dict[str, Any]] = {
        "precision": "32-true",
        "accelerator": "auto",
        "device": "auto",
        "batch_size": 1,
        "compile_config": None,
        "raise_on_error": False,
        "num_threads": 1,
    }

    def __init__(self, **kwargs: Any) -> None:
        fill(self, kwargs)
        if "compile" in kwargs:
            self.compile_config = kwargs["compile"]

    def __getstate__(self) -> dict[str, Any]:
        """All fields but untouched defaults that a model may replace: they are the same on the other side."""
        return {name: value for name, value in self.__dict__.items() if not isinstance(value, ModelDefault)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore(self, state)


class RecognitionInferenceConfig(Config):
    """How to recognise lines.

    Attributes:
        temperature: Divisor of the logits before the softmax.
        return_logits: Whether records carry the logits.
        return_line_image: Whether records carry the line's image.
        padding: Blank columns left and right of a line.
        num_line_workers: Helpers that extract lines, 0 = none.
        no_legacy_polygons: Whether the new line extraction is used whatever the model says.
        linetype: ``baselines``, ``bbox`` or None = what the model was trained on.
        decoder: Function from a matrix of probabilities to (label, start, end, confidence); or what
            :func:`kraken.lib.decoders.resolve_decoder` knows by name: ``"beam"``, or
            ``("beam", {"beam_size": 32})``. Without any the best path, or what ``use_language_model`` says.
        bidi_reordering: Whether to reorder to logical order. True takes the base direction that
            the model states in its metadata, else that of each line's first strong character;
            ``auto`` always the latter; ``L`` and ``R`` fix it.
        text_direction: Writing mode of the page, for documents that state one.
        use_language_model: Whether the language model that came with the recognition model is used: by
            default unless a decoder is given. Models of the package may have one.
    """

    use_language_model: bool = True
    _extensions: ClassVar[tuple[str, ...]] = ("use_language_model",)

    temperature: float
    return_logits: bool
    return_line_image: bool
    padding: int
    num_line_workers: int
    no_legacy_polygons: bool
    linetype: Literal["baselines", "bbox"] | None
    decoder: Callable[..., Any] | str | tuple[str, dict[str, Any]]
    bidi_reordering: bool | Literal["L", "R", "auto"]
    text_direction: str

    _defaults: ClassVar[dict[str, Any]] = {
        "temperature": 1.0,
        "return_logits": False,
        "return_line_image": False,
        "padding": 16,
        "num_line_workers": 2,
        "no_legacy_polygons": False,
        "linetype": None,
        "decoder": greedy_decoder,
        "bidi_reordering": True,
        "text_direction": "horizontal-tb",
    }

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("decoder") is greedy_decoder:  # with any other decoder there is no question
            kwargs.setdefault("use_language_model", False)
        super().__init__(**kwargs)


class SegmentationInferenceConfig(Config):
    """How to segment pages.

    Attributes:
        text_direction: Principal direction of the text; by default the one that the model states
            in its metadata, else ``horizontal-lr``.
        legacy_scale: Scale of the box segmenter, None = estimated.
        legacy_maxcolseps: Column separators the box segmenter looks for.
        legacy_black_colseps: Whether these are black instead of white.
        legacy_no_hlines: Whether the box segmenter removes horizontal lines.
        bbox_line_padding: Pixels added to the boxes.
        input_padding: Pixels added to the page: all sides, (x, y) or (left, top, right, bottom).
        bbox_ro_fn: Reading order of boxes.
        baseline_ro_fn: Reading order of baselines.
        join_gap: Join fragments that continue each other across gaps of at most so many line distances,
            within a region and class; 0 = leave them. See
            :func:`kraken.lib.segmentation.join_baseline_fragments`.
        split_at_regions: Whether lines are split where they enter or leave a region.
        regions: Regions by type that are given beforehand, None = found by the network. Lines are split at
            their borders, and those outside dropped.
        keep_outside: Whether lines outside of given regions are kept.
        min_confidence: Leave out lines of which the network is less sure than this on average, from 0
            (keep all) to 1; None = what the model states as ``min_confidence`` in its metadata, else 0. Of
            what the model states, one doubtful line for 25 sure ones is let pass: a page number mostly.
    """

    join_gap: float = 0.0
    split_at_regions: bool = False
    regions: Mapping[str, Sequence[Region]] | None = None
    keep_outside: bool = False
    min_confidence: float | None = None
    _extensions: ClassVar[tuple[str, ...]] = (
        "join_gap",
        "split_at_regions",
        "regions",
        "keep_outside",
        "min_confidence",
    )

    text_direction: str
    legacy_scale: float | None
    legacy_maxcolseps: int
    legacy_black_colseps: bool
    legacy_no_hlines: bool
    bbox_line_padding: int | tuple[int, int]
    input_padding: int | tuple[int, int] | tuple[int, int, int, int]
    bbox_ro_fn: Callable[..., Any]
    baseline_ro_fn: Callable[..., Any]

    _defaults: ClassVar[dict[str, Any]] = {
        "text_direction": ModelDefault("horizontal-lr"),
        "legacy_scale": None,
        "legacy_maxcolseps": 2,
        "legacy_black_colseps": False,
        "legacy_no_hlines": True,
        "bbox_line_padding": 0,
        "input_padding": 0,
        "bbox_ro_fn": reading_order,
        "baseline_ro_fn": polygonal_reading_order,
    }


class TrainingConfig(Config):
    """How to train.

    Attributes:
        epochs: Number of epochs for quit ``fixed``, -1 = no limit.
        completed_epochs: Epochs of the schedule that are done already.
        freq: Epochs between evaluations; below 1 a fraction of an epoch.
        checkpoint_path: Directory of checkpoints.
        weights_format: Name of the writer of the final weights.
        optimizer: One of :data:`kraken.registry.OPTIMIZERS`.
        lrate: Learning rate.
        momentum: Momentum (SGD and RMSprop).
        weight_decay: Weight decay.
        gradient_clip_val: Largest global norm of the gradient.
        accumulate_grad_batches: Batches in one optimiser step.
        schedule: One of :data:`kraken.registry.SCHEDULERS`.
        warmup: Optimiser steps of linear warm-up.
        step_size: Epochs between decays (schedule ``step``).
        gamma: Decay (schedules ``exponential`` and ``step``).
        rop_factor: Decay (schedule ``reduceonplateau``).
        rop_patience: Epochs without progress before a decay (same).
        cos_t_max: Epochs to the minimum (schedule ``cosine``).
        cos_min_lr: Minimum (same).
        quit: ``early`` or ``fixed``.
        min_epochs: Least number of epochs.
        lag: Evaluations without progress before early stopping.
        min_delta: Least improvement that counts as progress.
        ema_decay: Decay of the moving average of the weights, which is evaluated and saved instead of
            the last weights; 0 = off.
    """

    epochs: int
    completed_epochs: int
    freq: float
    checkpoint_path: str
    weights_format: str
    optimizer: str
    lrate: float
    momentum: float
    weight_decay: float
    gradient_clip_val: float
    accumulate_grad_batches: int
    schedule: str
    warmup: int
    step_size: int
    gamma: float
    rop_factor: float
    rop_patience: int
    cos_t_max: int
    cos_min_lr: float
    quit: str
    min_epochs: int
    lag: int
    min_delta: float
    ema_decay: float = 0.0

    _extensions: ClassVar[tuple[str, ...]] = ("ema_decay",)
    _defaults: ClassVar[dict[str, Any]] = {
        "epochs": -1,
        "completed_epochs": 0,
        "freq": 1.0,
        "checkpoint_path": "model",
        "weights_format": "safetensors",
        "optimizer": "AdamW",
        "lrate": 1e-5,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "gradient_clip_val": 1.0,
        "accumulate_grad_batches": 1,
        "schedule": "constant",
        "warmup": 0,
        "step_size": 10,
        "gamma": 0.1,
        "rop_factor": 0.1,
        "rop_patience": 5,
        "cos_t_max": 10,
        "cos_min_lr": 1e-6,
        "quit": "fixed",
        "min_epochs": 0,
        "lag": 10,
        "min_delta": 0.0,
    }


@root
class TrainingDataConfig:
    """What to train on.

    Attributes:
        training_data: Paths or containers.
        evaluation_data: Paths or containers.
        test_data: Paths or containers.
        partition: Share of the training data that is trained on if there is no evaluation data.
        num_workers: Loader processes.
        augment: Whether images are distorted at random.
        batch_size: Samples in a batch.
        partition_seed: What the partition was drawn with, so that a resumed run has the same; -1 =
            drawn anew and set.
    """

    training_data: Sequence[Any] | None
    evaluation_data: Sequence[Any] | None
    test_data: Sequence[Any] | None
    partition: float
    num_workers: int
    augment: bool
    batch_size: int
    partition_seed: int = -1

    _extensions: ClassVar[tuple[str, ...]] = ("partition_seed",)
    _defaults: ClassVar[dict[str, Any]] = {
        "training_data": None,
        "evaluation_data": None,
        "test_data": None,
        "partition": 0.9,
        "num_workers": 1,
        "augment": False,
        "batch_size": 1,
    }

    def __init__(self, **kwargs: Any) -> None:
        fill(self, kwargs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore(self, state)


class RecognitionTrainingDataConfig(TrainingDataConfig):
    """Lines to train on.

    Attributes:
        binary_dataset_split: Whether compiled data sets bring their own split.
        format_type: ``xml``, ``alto``, ``page``, ``path`` or ``binary``.
        linetype: ``baselines``, ``bbox`` or None.
        codec: Mapping, list of texts, text or codec; a codec after set-up.
    """

    binary_dataset_split: bool
    format_type: str
    linetype: str | None
    codec: Any

    _defaults: ClassVar[dict[str, Any]] = {
        "binary_dataset_split": False,
        "format_type": "xml",
        "linetype": None,
        "codec": None,
    }


class SegmentationTrainingDataConfig(TrainingDataConfig):
    """Pages to train on.

    Attributes:
        format_type: ``xml``, ``alto``, ``page`` or None = ready-made samples.
        line_class_mapping: Line type → class; by default types get numbers as they are met.
        region_class_mapping: Region type → class; by default from the same numbers.
        topline: False baseline, True topline, None centre line.
    """

    format_type: str | None
    line_class_mapping: dict[str, int]
    region_class_mapping: dict[str, int]
    topline: bool | None

    _defaults: ClassVar[dict[str, Any]] = {
        "format_type": "xml",
        "line_class_mapping": None,
        "region_class_mapping": None,
        "topline": False,
    }

    @staticmethod
    def _fresh() -> dict[str, Any]:
        counter = _Counter(2)
        return {"line_class_mapping": numbered(counter), "region_class_mapping": numbered(counter)}


_safe_globals.register(
    Config,
    RecognitionInferenceConfig,
    SegmentationInferenceConfig,
    TrainingConfig,
    TrainingDataConfig,
    RecognitionTrainingDataConfig,
    SegmentationTrainingDataConfig,
    _Counter,
    defaultdict,
)
