"""Freed memory stays where there is plenty, and blocks of layout networks go back where there isn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from kraken.configs import BLLASegmentationTrainingConfig, VGSLRecognitionTrainingConfig
from kraken.train import BLLASegmentationModel, KrakenTrainer, VGSLRecognitionModel, trainer
from kraken.train.memory import is_scarce


@pytest.mark.parametrize("scarce", [False, True])
@pytest.mark.parametrize("layout", [False, True])
def test_only_layout_networks_give_back_scarce_memory(
    scarce: bool, layout: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(trainer, "is_scarce", lambda: scarce)
    monkeypatch.setattr(trainer, "set_up_memory", lambda *, keep: kept.append(keep))
    monkeypatch.setattr(trainer.Trainer, "fit", lambda self, *args, **kwargs: None)
    module = (
        BLLASegmentationModel(BLLASegmentationTrainingConfig())
        if layout
        else VGSLRecognitionModel(VGSLRecognitionTrainingConfig())
    )
    KrakenTrainer(accelerator="cpu", enable_summary=False, enable_progress_bar=False).fit(module)
    assert kept == [not (scarce and layout)]


@pytest.mark.parametrize(
    ("content", "scarce"),
    [
        # caches of files are given up when needed
        ("MemTotal: 16000000 kB\nMemFree: 200000 kB\nMemAvailable: 9000000 kB\n", False),
        ("MemTotal: 8000000 kB\nMemFree: 200000 kB\nMemAvailable: 3000000 kB\n", True),
        ("MemTotal: 8000000 kB\n", False),
        ("MemAvailable: many\n", False),
        ("nothing\n", False),
    ],
)
def test_memory_is_scarce_if_caches_do_not_help(content: str, scarce: bool, tmp_path: Path) -> None:
    statistics = tmp_path / "meminfo"
    statistics.write_text(content, encoding="ascii")
    assert is_scarce(statistics) == scarce
    assert not is_scarce(tmp_path / "missing")
