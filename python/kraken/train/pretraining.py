"""Unsupervised pre-training of recognition networks (spec chapter training §8).

The network learns to tell what is under masked columns of a line from what is under other masked columns
of the same line (wav2vec 2.0, Baevski et al. 2020, without quantisation). No text is needed.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kraken.configs import VGSLPreTrainingConfig, VGSLPreTrainingDataConfig
from kraken.lib.codec import PytorchCodec
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks import MultiParamSequential, TransposedSummarizingRNN
from kraken.lib.vgsl.blocks.lengths import padding_kept
from kraken.lib.vgsl.blocks.wav2vec import Wav2Vec2Mask
from kraken.train.recognition import VGSLRecognitionModel
from kraken.train.recognition_data import VGSLRecognitionDataModule

__all__ = [
    "PretrainDataModule",
    "RecognitionPretrainModel",
    "contrastive_logits",
    "first_recurrent",
    "smallest_width",
]

logger = logging.getLogger("kraken")

#: batches in a row for which memory may be too small before a run is hopeless
MAX_SKIPPED = 20
#: width in pixels at which lines are surely long enough
_WIDEST = 1 << 16
#: stands for an epoch where validations get their random numbers from: they mask the same every time
_VALIDATION = -1
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def first_recurrent(layers: nn.Sequential) -> int:
    """Number of the first top-level layer that is, or holds, a recurrent one.

    Raises:
        ValueError: There is none.
    """
    for i, layer in enumerate(layers):
        if any(isinstance(module, TransposedSummarizingRNN) for module in layer.modules()):
            return i
    raise ValueError(
        "The network has no recurrent layer (L): pre-training masks what goes into the first one."
    )


def smallest_width(features: MultiParamSequential, channels: int, height: int, columns: int) -> int:
    """Width in pixels of the narrowest line of which a number of columns of features is left.

    Args:
        features: Layers that make the features.
        channels: Channels of a line image.
        height: Height of a line image.
        columns: Columns that are needed.

    Raises:
        ValueError: No line is wide enough.
    """

    def left(width: int) -> int:
        try:
            return features.get_shape((1, channels, height, width))[3]
        except (ValueError, RuntimeError):
            return 0  # too narrow for a kernel

    low, high = 0, _WIDEST
    if left(high) < columns:
        raise ValueError(
            f"The layers before the recurrent ones leave fewer than {columns} columns of any line: "
            "lines can't be masked."
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if left(middle) >= columns else (middle, high)
    return high


def contrastive_logits(context: Tensor, targets: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Similarity of what the network says of masked columns to what was there and elsewhere.

    Args:
        context: Outputs of the encoder (N, K, D) for K masked columns of N lines.
        targets: Projected features (N, K, D) of these columns.
        negatives: Columns (M, N, K) whose features are the distractors of each.
        temperature: Divisor of the similarities.

    Returns:
        Cosine similarities (N, K, 1 + M) divided by the temperature, the right answer first.
    """
    # all pairs of columns at once: the distractors themselves would take far more memory and time
    pairs = F.normalize(context.float(), dim=2, eps=1e-8) @ F.normalize(
        targets.float(), dim=2, eps=1e-8
    ).transpose(1, 2)
    right = torch.diagonal(pairs, dim1=1, dim2=2).unsqueeze(2)
    return torch.cat([right, pairs.gather(2, negatives.permute(1, 2, 0))], dim=2) / temperature


class PretrainDataModule(VGSLRecognitionDataModule):
    """Lines without regard to their texts, as a configuration describes them.

    Lines without text are used, and line images (`format_type` ``path``) need no text file.

    Args:
        data_config: What to train and validate on.

    Raises:
        ValueError: The configuration is of the wrong class, names an unknown format or no data.
    """

    use_distributed_sampler = False
    _needs_text = False

    def __init__(self, data_config: VGSLPreTrainingDataConfig) -> None:
        if not isinstance(data_config, VGSLPreTrainingDataConfig):
            raise ValueError(f"data_config attribute is {type(data_config)} not VGSLPreTrainingDataConfig")
        super().__init__(data_config)

    @staticmethod
    def _compare_alphabets(train: Any, val: Any) -> None:
        """Nothing to compare."""

    @property
    def _batch_size(self) -> int:
        # a model configuration that was left alone says 1; what is meant for these batches says 64
        size = super()._batch_size
        return int(self.config.batch_size) if size == 1 else size


