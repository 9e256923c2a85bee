"""Optimisers, schedules and warm-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.loggers import CSVLogger

from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel
from kraken.train.optim import build_optimizer, configure_optimizer_and_lr_scheduler, warmup_rate
from tests.training.conftest import data_config, model_config, quiet_trainer


def parameters() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(2))]


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "RMSprop"])
def test_optimizers(name: str) -> None:
    config = model_config(optimizer=name, weight_decay=0.1, momentum=0.5)
    found = build_optimizer(config, parameters())
    assert type(found).__name__ == name
    assert found.defaults["weight_decay"] == 0.1
    if name in ("SGD", "RMSprop"):
        assert found.defaults["momentum"] == 0.5


@pytest.mark.parametrize("name", ["AdamW+Muon", "nonsense", "Optimizer"])
def test_unknown_optimizers(name: str) -> None:
    with pytest.raises(ValueError, match=r"[Oo]ptimizer"):
        build_optimizer(model_config(optimizer=name), parameters())


@pytest.mark.parametrize(
    ("options", "rates"),
    [
        ({"schedule": "constant"}, [1, 1, 1]),
        ({"schedule": "exponential", "gamma": 0.5}, [1, 0.5, 0.25]),
        ({"schedule": "exponential", "gamma": 0.5, "completed_epochs": 1}, [0.5, 0.25, 0.125]),
        ({"schedule": "step", "gamma": 0.1, "step_size": 2}, [1, 1, 0.1]),
        ({"schedule": "cosine", "cos_t_max": 2, "cos_min_lr": 0.0}, [1, 0.5, 0]),
    ],
)
def test_schedules(options: dict[str, Any], rates: list[float]) -> None:
    found = configure_optimizer_and_lr_scheduler(model_config(lrate=1.0, **options), parameters())
    optimizer = found["optimizer"]
    seen = []
    for _ in rates:
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if "lr_scheduler" in found:
            assert found["lr_scheduler"]["interval"] == "epoch"
            found["lr_scheduler"]["scheduler"].step()
    if options.get("completed_epochs"):
        # torch starts where the schedule is, or with the first step
        assert seen[1:] == pytest.approx(rates[: len(seen) - 1]) or seen == pytest.approx(rates)
    else:
        assert seen == pytest.approx(rates, abs=1e-9)


def test_one_cycle_needs_epochs_and_counts_steps() -> None:
    with pytest.raises(ValueError, match="epochs"):
        configure_optimizer_and_lr_scheduler(model_config(schedule="1cycle", epochs=-1), parameters(), 5)
    found = configure_optimizer_and_lr_scheduler(
        model_config(schedule="1cycle", epochs=3, lrate=1.0), parameters(), 5
    )
    assert found["lr_scheduler"]["interval"] == "step"
    assert found["lr_scheduler"]["scheduler"].total_steps == 15
    with pytest.raises(ValueError, match="Unsupported learning rate scheduler nonsense"):
        configure_optimizer_and_lr_scheduler(model_config(schedule="nonsense"), parameters())


def test_plateau_watches_the_right_direction() -> None:
    config = model_config(schedule="reduceonplateau", rop_factor=0.3, rop_patience=7)
    for mode in ("min", "max"):
        found = configure_optimizer_and_lr_scheduler(config, parameters(), None, mode, "CE")
        scheduler = found["lr_scheduler"]["scheduler"]
        assert (scheduler.mode, scheduler.factor, scheduler.patience) == (mode, 0.3, 7)
        assert found["lr_scheduler"]["monitor"] == "CE"


def test_warmup_rates() -> None:
    config = model_config(warmup=4, lrate=1.0)
    assert [warmup_rate(config, step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, None]
    assert warmup_rate(model_config(warmup=0), 0) is None


class Rates(Callback):
    """Learning rates of the steps that were done."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_before_zero_grad(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        self.seen.append(optimizer.param_groups[0]["lr"])


def test_warmup_and_cycle_in_a_run(page: Path, tmp_path: Path) -> None:
    for options, count in (({"warmup": 5}, 20), ({"schedule": "1cycle"}, 10)):
        rates = Rates()
        run = quiet_trainer(tmp_path, 2, callbacks=rates, accumulate_grad_batches=20 // count)
        module = VGSLRecognitionModel(model_config(lrate=0.01, **options))
        run.fit(module, VGSLRecognitionDataModule(data_config(page)))
        assert run.global_step == count
        if "warmup" in options:
            assert rates.seen[:6] == pytest.approx([0.002, 0.004, 0.006, 0.008, 0.01, 0.01])
        else:
            scheduler: Any = run.lr_scheduler_configs[0].scheduler
            assert scheduler.total_steps == count
            assert scheduler.last_epoch == count
            # the cycle ends with the run
            assert rates.seen[-1] < 1e-5


def test_trainer_takes_callbacks_and_loggers_of_all_kinds(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path)
    stopper = EarlyStopping("x")
    assert quiet_trainer(tmp_path).logger is None
    assert quiet_trainer(tmp_path, logger=logger).logger is None
    assert quiet_trainer(tmp_path, pl_logger=logger).logger is logger
    run = KrakenTrainer(callbacks=stopper, pl_logger=True, logger=logger, accelerator="cpu")
    assert run.logger is logger
    names = [type(callback).__name__ for callback in run.callbacks]  # type: ignore[attr-defined]
    expected = [
        "EarlyStopping",
        "LearningRateMonitor",
        "TrainingProgress",
        "RichModelSummary",
        "OneChannelMode",
    ]
    assert [name for name in names if name in expected] == expected
    assert run.min_epochs == 5 and run.max_epochs == 100
    with pytest.raises(ValueError, match="nonsense is not acceptable as logger"):
        quiet_trainer(tmp_path, pl_logger="nonsense")
