"""Freed memory stays with the process, but for the large blocks of layout networks."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from kraken.configs import BLLASegmentationTrainingConfig, VGSLRecognitionTrainingConfig
from kraken.train import BLLASegmentationModel, KrakenTrainer, VGSLRecognitionModel, trainer


@pytest.mark.parametrize("layout", [False, True])
def test_blocks_of_layout_networks_are_large(layout: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    small = []
    monkeypatch.setattr(trainer, "set_up_memory", lambda *, small_blocks: small.append(small_blocks))
    monkeypatch.setattr(trainer.Trainer, "fit", lambda self, *args, **kwargs: None)
    module = (
        BLLASegmentationModel(BLLASegmentationTrainingConfig())
        if layout
        else VGSLRecognitionModel(VGSLRecognitionTrainingConfig())
    )
    KrakenTrainer(accelerator="cpu", enable_summary=False, enable_progress_bar=False).fit(module)
    assert small == [not layout]


_PROBE = """
import torch
from kraken.train.memory import set_up_memory
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
assert set_up_memory(small_blocks={small})
before = resident()
block = torch.ones(25_000_000)  # 100 MB
assert resident() - before > 90e6
del block
print(resident() - before > 90e6)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries can't be told")
@pytest.mark.parametrize("small", [False, True])
def test_large_blocks_go_back(small: bool) -> None:
    command = [sys.executable, "-c", _PROBE.format(small=small)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    assert found.stdout.split() == [str(small)]
