"""Runs that are killed and resumed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from kraken.models import load_checkpoint_config
from tests.training.conftest import SPEC


def arguments(page: Path, folder: Path, epochs: int) -> list[str]:
    return [
        *("--workers", "0", "-s", "7", "train", "-o", str(folder), "-s", SPEC, "--pad", "2"),
        *("-q", "fixed", "-N", str(epochs), "-r", "0.01", str(page)),
    ]


def curve(folder: Path) -> list[str]:
    path = folder / "learning_curve.tsv"
    return path.read_text().splitlines()[1:] if path.exists() else []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX")
def test_killed_run_goes_on_as_if_nothing_had_happened(
    page: Path, tmp_path: Path, ketos: Callable[..., Result]
) -> None:
    whole, cut, resumed = tmp_path / "whole", tmp_path / "cut", tmp_path / "resumed"
    assert ketos(*arguments(page, whole, 5)).exit_code == 0
    expected = curve(whole)
    assert len(expected) == 5
    # far more epochs than the test lasts
    run = subprocess.Popen(
        [sys.executable, "-m", "kraken.ketos", *arguments(page, cut, 10_000)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while len(curve(cut)) < 3 and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        run.kill()
        run.wait()
    checkpoints = sorted(cut.glob("checkpoint_*.ckpt"))
    for checkpoint in checkpoints:
        load_checkpoint_config(checkpoint)  # none is half-written
    result = ketos(*arguments(page, resumed, 5)[:-1], "--resume", checkpoints[0])
    assert result.exit_code == 0, result.output
    assert curve(resumed) == expected
    assert list(resumed.glob("best_*.safetensors"))
