"""Runs that are killed and resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.training.conftest import SPEC


def command(page: Path, folder: Path, epochs: int, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "kraken.ketos", "--workers", "0", "-s", "7", "train", "-o", str(folder)),
        *("-s", SPEC, "--pad", "2", "-q", "fixed", "-N", str(epochs), "-r", "0.01", *more, str(page)),
    ]


def curve(folder: Path) -> list[str]:
    path = folder / "learning_curve.tsv"
    return path.read_text().splitlines()[1:] if path.exists() else []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX")
def test_killed_run_goes_on_as_if_nothing_had_happened(page: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    subprocess.run(command(page, whole, 6), check=True, capture_output=True)
    expected = curve(whole)
    assert len(expected) == 6
    # far more epochs than the test lasts
    run = subprocess.Popen(
        command(page, cut, 10_000), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    try:
        until = time.monotonic() + 120
        while len(curve(cut)) < 3 and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        run.kill()
        run.wait()
    for checkpoint in cut.glob("checkpoint_*.ckpt"):
        torch.load(checkpoint, weights_only=False)  # none is half-written
    first = min(cut.glob("checkpoint_*.ckpt"))
    done = torch.load(first, weights_only=False)["epoch"] + 1
    resumed = tmp_path / "resumed"
    subprocess.run([*command(page, resumed, 6)[:-1], "--resume", str(first)], check=True, capture_output=True)
    assert done < 6
    assert curve(resumed)[-(6 - done) :] == expected[done:]
    assert list(resumed.glob("best_*.safetensors"))