class RecognitionPretrainModel(VGSLRecognitionModel):
    """Trains a network that reads lines on lines without text.

    Its result has an output layer for a space only; ``resize`` ``new`` or ``union`` of
    :class:`~kraken.train.VGSLRecognitionModel` makes it one for real texts.

    Args:
        config: Training configuration.
        model: Network to go on with; without one it is built from the configuration's description.
            Its output layer and codec stay as they are.

    Attributes:
        features: Layers before the first recurrent one, None before set-up.
        encoder: The others, without the output layer.
        wav2vec2mask: What masks lines and projects what was masked.
        skipped_lines: Lines of batches that were too short to be masked. (Data sets leave such lines out.)

    Raises:
        ValueError: The configuration is of the wrong class or its description malformed, or the
            network isn't for recognition.
    """

    _config_class = VGSLPreTrainingConfig
    _data_config_class = VGSLPreTrainingDataConfig
    _data_module_class: ClassVar[Any] = PretrainDataModule
    monitor_mode = "min"
    perfect_score = 0.0
    stopping_monitor = "val_metric"

    features: Any
    encoder: Any
    wav2vec2mask: Any

    def __init__(self, config: VGSLPreTrainingConfig, model: TorchVGSLModel | None = None) -> None:
        super().__init__(config, model)
        if config.freeze_backbone > 0:
            logger.warning("Pre-training trains the backbone: freeze_backbone is ignored.")
            config.freeze_backbone = 0
        self.features = None
        self.encoder = None
        self.wav2vec2mask = None
        self.skipped_lines = 0
        self._full_memory = 0
        self._frozen: list[nn.Parameter] = []
        self._entropy = torch.zeros(2, dtype=torch.float64)
        if model is not None:
            self._divide()

    @property
    def config(self) -> VGSLPreTrainingConfig:
        """The training configuration."""
        config: VGSLPreTrainingConfig = self.hparams["config"]
        return config

    # -- network ----------------------------------------------------------------------

    def _setup_fit(self, data_module: Any) -> None:
        sets = [data_module.train_set.dataset, data_module.val_set.dataset]
        if self.net is None:
            spec = self.config.spec.strip()
            vgsl = f"{spec[:-1].rstrip()} O1c2]"
            self.net = TorchVGSLModel(vgsl=vgsl, model_type="recognition", legacy_polygons=False)
            self._divide()
        if self.net.codec is None:
            self.net.add_codec(PytorchCodec(" "))
        self.config.spec = self.net.spec
        data_module.config.codec = self.net.codec
        self._describe(data_module)
        # without labels the output layer has nothing to learn from
        self._frozen = [p for p in self.net.nn[-1].parameters() if p.requires_grad]
        for parameter in self._frozen:
            parameter.requires_grad_(False)
        for name in ("mask_width", "mask_prob", "num_negatives"):
            # a resumed run may have been given others
            setattr(self.wav2vec2mask, name, getattr(self.config, name))
        narrowest = self._narrowest_line()
        for dataset in sets:
            dataset.no_encode()
            dataset.min_width = narrowest

    def setup(self, stage: str | None = None) -> None:
        """Builds the network and makes the data fit it."""
        data_module: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        if stage == "fit" or stage is None:
            self._setup_fit(data_module)
        elif stage == "validate" and data_module is not None:
            data_module.val_set.dataset.no_encode()
            data_module.val_set.dataset.min_width = self._narrowest_line()
        if self.features is not None and self.config.compile_config is not None:
            self.features.compile(**self.config.compile_config)
            self.encoder.compile(**self.config.compile_config)

    def teardown(self, stage: str | None = None) -> None:
        """Leaves a network behind that can learn."""
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        self._frozen = []

    def _divide(self) -> None:
        """Divides the network into what is masked and what guesses.

        Raises:
            ValueError: It has no recurrent layer, or its features have more than one row, or the
                layers after them change the width.
        """
        layers = self.net.nn
        first = first_recurrent(layers)
        features, encoder = layers[:first], layers[first:-1]
        if not len(encoder):
            raise ValueError("The network has no layer between its features and its output.")
        shape = features.get_shape(self.net.input)
        if shape[2] > 1:
            raise ValueError(
                f"The features have {shape[2]} rows before the first recurrent block "
                f"{self.net.named_spec[first + 1]}, pre-training needs 1: put a block there that removes the "
                "height, such as S1(1x0)1,3."
            )
        context = encoder.get_shape((1, shape[1], 1, 64))
        # the shapes that layers remember are those of their inputs in the network
        layers.get_shape(self.net.input)
        if context[2:] != (1, 64):
            raise ValueError(
                f"The layers from block {self.net.named_spec[first + 1]} on make {context[2]} × {context[3]} "
                "columns of 1 × 64, pre-training needs one for each: scale and summarise before them."
            )
        self.features, self.encoder = features, encoder
        if self.wav2vec2mask is None:
            config = self.config
            self.wav2vec2mask = Wav2Vec2Mask(
                shape[1], context[1], config.mask_width, config.mask_prob, config.num_negatives
            )

    def _narrowest_line(self) -> int:
        """Width in pixels of the narrowest line that can be masked."""
        width = smallest_width(self.features, self.channels, self.height or 32, self.wav2vec2mask.min_columns)
        self.net.nn.get_shape(self.net.input)
        return width

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Builds the network of a checkpoint."""
        super().on_load_checkpoint(checkpoint)
        if self.features is None:
            self._divide()

    # -- steps ------------------------------------------------------------------------

    def _generator(self, epoch: int, batch_idx: int) -> torch.Generator:
        """Random numbers that depend on seed, epoch and batch only."""
        seed = ((self.run_seed * 1_000_003 + epoch) * 1_000_003 + batch_idx) * 1_000_003 + self.global_rank
        return torch.Generator().manual_seed(seed % 2**63)

    def _cross_entropy(self, batch: dict[str, Any], generator: torch.Generator) -> Tensor | None:
        """Cross entropy (N, K) of the masked columns of a batch, None if no line is long enough."""
        images = batch["image"]
        lengths = torch.as_tensor(batch["seq_lens"]).clamp(max=images.shape[3])
        features, lengths = self.features(images, lengths)
        long = lengths >= self.wav2vec2mask.min_columns
        if not bool(long.all()):
            self.skipped_lines += int((~long).sum())
            if not bool(long.any()):
                return None
            features, lengths = features[long.to(features.device)], lengths[long]
        masked = self.wav2vec2mask.sample(features, lengths, generator)
        context, _ = self.encoder(masked.output, lengths)
        n, k, size = masked.targets.shape
        context = context.squeeze(2).transpose(1, 2)[masked.mask].view(n, k, size)
        logits = contrastive_logits(context, masked.targets, masked.negatives, self.config.logit_temp)
        right = torch.zeros((n, k), dtype=torch.int64, device=logits.device)
        return F.cross_entropy(logits.transpose(1, 2), right, reduction="none")

    def _guarded(self, batch: dict[str, Any], generator: torch.Generator, what: str) -> Tensor | None:
        """The same, None as well if memory doesn't suffice for the batch."""
        try:
            found = self._cross_entropy(batch, generator)
        except RuntimeError as error:
            if not any(text in str(error).lower() for text in _NO_MEMORY):
                raise
            self._full_memory += 1
            message = f"Memory doesn't suffice for {what} ({tuple(batch['image'].shape)})"
        else:
            self._full_memory = 0
            return found
        if self._full_memory >= MAX_SKIPPED:
            raise ValueError(f"{message}, as for the {MAX_SKIPPED - 1} before: lower --batch-size.")
        logger.warning("%s: it is skipped.", message)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor | None:
        """Mean cross entropy of the masked columns of a batch."""
        what = f"batch {batch_idx} of epoch {self.current_epoch}"
        with padding_kept():
            entropy = self._guarded(batch, self._generator(self.current_epoch, batch_idx), what)
        if entropy is None:
            return None
        loss = entropy.mean()
        if self.checked_loss(loss, what) is None:
            return None
        if self._trainer is not None:
            self.log("CE", loss, on_step=True, on_epoch=True, prog_bar=True, batch_size=len(entropy))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Starts counting."""
        self._entropy = torch.zeros(2, dtype=torch.float64)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, list[str]]:
        """Adds up the cross entropy; a batch is masked the same way in every validation.

        Returns:
            Nothing that was read.
        """
        what = f"batch {batch_idx} of the validation"
        entropy = self._guarded(batch, self._generator(_VALIDATION, batch_idx), what)
        if entropy is not None:
            self._entropy += torch.tensor(
                [float(entropy.double().sum()), entropy.numel()], dtype=torch.float64
            )
        return {}

    def on_validation_epoch_end(self) -> None:
        """Logs the mean over all masked columns, of all processes.

        Raises:
            ValueError: No batch could be used.
        """
        sums = self._entropy.to(self.device if self.device.type != "mps" else "cpu")
        if self.trainer.world_size > 1:
            sums = self.all_gather(sums).reshape(-1, 2).sum(0)  # type: ignore[union-attr]
        total, count = sums.tolist()
        if not count:
            raise ValueError(
                "No batch of the validation data could be used: lines are too short or too long."
            )
        mean = torch.tensor(total / count, dtype=torch.float64)
        self.log_dict({"CE": mean, "val_ce": mean, "val_metric": mean}, prog_bar=True, rank_zero_only=True)
