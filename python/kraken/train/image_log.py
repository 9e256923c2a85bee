"""Lines and what is read of them, for loggers that take images."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

__all__ = ["ImageLog"]

logger = logging.getLogger("kraken")

#: lines that are logged of each kind
LINES = 16


class ImageLog(Callback):
    """Logs some lines of the training set at the start, and some of the validation set with each evaluation.

    TensorBoard gets an image and a text per line, Weights & Biases images with captions; other loggers
    nothing. The lines of the validation set are the same in all evaluations.

    Args:
        count: Lines of each kind.
    """

    def __init__(self, count: int = LINES) -> None:
        super().__init__()
        self.count = count
        self._images: list[torch.Tensor] = []
        self._captions: list[str] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Logs lines of the training set as the network gets them; not in resumed runs."""
        if trainer.global_step or not trainer.is_global_zero or not _takers(trainer):
            return
        subset: Any = getattr(trainer.datamodule, "train_set", None)  # type: ignore[attr-defined]
        if subset is None:
            return
        choice = random.Random(int(getattr(pl_module, "run_seed", 0)))
        indices = choice.sample(range(len(subset)), min(self.count, len(subset)))
        images, captions = [], []
        for index in indices:
            sample = subset[index]
            images.append(_printable(sample["image"]))
            captions.append(_text(pl_module, sample["target"]))
        _log(trainer, "train", images, captions)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forgets the lines of the evaluation before."""
        self._images, self._captions = [], []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps the first lines."""
        if len(self._images) >= self.count or not trainer.is_global_zero or not outputs:
            return
        pairs = zip(outputs["predictions"], outputs["targets"], strict=True)
        for image, width, (prediction, target) in zip(batch["image"], batch["seq_lens"], pairs, strict=True):
            if len(self._images) < self.count:
                self._images.append(_printable(image[..., : int(width)]))
                self._captions.append(f"prediction: {prediction}\ntruth: {target}")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Logs them."""
        if self._images and trainer.state.fn == "fit" and not trainer.sanity_checking:
            _log(trainer, "validation", self._images, self._captions)
        self._images, self._captions = [], []


def _printable(image: torch.Tensor) -> torch.Tensor:
    """Image of a line, dark on light, 8 bits (C, H, W)."""
    return ((1 - image.detach().float().cpu().clamp(0, 1)) * 255).round().to(torch.uint8)


def _text(module: Any, target: Any) -> str:
    """Text of a sample, whatever form it is in."""
    if isinstance(target, str):
        return target
    decoded = module.net.codec.decode([(int(label), 0, 0, 0.0) for label in target])
    return "".join(char for char, *_ in decoded)


def _takers(trainer: Trainer) -> list[tuple[str, Any]]:
    """Loggers that take images, and how they do."""
    found: list[tuple[str, Any]] = []
    for each in trainer.loggers:
        experiment = getattr(each, "experiment", None)
        if hasattr(each, "log_image"):
            found.append(("log_image", each))
        elif hasattr(experiment, "add_image") and hasattr(experiment, "add_text"):
            found.append(("add_image", experiment))
    return found


def _log(trainer: Trainer, kind: str, images: Sequence[torch.Tensor], captions: Sequence[str]) -> None:
    step = trainer.global_step
    for way, taker in _takers(trainer):
        try:
            if way == "log_image":
                arrays = [image.permute(1, 2, 0).squeeze(-1).numpy() for image in images]
                taker.log_image(key=f"{kind}_lines", images=arrays, caption=list(captions), step=step)
                continue
            for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
                taker.add_image(f"{kind}/line_{number:02}", image, step)
                # two blanks and a line break are one in Markdown
                taker.add_text(f"{kind}/line_{number:02}", caption.replace("\n", "  \n"), step)
        except Exception as error:
            # pictures are no reason to lose a run
            logger.warning("Lines can't be logged: %s", error)
