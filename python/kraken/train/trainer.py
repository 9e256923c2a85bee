"""The trainer: lightning's, with what training of recognisers and segmenters always needs."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable
from os import PathLike
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, RichModelSummary
from lightning.pytorch.loggers import Logger

from kraken.lib.vgsl.inference import zero_denormals
from kraken.train.callbacks import AtomicCheckpointIO, FreezeBackbone, OneChannelMode
from kraken.train.memory import denormals_flushed, set_up_memory
from kraken.train.progress import TrainingProgress

__all__ = ["KrakenTrainer"]

logger = logging.getLogger("kraken")


class KrakenTrainer(Trainer):
    """A lightning trainer with the callbacks, loggers and files of this engine.

    Args:
        enable_progress_bar: Show progress in the terminal.
        enable_summary: Show the layers of the network.
        min_epochs: Least number of epochs.
        max_epochs: Number of epochs, -1 for no limit.
        freeze_backbone: Optimiser steps during which only the output layer learns.
        pl_logger: ``tensorboard``, ``wandb``, a logger, or None for none.
        log_dir: Folder of the logger's files.
        *args: For the lightning trainer.
        **kwargs: For the lightning trainer.

    Raises:
        ValueError: The logger is unknown.
        ModuleNotFoundError: The logger's package isn't installed.
    """

    def __init__(
        self,
        enable_progress_bar: bool = True,
        enable_summary: bool = True,
        min_epochs: int = 5,
        max_epochs: int = 100,
        freeze_backbone: int = -1,
        pl_logger: Logger | str | None = None,
        log_dir: str | PathLike[str] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        kwargs["logger"] = _find_logger(pl_logger, kwargs.get("logger"), log_dir)
        callbacks = _as_list(kwargs.get("callbacks"))
        if kwargs["logger"] is not False:
            callbacks.append(LearningRateMonitor(logging_interval="step"))
        if enable_progress_bar:
            callbacks.append(TrainingProgress(leave=True))
        if enable_summary:
            callbacks.append(RichModelSummary(max_depth=2))
            kwargs["enable_model_summary"] = False
        if freeze_backbone > 0:
            callbacks.append(FreezeBackbone(freeze_backbone))
        callbacks.append(OneChannelMode())
        kwargs["callbacks"] = callbacks
        kwargs["enable_progress_bar"] = enable_progress_bar
        kwargs["min_epochs"] = min_epochs
        kwargs["max_epochs"] = max_epochs
        plugins = _as_list(kwargs.get("plugins"))
        if not any(hasattr(plugin, "save_checkpoint") for plugin in plugins):
            kwargs["plugins"] = [*plugins, AtomicCheckpointIO()]
        super().__init__(*args, **kwargs)
        # on the trainer it has no effect; modules optimise automatically
        self.automatic_optimization = False

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Trains; arguments as for lightning's trainer."""
        module = _without_denormals(args, kwargs)
        set_up_memory(small_blocks=getattr(module, "small_blocks", True))
        with warnings.catch_warnings(), denormals_flushed():
            # the loaders find their place by themselves, but they don't write it in checkpoints
            warnings.filterwarnings("ignore", message=r".*your dataloader is not\s+resumable")
            super().fit(*args, **kwargs)

    def test(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates a test set; arguments as for lightning's trainer.

        Returns:
            The module's test metrics.
        """
        _without_denormals(args, kwargs)
        super().test(*args, **kwargs)
        return self.lightning_module.test_metrics


def _without_denormals(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The module among a trainer's arguments, if there is one, without weights below the normal range."""
    module = kwargs.get("model", args[0] if args else None)
    if module is not None:
        zero_denormals(module)
    return module


def _as_list(value: Any) -> list[Any]:
    """None, one object or several as a list."""
    if value is None:
        return []
    if isinstance(value, Callback) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _tensorboard(log_dir: str | PathLike[str] | None) -> Logger:
    from lightning.pytorch.loggers import TensorBoardLogger  # optional package

    return TensorBoardLogger(os.fspath(log_dir or "logs"))


def _wandb(log_dir: str | PathLike[str] | None) -> Logger:
    from lightning.pytorch.loggers import WandbLogger  # optional package

    return WandbLogger(project="kraken", save_dir=os.fspath(log_dir or "."), log_model=False)


_LOGGERS = {"tensorboard": _tensorboard, "wandb": _wandb}


def _find_logger(wanted: Any, given: Any, log_dir: str | PathLike[str] | None) -> Any:
    """What lightning gets as logger."""
    if not wanted:
        return False
    if isinstance(given, Logger):
        return given
    if isinstance(wanted, Logger):
        return wanted
    if wanted in _LOGGERS:
        try:
            return _LOGGERS[wanted](log_dir)
        except ImportError as error:
            raise ModuleNotFoundError(
                f"Logger {wanted} needs the package of the same name: pip install {wanted}"
            ) from error
    logger.error("%s was set as logger, which is not acceptable", wanted)
    raise ValueError(f"{wanted} is not acceptable as logger")
