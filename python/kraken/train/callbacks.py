"""What happens at the side of training: stopping, freezing, averaging, saving."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, Checkpoint, ModelCheckpoint
from lightning.pytorch.callbacks import EarlyStopping as _EarlyStopping

from kraken.lib.atomic import atomic_output

__all__ = [
    "AtomicCheckpointIO",
    "EarlyStopping",
    "FreezeBackbone",
    "KrakenOnExceptionCheckpoint",
    "OneChannelMode",
    "RollingCheckpoint",
    "WeightAverage",
]

logger = logging.getLogger("kraken")


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there, so that no half-written one is ever found."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | PathLike[str], storage_options: Any = None
    ) -> None:
        """Write a checkpoint.

        Args:
            checkpoint: Content.
            path: File; its folder is made if need be.
            storage_options: Not supported.

        Raises:
            TypeError: Storage options are given.
            OSError: The file can't be written.
        """
        if storage_options is not None:
            raise TypeError("Storage options have no meaning for files.")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with atomic_output(path) as temporary:
            torch.save(checkpoint, temporary)


class KrakenOnExceptionCheckpoint(Callback):
    """Saves a checkpoint when training ends with an exception, Ctrl-C included.

    Args:
        dirpath: Folder of the checkpoint.
        filename: Name without suffix.

    Raises:
        ValueError: The name is empty.
    """

    def __init__(self, dirpath: str | PathLike[str], filename: str = "checkpoint_abort") -> None:
        super().__init__()
        if not filename:
            raise ValueError("The filename cannot be empty")
        self.dirpath = dirpath
        self.filename = filename

    @property
    def ckpt_path(self) -> str:
        """Path of the checkpoint."""
        return str(Path(self.dirpath) / f"{self.filename}.ckpt")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Saves the checkpoint if there is anything to save."""
        if getattr(pl_module, "net", True) is None or not getattr(trainer, "optimizers", True):
            return
        try:
            trainer.save_checkpoint(self.ckpt_path)
        except Exception as error:
            # the exception that ended training is what the caller has to see
            logger.error("The state can't be saved in %s: %s", self.ckpt_path, error)


