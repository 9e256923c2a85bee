"""Freed memory stays where there is plenty, and blocks of layout networks go back where there isn't."""

from __future__ import annotations

import pytest

from kraken.configs import BLLASegmentationTrainingConfig, VGSLRecognitionTrainingConfig
from kraken.train import BLLASegmentationModel, KrakenTrainer, VGSLRecognitionModel, trainer


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
