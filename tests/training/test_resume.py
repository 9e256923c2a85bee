"""Runs that are killed and resumed, at the ends of epochs and in the midst of them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from kraken.models import load_checkpoint_config, load_models
from kraken.train import VGSLRecognitionDataModule, VGSLRecognitionModel
from kraken.train.callbacks import RollingCheckpoint
from tests.training.conftest import SPEC, curve, data_config, model_config, quiet_trainer

# dropout shows whether random numbers are repeated
DROPOUT = SPEC.replace("Mp2,2", "Do0.1 Mp2,2")


def arguments(page: Path, folder: Path, epochs: int, *more: str) -> list[str]:
    return [
        *("--workers", "0", "-s", "7", "train", "-o", str(folder), "-s", DROPOUT, "--pad", "2"),
        *("-q", "fixed", "-N", str(epochs), "-r", "0.02", *more, str(page)),
    ]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("best_*.safetensors")
    (model,) = load_models(path)
    state: dict[str, torch.Tensor] = model.state_dict()
    return state


def check_all(folder: Path) -> None:
    """Every checkpoint that can be seen is complete."""
    for path in folder.glob("checkpoint_*.ckpt"):
        try:
            load_checkpoint_config(path)
        except FileNotFoundError:
            # the run removed it in the meantime, as a worse one
            continue


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX")
def test_run_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(
    page: Path, tmp_path: Path, ketos: Callable[..., Result]
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    epochs = 14
    assert ketos(*arguments(page, whole, epochs)).exit_code == 0
    expected = curve(whole)
    assert len(expected) == epochs
    moments = random.Random(3)
    kills = 0
    resume: list[str] = []
    until = time.monotonic() + 300
    while time.monotonic() < until:
        # a state after every step: whenever the signal comes there is something half done
        command = arguments(page, cut, epochs, "--checkpoint-minutes", "0", *resume)
        run = subprocess.Popen(
            [sys.executable, "-m", "kraken.ketos", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ,
        )
        if kills < 3:
            before = newest(cut)
            while newest(cut) == before and run.poll() is None:
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.3))
            check_all(cut)
            run.kill()
        _, err = run.communicate(timeout=200)
        check_all(cut)
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL, err.decode()
        kills += 1
        resume = ["--resume", str(cut)]
    assert kills == 3
    assert curve(cut) == expected
    # a signal between the writing of a checkpoint and the removal of a worse one leaves that behind, no more
    left, wanted_left = ({path.name for path in folder.iterdir()} for folder in (cut, whole))
    assert wanted_left <= left
    assert len(left - wanted_left) <= kills
    assert not [name for name in left if name.startswith(".")]
    found, wanted = weights(cut), weights(whole)
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def newest(folder: Path) -> int:
    """Time of the latest checkpoint."""
    times = [0]
    for path in folder.glob("checkpoint_*.ckpt"):
        try:
            times.append(path.stat().st_mtime_ns)
        except FileNotFoundError:
            continue
    return max(times)


class Die(Exception):
    """Ends a run like a signal does: nothing is saved."""


class Record(Callback):
    """Notes what a run learns from, and dies after a number of batches."""

    def __init__(self, die_after: int | None = None) -> None:
        self.seen: list[tuple[int, float, float, float]] = []
        self.die_after = die_after
        self.scores: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.seen.append(
            (trainer.current_epoch, float(batch["image"].sum()), float(outputs["loss"]), float(rate))
        )
        if len(self.seen) == self.die_after:
            raise Die

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.scores.append(float(trainer.callback_metrics["val_metric"]))


@pytest.mark.parametrize(("die_after", "workers"), [(3, 0), (5, 0), (10, 0), (12, 1)])
@pytest.mark.parametrize(
    "options",
    [
        {"pixel_budget": 16 * 120},
        {"schedule": "1cycle", "freq": 0.4},
        {"schedule": "reduceonplateau", "rop_patience": 0, "rop_factor": 0.5, "ema_decay": 0.9, "lrate": 0.2},
    ],
    ids=["budget", "1cycle", "plateau"],
)
def test_resumed_in_mid_epoch(
    page: Path, tmp_path: Path, options: dict[str, Any], die_after: int, workers: int
) -> None:
    options = {"spec": DROPOUT, "batch_size": 2, "epochs": 4, **options}
    budget = options.pop("pixel_budget", 0)
    freq = options.pop("freq", 1.0)

    def run(record: Record, resume: Path | None = None) -> None:
        torch.manual_seed(5)
        data = VGSLRecognitionDataModule(data_config(page, pixel_budget=budget, num_workers=workers))
        trainer = quiet_trainer(
            tmp_path,
            4,
            callbacks=[record, RollingCheckpoint(tmp_path, 0)],
            val_check_interval=freq,
            enable_checkpointing=True,
        )
        trainer.fit(VGSLRecognitionModel(model_config(**options)), data, ckpt_path=resume, weights_only=True)

    whole, first, second = Record(), Record(die_after), Record()
    run(whole)
    assert not (tmp_path / "checkpoint_last.ckpt").exists()
    with pytest.raises(Die):
        run(first)
    run(second, tmp_path / "checkpoint_last.ckpt")
    # the batch at whose end the run died isn't in the checkpoint: it is learnt again
    redone = len(first.seen) + len(second.seen) - len(whole.seen)
    assert 1 <= redone <= 5
    assert first.seen == whole.seen[:die_after]
    assert second.seen == whole.seen[die_after - redone :]
    assert second.scores == whole.scores[len(whole.scores) - len(second.scores) :]
