"""Training of recognition networks with CTC (spec chapter training §4)."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.nn import functional as F

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.lib.codec import PytorchCodec
from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.dataset.metrics import Scorer, accuracy, compute_confusions, edit_distance, global_align
from kraken.lib.dataset.text import text_transforms, transform_text
from kraken.lib.exceptions import KrakenEncodeException, KrakenInputException
from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.blocks.lengths import padding_kept
from kraken.train.base import KrakenTrainerModule
from kraken.train.image_log import ImageLog
from kraken.train.recognition_data import VGSLRecognitionDataModule
from kraken.train.remembering import Memory
from kraken.train.utils import RecognitionTestMetrics

__all__ = ["AlphabetMismatch", "VGSLRecognitionDataModule", "VGSLRecognitionModel"]

logger = logging.getLogger("kraken")

#: old names of ways to resize
_DEPRECATED_RESIZE = {"add": "union", "both": "new"}


#: share of the learning rate of all layers but the last when old letters have to be kept
BACKBONE_RATE = 0.1


class AlphabetMismatch(ValueError):
    """The data holds characters that a loaded network doesn't know.

    Attributes:
        missing: The characters.
    """

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"Training data and model codec alphabets mismatch: {set(missing)}")
        self.missing = missing


class VGSLRecognitionModel(KrakenTrainerModule):
    """Trains a network that reads lines.

    Args:
        config: Training configuration.
        model: Network to go on with; without one it is built from the configuration's description.

    Attributes:
        test_metrics: Result of the last test.

    Raises:
        ValueError: The configuration is of the wrong class or its description malformed, or the
            network isn't for recognition.
    """

    _task = "recognition"
    _arch = "vgsl"
    _model_class = TorchVGSLModel
    _config_class = VGSLRecognitionTrainingConfig
    _data_config_class = VGSLRecognitionTrainingDataConfig
    _data_module_class = VGSLRecognitionDataModule
    stopping_monitor = "val_accuracy"

    def __init__(self, config: VGSLRecognitionTrainingConfig, model: TorchVGSLModel | None = None) -> None:
        super().__init__(config, model)
        self.test_metrics: RecognitionTestMetrics | None = None
        self._scorer = Scorer()
        self._val_codec: PytorchCodec | None = None
        self._text_steps: list[Any] = []
        self._memory: Memory | None = None

    @property
    def config(self) -> VGSLRecognitionTrainingConfig:
        """The training configuration."""
        config: VGSLRecognitionTrainingConfig = self.hparams["config"]
        return config

    # -- network and codec ----------------------------------------------------------

    def forward(self, x: Tensor, seq_lens: Tensor | None = None) -> Any:
        """Logits (N, C, 1, W) and their lengths for images (N, C, H, W) and their widths."""
        return self.net(x, seq_lens)

    def setup(self, stage: str | None = None) -> None:
        """Builds or resizes the network and makes the data fit it."""
        data_module: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        config = data_module.config if data_module is not None else VGSLRecognitionTrainingDataConfig()
        # predictions are compared in the form of the ground truth; they are in display order already
        self._text_steps = text_transforms(config.normalization, config.normalize_whitespace, False)
        if stage == "fit" or stage is None:
            self._setup_fit(data_module)
        elif stage == "validate" and data_module is not None:
            self._encode_validation(data_module.val_set.dataset)
        if self.net is not None and self.config.compile_config is not None:
            self.net.nn.compile(**self.config.compile_config)

    def _setup_fit(self, data_module: Any) -> None:
        train = data_module.train_set.dataset
        data_config = data_module.config
        if self.net is None:
            self._build(train, data_config)
        else:
            self._adapt(train, data_config)
        data_config.codec = self.net.codec
        self.config.spec = self.net.spec
        self._encode_validation(data_module.val_set.dataset)
        self._describe(data_module)

    def _build(self, train: Any, data_config: Any) -> None:
        """New network for the data."""
        codec = data_config.codec
        if codec is None:
            codec = PytorchCodec("".join(sorted(train.alphabet)))
        elif not isinstance(codec, PytorchCodec):
            codec = PytorchCodec(codec)
        train.encode(codec)
        spec = self.config.spec.strip()
        self.config.spec = f"{spec[:-1].rstrip()} O1c{codec.max_label + 1}]"
        logger.info("Creating new model %s with %d outputs.", self.config.spec, codec.max_label + 1)
        self.net = TorchVGSLModel(vgsl=self.config.spec, model_type="recognition", legacy_polygons=False)
        self.net.add_codec(codec)

    def _adapt(self, train: Any, data_config: Any) -> None:
        """Makes a loaded network's output fit the data."""
        if self.net.codec is None:
            raise ValueError("The model has no codec: it can't be trained further.")
        codec = PytorchCodec(self.net.codec.c2l, strict=True)
        resize = self.config.resize
        if resize in _DEPRECATED_RESIZE:
            message = f"resize {resize!r} is deprecated: use {_DEPRECATED_RESIZE[resize]!r}."
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            resize = _DEPRECATED_RESIZE[resize]
        try:
            train.encode(codec)
        except KrakenEncodeException:
            missing = sorted(set(train.alphabet) - set("".join(codec.c2l)))
            if resize == "fail":
                raise AlphabetMismatch(missing) from None
            if resize == "union":
                if self.config.keep_old > 0:
                    self._memory = Memory(self.net)
                self._extend(missing)
            elif resize == "new":
                self._replace(train, data_config)
            else:
                raise ValueError(f"invalid resize parameter value {resize}") from None
        train.encode(self.net.codec)

    def _extend(self, missing: list[str]) -> None:
        codec = self.net.codec.add_labels(missing)
        logger.info("Resizing the model by %d characters.", len(missing))
        self.net.add_codec(codec)
        self.net.resize_output(codec.max_label + 1)

    def _replace(self, train: Any, data_config: Any) -> None:
        start = data_config.codec
        if start is None:
            start = self.net.codec
        elif not isinstance(start, PytorchCodec):
            start = PytorchCodec(start)
        codec, removed = start.merge(PytorchCodec("".join(sorted(train.alphabet))))
        rows = self.net.output[1]
        logger.info("Resizing the model: %d characters go, it has %d then.", len(removed), len(codec))
        self.net.add_codec(codec)
        self.net.resize_output(codec.max_label + 1, sorted(label for label in removed if label < rows))

    def _encode_validation(self, val: Any) -> None:
        """Labels for the validation set; characters the network can't know get labels it can't give."""
        codec = self.net.codec
        known = set("".join(codec.c2l))
        unknown = sorted(set(val.alphabet) - known)
        if any(len(text) > 1 for text in codec.c2l):
            # a character may be known as a part of longer texts only
            unknown = sorted(set(val.alphabet) - set(codec.c2l))
        self._val_codec = codec.add_labels(unknown) if unknown else codec
        val.encode(self._val_codec)

    def _describe(self, data_module: Any) -> None:
        """Metadata of the network."""
        net, train = self.net, data_module.train_set.dataset
        net.model_type = ["recognition"]
        if net.seg_type is None:
            net.seg_type = train.seg_type
        elif net.seg_type != train.seg_type:
            logger.warning(
                "The model was trained on lines of type %s, the data is of type %s.",
                net.seg_type,
                train.seg_type,
            )
        legacy = data_module.use_legacy_polygons
        if "legacy_polygons" in net.user_metadata and net.use_legacy_polygons and not legacy:
            logger.warning("The model expects lines cut out the old way, from now on the new one.")
        net.use_legacy_polygons = legacy
        # what compiled files say is what whoever reads the checkpoint has to know
        data_module.config.legacy_polygons = legacy
        if data_module.config.bidi_reordering in ("L", "R"):
            net.user_metadata["base_dir"] = data_module.config.bidi_reordering

    def parameter_groups(self) -> Iterable[Any]:
        """With letters to remember all layers but the last learn slowly."""
        if self._memory is None:
            return super().parameter_groups()
        last = {id(parameter) for parameter in self.net.nn[-1].parameters()}
        own = [p for p in self.parameters() if id(p) in last]
        others = [p for p in self.parameters() if id(p) not in last]
        rate = self.config.lrate * BACKBONE_RATE
        return [{"params": own, "factor": 1.0}, {"params": others, "factor": BACKBONE_RATE, "lr": rate}]

    def configure_callbacks(self) -> list[Callback]:
        """Those of all trainers, and one that logs lines if there is a logger."""
        found = super().configure_callbacks()
        return [*found, ImageLog()] if self._trainer is not None and self.trainer.loggers else found

    # -- checkpoints ------------------------------------------------------------------

    def checkpoint_fields(self) -> dict[str, Any]:
        """Kind of lines and images."""
        data_module = getattr(self._trainer, "datamodule", None)
        subset = getattr(data_module, "train_set", None)
        mode = subset.dataset.im_mode if subset is not None else self.net.one_channel_mode
        found = {"_seg_type": self.net.seg_type, "_one_channel_mode": mode}
        if self._memory is not None:
            found["_memory"] = self._memory.state()
        return found

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Builds the network of a checkpoint, and what it has to remember."""
        super().on_load_checkpoint(checkpoint)
        if checkpoint.get("_memory") is not None and self.config.keep_old > 0:
            self._memory = Memory.restored(checkpoint["_memory"])

    def restore_net(self, config: Any, checkpoint: dict[str, Any]) -> Any:
        """Network of a checkpoint, without its weights."""
        data: Any = (checkpoint.get("datamodule_hyper_parameters") or {}).get("data_config")
        codec = getattr(data, "codec", None)
        if data is None or codec is None:
            raise ValueError("The checkpoint holds no codec.")
        stated = {"base_dir": data.bidi_reordering} if data.bidi_reordering in ("L", "R") else {}
        return TorchVGSLModel(
            vgsl=config.spec,
            model_type="recognition",
            codec=codec,
            seg_type=checkpoint.get("_seg_type"),
            one_channel_mode=checkpoint.get("_one_channel_mode"),
            legacy_polygons=data.legacy_polygons,
            **stated,
        )

    # -- steps ------------------------------------------------------------------------

    def _logits(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Logits (N, C, W) and their lengths."""
        output, lengths = self.net(batch["image"], batch["seq_lens"])
        if output.shape[2] != 1:
            raise KrakenInputException(
                f"Expected dimension 3 to be 1, actual {tuple(output.shape)}: the network doesn't reduce "
                "the height of the line to one."
            )
        return output.squeeze(2), lengths

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor | None:
        """CTC loss of a batch, summed over its lines, and that for forgetting old letters."""
        with padding_kept():
            logits, lengths = self._logits(batch)
        # CTC needs more precision than networks do
        log_probs = F.log_softmax(logits.float(), dim=1).permute(2, 0, 1)
        loss = F.ctc_loss(
            log_probs,
            batch["target"],
            lengths,
            batch["target_lens"],
            blank=0,
            reduction="sum",
            zero_infinity=True,
        )
        if self._memory is not None:
            loss = loss + self.config.keep_old * self._memory.loss(batch, logits, lengths)
        size = len(batch["image"])
        if self.checked_loss(loss, f"batch {batch_idx} of epoch {self.current_epoch}") is None:
            return None
        if self._trainer is not None:
            self.log("train_loss", loss, on_step=True, on_epoch=True, prog_bar=True, batch_size=size)
        return loss

    def _read(self, batch: dict[str, Any]) -> list[str]:
        """Texts that the network reads, in the form of the ground truth."""
        logits, lengths = self._logits(batch)
        texts = []
        for labels in greedy_decoder(logits.float(), lengths):
            decoded = self.net.codec.decode(labels)
            texts.append(transform_text("".join(char for char, *_ in decoded), self._text_steps))
        return texts

    def _truth(self, batch: dict[str, Any]) -> list[str]:
        """Ground truth of a batch."""
        if isinstance(batch["target"], list):
            return batch["target"]
        codec = self._val_codec or self.net.codec
        texts = []
        for labels in batch["target"].split(batch["target_lens"].tolist()):
            decoded = codec.decode([(int(label), 0, 0, 0.0) for label in labels])
            texts.append("".join(char for char, *_ in decoded))
        return texts

    def on_validation_epoch_start(self) -> None:
        """Starts counting."""
        self._scorer = Scorer()

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, list[str]]:
        """Compares a batch with its ground truth.

        Returns:
            Texts of the lines: ``predictions`` and ``targets``.
        """
        predictions, targets = self._read(batch), self._truth(batch)
        for prediction, target in zip(predictions, targets, strict=True):
            self._scorer.add(prediction, target)
        return {"predictions": predictions, "targets": targets}

    def on_validation_epoch_end(self) -> None:
        """Logs the accuracies, summed over all processes."""
        scorer = self._scorer
        counts = torch.tensor(
            [scorer.char_errors, scorer.chars, scorer.word_errors, scorer.words],
            dtype=torch.int64,
            device=self.device,
        )
        if self.trainer.world_size > 1:
            counts = self.all_gather(counts).reshape(-1, 4).sum(0)  # type: ignore[union-attr]
        char_errors, chars, word_errors, words = (int(value) for value in counts)
        # double precision, so that a test of the same lines gives the same number
        values = {
            "val_accuracy": accuracy(char_errors, chars),
            "val_word_accuracy": accuracy(word_errors, words),
            "val_metric": accuracy(char_errors, chars),
        }
        self.log_dict(
            {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()},
            prog_bar=True,
            rank_zero_only=True,
        )

    # -- test -------------------------------------------------------------------------

    def on_test_epoch_start(self) -> None:
        """Starts counting."""
        self._scorer = Scorer()
        self._characters: Counter[str] = Counter()
        self._alignment: tuple[list[str], list[str]] = ([], [])
        self._folded = [0, 0]

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Compares a batch with its ground truth, character by character."""
        for prediction, target in zip(self._read(batch), batch["target"], strict=True):
            self._scorer.add(prediction, target)
            self._characters.update(target)
            _, true, read = global_align(target, prediction)
            self._alignment[0].extend(true)
            self._alignment[1].extend(read)
            folded = target.lower()
            self._folded[0] += edit_distance(folded, prediction.lower())
            self._folded[1] += len(folded)

    def on_test_epoch_end(self) -> None:
        """Sums up."""
        counts, scripts, insertions, deletions, substitutions = compute_confusions(*self._alignment)
        self.test_metrics = RecognitionTestMetrics(
            character_counts=self._characters,
            num_errors=self._scorer.char_errors,
            cer=self._scorer.char_accuracy,
            wer=self._scorer.word_accuracy,
            case_insensitive_cer=accuracy(*self._folded),
            confusions=counts,
            scripts=scripts,
            insertions=insertions,
            deletes=deletions,
            substitutions=substitutions,
            lines=self._scorer.lines,
        )
