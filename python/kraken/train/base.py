"""What the trainers of all kinds of networks share (spec chapter training §3)."""

from __future__ import annotations

import logging
import os
import random
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import Callback
from torch.optim.lr_scheduler import ReduceLROnPlateau

from kraken.train.callbacks import EarlyStopping, FreezeBackbone, WeightAverage
from kraken.train.optim import configure_optimizer_and_lr_scheduler, warmup_rate

if TYPE_CHECKING:
    from kraken.configs import TrainingConfig
    from kraken.models.base import BaseModel

__all__ = ["KrakenTrainerModule"]

logger = logging.getLogger("kraken")

_INPUT = re.compile(r"\[(\d+),(\d+),(\d+),(\d+)(?=[\s\]])")
#: consecutive steps without a finite loss or gradient after which a run is hopeless
MAX_BAD_STEPS = 50


class KrakenTrainerModule(LightningModule, ABC):
    """Trains a network as a configuration says.

    Subclasses set the class attributes, build :attr:`net` in :meth:`setup`, define the steps and say
    in :meth:`checkpoint_fields` and :meth:`restore_net` what else a checkpoint holds.

    Args:
        config: Training configuration.
        model: Network to go on with; without one it is built from the configuration's description.

    Attributes:
        net: The network, None until set-up when it is built from a description.
        batch, height, width, channels: The network's input block.

    Raises:
        ValueError: The configuration is of the wrong class or its description malformed, or the
            network is for another task.
    """

    _task: ClassVar[str]
    _arch: ClassVar[str]
    _model_class: ClassVar[Any]
    _config_class: ClassVar[type[Any]]
    _data_config_class: ClassVar[type[Any]]
    _data_module_class: ClassVar[Any]
    #: whether blocks of memory are so small that freed ones fit the next need (`kraken.train.memory`)
    small_blocks: ClassVar[bool] = True
    #: the figure that decides which checkpoint is best, its direction and its best value
    monitor: ClassVar[str] = "val_metric"
    monitor_mode: ClassVar[str] = "max"
    perfect_score: ClassVar[float | None] = 1.0
    #: the figure that early stopping watches
    stopping_monitor: ClassVar[str] = "val_metric"

    net: Any

    def __init__(self, config: Any, model: BaseModel | None = None) -> None:
        super().__init__()
        if not isinstance(config, self._config_class):
            raise ValueError(f"config attribute is {type(config)} not {self._config_class.__name__}")
        self.save_hyperparameters(ignore=["model"])
        self.net = None
        self._bad_steps = 0
        self._metrics_log: list[Any] = []
        #: what the order of samples and all random numbers of an epoch depend on
        self.run_seed = int(torch.randint(2**31, (1,)))
        if model is not None:
            if self._task not in model.model_type:
                raise ValueError(
                    f"Model is of type {', '.join(model.model_type) or 'unknown'}, not `{self._task}`."
                )
            self.net = model
            if hasattr(model, "spec"):
                config.spec = model.spec
        if hasattr(config, "spec"):
            self._read_spec(config.spec)
        # checkpoints hold plain names only
        config.checkpoint_path = os.fspath(config.checkpoint_path)

    @property
    def config(self) -> TrainingConfig:
        """The training configuration."""
        config: TrainingConfig = self.hparams["config"]
        return config

    def _read_spec(self, spec: str) -> None:
        """Takes over the input block of a description."""
        spec = spec.strip()
        if spec[:1] != "[" or spec[-1:] != "]":
            raise ValueError(f'VGSL spec "{spec}" not bracketed')
        match = _INPUT.match(spec)
        if match is None:
            raise ValueError(f"Invalid input spec {spec[1:].split(' ')[0]!r}: it has to be b,h,w,c")
        self.batch, self.height, self.width, self.channels = (int(value) for value in match.groups())
        self.example_input_array = torch.zeros(
            self.batch or 1, self.channels, self.height or 32, self.width or 400
        )

    @classmethod
    def load_from_weights(cls, path: str | PathLike[str], config: Any) -> Any:
        """Trainer that goes on with the first fitting model of a weights file.

        Raises:
            ValueError: The file has no model of the trainer's class and task.
        """
        from kraken.models import load_models  # known to it are all kinds of networks

        for model in load_models(path, tasks=[cls._task]):
            if isinstance(model, cls._model_class):
                return cls(config, model=model)
        raise ValueError(f"No {cls._model_class.__name__} of type `{cls._task}` found in {path}.")

    # -- checkpoints ----------------------------------------------------------

    def checkpoint_fields(self) -> dict[str, Any]:
        """What a checkpoint holds beside weights and configurations."""
        return {}

    @abstractmethod
    def restore_net(self, config: Any, checkpoint: dict[str, Any]) -> Any:
        """Network of a checkpoint, without its weights; trainers define how it is built."""

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what restoring needs, and the current figures."""
        self._record_metrics()
        checkpoint["_module_config"] = self.config
        checkpoint["_metrics"] = list(self._metrics_log)
        checkpoint["_run_seed"] = self.run_seed
        checkpoint.update(self.checkpoint_fields())

    def _record_metrics(self) -> None:
        """Notes the figures of the last evaluation, once."""
        if self._trainer is None or self.net is None:
            return
        values = {
            name: float(value)
            for name, value in self.trainer.callback_metrics.items()
            if name.startswith("val_")
        }
        entry = (self.current_epoch, values)
        if values and entry not in self._metrics_log:
            self._metrics_log.append(entry)
            self.net.user_metadata.setdefault("metrics", []).append(entry)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Builds the network of a checkpoint."""
        config = checkpoint.get("_module_config")
        if config is None:
            config = (checkpoint.get("hyper_parameters") or {}).get("config")
        if not isinstance(config, self._config_class):
            raise ValueError(f"Checkpoint is not a {self._task} model.")
        if self.net is None:
            self.net = self.restore_net(config, checkpoint)
            if hasattr(config, "spec"):
                self._read_spec(config.spec)
        if type(config) is not self._config_class:
            # a trainer derived from this one may have trained more than the network
            own, state = self.state_dict(), checkpoint["state_dict"]
            checkpoint["state_dict"] = {name: value for name, value in state.items() if name in own}
        self.run_seed = int(checkpoint.get("_run_seed", self.run_seed))
        self._metrics_log = [(epoch, dict(values)) for epoch, values in checkpoint.get("_metrics", ())]
        self.net.user_metadata["metrics"] = list(self._metrics_log)

    def on_fit_start(self) -> None:
        """Agrees on a seed, and lays weights out in the order in which CPUs compute them fastest."""
        self.run_seed = int(self.trainer.strategy.broadcast(self.run_seed))
        if self.net is not None and self.device.type == "cpu":
            self.net.to(memory_format=torch.channels_last)

    # -- repetition -----------------------------------------------------------

    def batches_done(self) -> int:
        """Batches of the current epoch that were seen already."""
        if self._trainer is None or self.trainer.state.fn != "fit":
            return 0
        return int(self.trainer.fit_loop.epoch_loop.batch_progress.current.ready)

    def seed_batch(self, number: int) -> None:
        """Makes the random numbers of a batch independent of what was before, for resumed runs.

        Args:
            number: Number of the batch in the current epoch.
        """
        seed = ((self.run_seed * 1_000_003 + self.current_epoch) * 1_000_003 + number) % 2**31
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)

    def on_train_epoch_start(self) -> None:
        """Seeds the epoch's random numbers; loaders that can be resumed do so for each batch."""
        self.seed_batch(0)

    def on_train_epoch_end(self) -> None:
        """Gives schedule ``reduceonplateau`` the figure that lightning withholds from resumed runs."""
        if not self.trainer.fit_loop.restarting:
            return
        found = self.trainer.callback_metrics.get(self.monitor)
        if found is None and self._metrics_log:
            found = self._metrics_log[-1][1].get(self.monitor)
        for entry in self.trainer.lr_scheduler_configs:
            if isinstance(entry.scheduler, ReduceLROnPlateau) and found is not None:
                self.lr_scheduler_step(entry.scheduler, found)

    # -- optimisation ---------------------------------------------------------

    def configure_callbacks(self) -> list[Callback]:
        """Early stopping, frozen layers and averaged weights, as the configuration says."""
        config = self.config
        found: list[Callback] = []
        if config.quit == "early":
            found.append(
                EarlyStopping(
                    monitor=self.stopping_monitor,
                    mode=self.monitor_mode,
                    patience=config.lag,
                    min_delta=config.min_delta,
                    perfect=self.perfect_score,
                )
            )
        if getattr(config, "freeze_backbone", 0) > 0:
            found.append(FreezeBackbone(config.freeze_backbone))  # type: ignore[attr-defined]
        if getattr(config, "ema_decay", 0) > 0:
            found.append(WeightAverage(config.ema_decay))
        return found

    def parameter_groups(self) -> Iterable[Any]:
        """What to optimise: parameters, or groups whose ``factor`` is their share of the learning rate."""
        return self.parameters()

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule of the configuration."""
        steps = None
        if self.config.schedule == "1cycle":
            # prepares the loaders, whose length is needed
            self.trainer.fit_loop.setup_data()
            batches = int(self.trainer.num_training_batches)
            steps = -(-batches // max(1, self.trainer.accumulate_grad_batches))
        return configure_optimizer_and_lr_scheduler(
            self.config, self.parameter_groups(), steps, self.monitor_mode, self.monitor
        )

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        """One step, with the learning rate of the warm-up if that lasts."""
        rate = warmup_rate(self.config, self.trainer.global_step)
        if rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("factor", 1.0)
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """One step of the schedule, once the warm-up is over."""
        if self.trainer.global_step >= int(self.config.warmup or 0):
            super().lr_scheduler_step(scheduler, metric)

    # -- faulty numbers -------------------------------------------------------

    def checked_loss(self, loss: torch.Tensor, what: str) -> torch.Tensor | None:
        """The loss, or None (which skips the batch) if it isn't finite.

        Args:
            loss: Loss of a batch.
            what: The batch, for the message.

        Raises:
            ValueError: Too many batches in a row have no finite loss.
        """
        if bool(torch.isfinite(loss)):
            return loss
        self._count_bad_step(f"The loss of {what} is {float(loss.detach())}")
        return None

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips, and drops gradients that would make the weights unusable."""
        norms = [
            p.grad.norm() for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        if norms and not bool(torch.isfinite(torch.stack([norm.float() for norm in norms]).sum())):
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None
            self._count_bad_step("A gradient isn't finite")
            return
        if norms:
            self._bad_steps = 0
        self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def _count_bad_step(self, reason: str) -> None:
        self._bad_steps += 1
        if self._bad_steps >= MAX_BAD_STEPS:
            raise ValueError(
                f"{reason}, as those of the {self._bad_steps - 1} steps before: training has diverged. "
                "Lower the learning rate (--lrate), add --warmup, or use precision 32-true."
            )
        logger.warning("%s in step %d: the step is skipped.", reason, self.global_step)