class RollingCheckpoint(Checkpoint):
    """Keeps the latest state in one file: for runs that are killed.

    The file is rewritten in the midst of epochs once some time has passed, and after evaluations whose state
    is in no other checkpoint. It goes when training ends well.

    Args:
        dirpath: Folder of the checkpoint.
        minutes: Time between two states in the midst of epochs, 0 for after every step.
        filename: Name without suffix.

    Raises:
        ValueError: The time is negative.
    """

    def __init__(
        self, dirpath: str | PathLike[str], minutes: float = 10.0, filename: str = "checkpoint_last"
    ) -> None:
        super().__init__()
        if not minutes >= 0:
            raise ValueError(f"The time between two checkpoints is {minutes} minutes, it can't be negative.")
        self.path = Path(dirpath) / f"{filename}.ckpt"
        self.minutes = minutes
        self._saved = time.monotonic()
        self._step = 0

    @property
    def state_key(self) -> str:
        """Name of the state in checkpoints; this class has none."""
        return type(self).__qualname__

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock."""
        self._saved = time.monotonic()
        self._step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves if it is time and the step is complete."""
        if trainer.global_step == self._step:
            # in the midst of gradients that are being summed up
            return
        self._step = trainer.global_step
        due = time.monotonic() - self._saved >= 60 * self.minutes
        if self._agreed(trainer, due) and not _evaluation_follows(trainer, batch_idx):
            self._save(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves if this state isn't among the best."""
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        others = [
            callback for callback in trainer.checkpoint_callbacks if isinstance(callback, ModelCheckpoint)
        ]
        if all(callback._last_global_step_saved != trainer.global_step for callback in others):
            self._save(trainer)
        self._saved = time.monotonic()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Removes the file: nothing is left to go on with."""
        if trainer.is_global_zero and not trainer.interrupted:
            self.path.unlink(missing_ok=True)

    @staticmethod
    def _agreed(trainer: Trainer, due: bool) -> bool:
        """The first process's decision: all have to take part in saving."""
        return due if trainer.world_size == 1 else bool(trainer.strategy.broadcast(due))

    def _save(self, trainer: Trainer) -> None:
        try:
            trainer.save_checkpoint(self.path)
        except OSError as error:
            # a full disk now is no reason to lose the run
            logger.warning("The state can't be saved in %s: %s", self.path, error)
        self._saved = time.monotonic()


def _evaluation_follows(trainer: Trainer, batch_idx: int) -> bool:
    """Whether an evaluation comes before the next step: a run resumed here would leave it out."""
    interval = trainer.val_check_batch
    at_interval = isinstance(interval, int) and interval > 0 and (batch_idx + 1) % interval == 0
    last = bool(trainer.fit_loop.epoch_loop.batch_progress.is_last_batch)
    return last or at_interval or batch_idx + 1 >= trainer.num_training_batches


class OneChannelMode(Callback):
    """Notes at the end of the first epoch which kind of one-channel images a recognition network saw."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sets the network's mode."""
        net: Any = getattr(pl_module, "net", None)
        if trainer.current_epoch != 0 or "recognition" not in getattr(net, "model_type", ()):
            return
        subset: Any = getattr(trainer.datamodule, "train_set", None)  # type: ignore[attr-defined]
        mode = getattr(getattr(subset, "dataset", None), "im_mode", None)
        if mode in ("1", "L"):
            logger.info("Setting model one_channel_mode to %s.", mode)
            net.one_channel_mode = mode


class FreezeBackbone(Callback):
    """Lets only the output layer learn during the first steps.

    The optimiser knows all parameters from the start: those without gradient are left alone by it,
    so that their state begins when they are released.

    Args:
        steps: Optimiser steps after which everything learns.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self._frozen: list[torch.nn.Parameter] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Freezes, unless the steps are over (a resumed run)."""
        if trainer.global_step >= self.steps:
            return
        net: Any = pl_module.net
        self._frozen = [p for layer in net.nn[:-1] for p in layer.parameters() if p.requires_grad]
        for parameter in self._frozen:
            parameter.requires_grad_(False)
        logger.info("Only the output layer learns for %d steps.", self.steps)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Releases the frozen layers when it is time."""
        if self._frozen and trainer.global_step >= self.steps:
            self._release()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leaves a network behind that can learn."""
        self._release()

    def _release(self) -> None:
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        self._frozen = []


class EarlyStopping(_EarlyStopping):
    """Stops when evaluations bring nothing new, or when nothing is left to learn.

    Args:
        monitor: Figure to watch.
        mode: ``max`` or ``min``.
        patience: Evaluations without improvement.
        min_delta: Least improvement that counts.
        perfect: Value that can't be improved, None if there is none.
    """

    def __init__(
        self, monitor: str, mode: str, patience: int, min_delta: float = 0.0, perfect: float | None = None
    ) -> None:
        super().__init__(
            monitor=monitor, mode=mode, patience=patience, min_delta=min_delta, check_on_train_epoch_end=False
        )
        self.perfect = perfect

    def _evaluate_stopping_criteria(self, current: torch.Tensor) -> tuple[bool, str | None]:
        stop, reason = super()._evaluate_stopping_criteria(current)
        value = float(current)
        done = self.perfect is not None and (
            value >= self.perfect if self.mode == "max" else value <= self.perfect
        )
        if done and not stop:
            return True, f"Evaluation is perfect: {self.monitor} = {value}."
        return stop, reason


class WeightAverage(Callback):
    """Evaluates and saves the exponential moving average of the weights instead of the last ones.

    The average of the first steps is over fewer of them: its decay grows as (1 + n) / (10 + n).

    Args:
        decay: Share of the old average that a step keeps, below 1.

    Raises:
        ValueError: The decay isn't between 0 and 1.
    """

    def __init__(self, decay: float = 0.999) -> None:
        super().__init__()
        if not 0 < decay < 1:
            raise ValueError(f"The decay of averaged weights is {decay}, it has to be between 0 and 1.")
        self.decay = decay
        self._average: dict[str, torch.Tensor] = {}
        self._raw: dict[str, torch.Tensor] = {}
        self._updates = 0
        self._step = -1

    @staticmethod
    def _floats(module: LightningModule) -> dict[str, torch.Tensor]:
        state: Mapping[str, torch.Tensor] = module.state_dict()
        return {name: value for name, value in state.items() if value.is_floating_point()}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts with the weights as they are, unless a checkpoint brought an average."""
        if not self._average:
            self._average = {name: value.clone() for name, value in self._floats(pl_module).items()}
        self._average = {name: value.to(pl_module.device) for name, value in self._average.items()}
        self._step = trainer.global_step

    @torch.no_grad()
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Averages once per optimiser step."""
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        decay = min(self.decay, (1 + self._updates) / (10 + self._updates))
        self._updates += 1
        for name, value in self._floats(pl_module).items():
            self._average[name].lerp_(value.to(self._average[name].dtype), 1 - decay)

    @torch.no_grad()
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts the average in the network."""
        if self._average and trainer.state.fn == "fit":
            state = self._floats(pl_module)
            self._raw = {name: value.clone() for name, value in state.items()}
            for name, value in state.items():
                value.copy_(self._average[name])

    @torch.no_grad()
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts the weights back that are being trained."""
        for name, value in self._floats(pl_module).items():
            if name in self._raw:
                value.copy_(self._raw[name])
        self._raw = {}

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Saves the average as the weights, and the weights beside it."""
        if not self._average:
            return
        state = checkpoint["state_dict"]
        checkpoint["_trained_state"] = {
            name: (self._raw.get(name, state[name])).clone() for name in self._average if name in state
        }
        checkpoint["_average_updates"] = self._updates
        for name, value in self._average.items():
            if name in state:
                state[name] = value.clone().to(state[name].dtype)

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Goes on with the weights that were being trained."""
        trained = checkpoint.get("_trained_state")
        if not trained:
            return
        self._average = {name: checkpoint["state_dict"][name].clone() for name in trained}
        self._updates = int(checkpoint.get("_average_updates", 0))
        pl_module.load_state_dict(trained, strict=False)

    @torch.no_grad()
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leaves the average in the network."""
        for name, value in self._floats(pl_module).items():
            if name in self._average:
                value.copy_(self._average[name])
