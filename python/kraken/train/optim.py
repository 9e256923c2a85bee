"""Optimisers and learning rates as functions of a training configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import lr_scheduler

if TYPE_CHECKING:
    from kraken.configs import TrainingConfig

__all__ = ["build_optimizer", "build_scheduler", "configure_optimizer_and_lr_scheduler", "warmup_rate"]


def build_optimizer(config: TrainingConfig, params: Iterable[Any]) -> torch.optim.Optimizer:
    """The optimiser that a configuration names.

    Args:
        config: Fields `optimizer`, `lrate`, `momentum` and `weight_decay`.
        params: Parameters, or groups of them.

    Raises:
        ValueError: There is no such optimiser for these networks.
    """
    name = config.optimizer
    if name == "AdamW+Muon":
        raise ValueError("Optimizer AdamW+Muon isn't available for this kind of network: use AdamW.")
    make = getattr(torch.optim, name, None)
    if not (isinstance(make, type) and issubclass(make, torch.optim.Optimizer)):
        raise ValueError(f"Unsupported optimizer {name}: use Adam, AdamW, SGD or RMSprop.")
    if name in ("Adam", "AdamW"):
        return make(params, lr=config.lrate, weight_decay=config.weight_decay)  # type: ignore[call-arg]
    try:
        return make(  # type: ignore[call-arg]
            params, lr=config.lrate, momentum=config.momentum, weight_decay=config.weight_decay
        )
    except TypeError as error:
        raise ValueError(f"Unsupported optimizer {name}: {error}") from error


def build_scheduler(
    config: TrainingConfig, optimizer: torch.optim.Optimizer, steps_per_epoch: int | None, mode: str
) -> Any:
    """The learning rate schedule that a configuration names, None for a constant rate.

    Args:
        config: Field `schedule` and those that belong to it; `completed_epochs` are skipped.
        optimizer: What to schedule.
        steps_per_epoch: Optimiser steps in an epoch; needed for ``1cycle`` only.
        mode: ``max`` or ``min``: the direction in which the watched figure improves.

    Raises:
        ValueError: The schedule is unknown or can't be computed.
    """
    last = config.completed_epochs - 1
    if last >= 0:
        # torch wants to find the starting points when it doesn't begin at the beginning
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", config.lrate * group.get("factor", 1.0))
    if config.schedule == "constant":
        return None
    if config.schedule == "exponential":
        return lr_scheduler.ExponentialLR(optimizer, config.gamma, last_epoch=last)
    if config.schedule == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimizer, config.cos_t_max, config.cos_min_lr, last_epoch=last)
    if config.schedule == "step":
        return lr_scheduler.StepLR(optimizer, int(config.step_size), config.gamma, last_epoch=last)
    if config.schedule == "reduceonplateau":
        return lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode="max" if mode == "max" else "min",
            factor=config.rop_factor,
            patience=config.rop_patience,
        )
    if config.schedule == "1cycle":
        return _one_cycle(config, optimizer, steps_per_epoch)
    raise ValueError(f"Unsupported learning rate scheduler {config.schedule}.")


def _one_cycle(
    config: TrainingConfig, optimizer: torch.optim.Optimizer, steps_per_epoch: int | None
) -> lr_scheduler.OneCycleLR:
    if config.epochs <= 0:
        raise ValueError(
            f"Schedule 1cycle needs a fixed number of epochs above 0, not {config.epochs}: set `epochs`."
        )
    if not steps_per_epoch:
        raise ValueError("Schedule 1cycle needs the number of steps in an epoch.")
    done = config.completed_epochs * steps_per_epoch
    if done:
        for group in optimizer.param_groups:
            # what the schedule itself would have noted at its start
            rate = config.lrate * group.get("factor", 1.0)
            group.update(initial_lr=rate / 25, max_lr=rate, min_lr=rate / 25e4)
            group.setdefault("max_momentum", 0.95)
            group.setdefault("base_momentum", 0.85)
    return lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[config.lrate * group.get("factor", 1.0) for group in optimizer.param_groups],
        epochs=config.epochs,
        steps_per_epoch=steps_per_epoch,
        last_epoch=done - 1,
    )


def configure_optimizer_and_lr_scheduler(
    config: TrainingConfig,
    params: Iterable[Any],
    steps_per_epoch: int | None = None,
    loss_tracking_mode: str = "max",
    monitor: str = "val_metric",
) -> dict[str, Any]:
    """Optimiser and schedule in the form in which lightning wants them.

    Args:
        config: Training configuration.
        params: Parameters to optimise.
        steps_per_epoch: Optimiser steps in an epoch; needed for schedule ``1cycle`` only.
        loss_tracking_mode: ``max`` if a larger figure is better, else ``min``.
        monitor: Name of the figure that schedule ``reduceonplateau`` watches.

    Returns:
        ``optimizer`` and, unless the rate is constant, ``lr_scheduler``.

    Raises:
        ValueError: The optimiser or the schedule is unknown or can't be computed.
    """
    optimizer = build_optimizer(config, params)
    scheduler = build_scheduler(config, optimizer, steps_per_epoch, loss_tracking_mode)
    found: dict[str, Any] = {"optimizer": optimizer}
    if scheduler is not None:
        found["lr_scheduler"] = {
            "scheduler": scheduler,
            "interval": "step" if config.schedule == "1cycle" else "epoch",
            "frequency": 1,
            "monitor": monitor,
            # epochs without evaluation have no figure to watch
            "strict": False,
        }
    return found


def warmup_rate(config: TrainingConfig, step: int) -> float | None:
    """Learning rate of an optimiser step during warm-up, None after it.

    Args:
        config: Fields `warmup` and `lrate`.
        step: Number of steps done before this one.
    """
    warmup = int(config.warmup or 0)
    if step >= warmup:
        return None
    return float(config.lrate) * (step + 1) / warmup
