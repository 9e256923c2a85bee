"""Layout training that is killed and resumed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from kraken.models import load_checkpoint_config
from tests.training.conftest import curve, kill_after
from tests.training.test_layout import SPEC, ketos, write_page


def arguments(folder: Path, pages: list[Path], epochs: int) -> list[str]:
    return [
        *("segtrain", "-o", str(folder), "-s", SPEC, "-N", str(epochs), "-r", "0.01", "--augment"),
        *("-p", "0.6", "--overlays", "1", *map(str, pages)),
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX")
def test_killed_run_goes_on_with_the_same_pages_and_figures(tmp_path: Path) -> None:
    pages = [write_page(tmp_path, str(number), rows=3 + number) for number in range(5)]
    whole, cut, resumed = tmp_path / "whole", tmp_path / "cut", tmp_path / "resumed"
    assert ketos(*arguments(whole, pages, 4)).exit_code == 0
    expected = curve(whole)
    assert len(expected) == 4
    # far more epochs than the test lasts
    kill_after(cut, 2, ["--workers", "0", "-s", "1", *arguments(cut, pages, 10_000)])
    checkpoints = sorted(cut.glob("checkpoint_*.ckpt"))
    assert checkpoints
    for checkpoint in checkpoints:
        load_checkpoint_config(checkpoint)  # none is half-written
    result = ketos("segtrain", "--resume", checkpoints[0], "-N", 4, "-o", resumed)
    assert result.exit_code == 0, result.output
    assert curve(resumed) == expected
    assert list(resumed.glob("best_*.safetensors"))
