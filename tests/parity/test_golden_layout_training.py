"""Training of layout models against recorded behaviour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from kraken.configs import (
    BLLASegmentationTestDataConfig,
    BLLASegmentationTrainingConfig,
    BLLASegmentationTrainingDataConfig,
    ROTrainingDataConfig,
)
from kraken.lib.ro import RODataModule
from kraken.models import convert_models, load_from_checkpoint, load_models
from kraken.train import BLLASegmentationDataModule, BLLASegmentationModel, KrakenTrainer
from kraken.train.segmentation_data import collate_pages
from tests.conftest import SHARED

FOLDER = SHARED / "golden" / "training"
PAGES = FOLDER / "pages"
MODELS: dict[str, Any] = {}
OVERFIT: dict[str, Any] = {}
if (FOLDER / "models.json").exists():
    MODELS = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
    OVERFIT = json.loads((FOLDER / "overfit.json").read_text(encoding="utf-8"))["segmentation"]

pytestmark = pytest.mark.skipif(not MODELS, reason="no recorded data")


def trainer(tmp_path: Path, **options: Any) -> KrakenTrainer:
    return KrakenTrainer(
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        accelerator="cpu",
        devices=1,
        default_root_dir=tmp_path,
        num_sanity_val_steps=0,
        **options,
    )


def load(name: str, **options: Any) -> BLLASegmentationModel:
    path = FOLDER / "models" / name
    if name.endswith("ckpt"):
        return load_from_checkpoint(path)
    return BLLASegmentationModel.load_from_weights(path, BLLASegmentationTrainingConfig(**options))


@pytest.mark.parametrize("case", MODELS.get("seg_tests", []))
def test_tests(case: dict[str, Any], tmp_path: Path) -> None:
    data = BLLASegmentationTestDataConfig(
        test_data=[PAGES / case["file"]],
        num_workers=0,
        line_width=3,
        test_class_mapping_mode=case["mode"],
    )
    module = load(case["model"], bl_tol=4.0)
    found = trainer(tmp_path).test(module, BLLASegmentationDataModule(data), verbose=False)
    for name in ("class_pixel_accuracy", "mean_accuracy", "class_iu", "mean_iu", "region_iu"):
        wanted = torch.tensor(case[name], dtype=torch.float64)
        torch.testing.assert_close(torch.as_tensor(getattr(found, name)).double(), wanted, atol=5e-3, rtol=0)
    assert [found.bl_precision, found.bl_recall, found.bl_f1] == pytest.approx(case["bl"], abs=0.03)
    assert set(found.bl_detection_per_class) == set(case["per_class"])
    for name, values in case["per_class"].items():
        assert found.bl_detection_per_class[name] == pytest.approx(values, abs=0.03)
    assert 0 <= float(found.freq_iu) <= 1


def test_validation(tmp_path: Path) -> None:
    files = [PAGES / MODELS["seg_tests"][0]["file"]]
    data = BLLASegmentationTrainingDataConfig(
        training_data=files, evaluation_data=files, num_workers=0, line_width=3
    )
    run = trainer(tmp_path, max_epochs=1, min_epochs=1)
    run.fit(load("seg.safetensors", bl_tol=4.0, lrate=0.0), BLLASegmentationDataModule(data))
    for name, value in MODELS["seg_val"].items():
        slack = 0.03 if "_bl_" in name else 5e-3
        assert float(run.callback_metrics[name]) == pytest.approx(value, abs=slack), name


@pytest.mark.parametrize("case", MODELS.get("seg_resize", []))
def test_resize(case: dict[str, Any], tmp_path: Path) -> None:
    files = [PAGES / case["file"]]
    data = BLLASegmentationTrainingDataConfig(training_data=files, evaluation_data=files, num_workers=0)
    module = load("seg.safetensors", resize=case["resize"], lrate=0.0)
    assert module.net.user_metadata["class_mapping"] == case["before"]
    run = trainer(tmp_path, max_epochs=1, min_epochs=1, limit_train_batches=0)
    data_module = BLLASegmentationDataModule(data)
    if "error" in case:
        with pytest.raises(ValueError, match="differ"):
            run.fit(module, data_module)
        return
    run.fit(module, data_module)
    found = module.net.user_metadata["class_mapping"]
    assert {k: set(v) for k, v in found.items()} == {k: set(v) for k, v in case["after"].items()}
    for section, classes in found.items():
        assert sorted(classes.values()) == sorted(case["after"][section].values())
        for name in set(classes) & set(case["before"][section]):
            assert classes[name] == case["after"][section][name]
    assert module.net.output[1] == case["out"]
    assert data_module.config.line_class_mapping == found["baselines"]


def test_loss(tmp_path: Path) -> None:
    case = MODELS["seg_loss"]
    data = BLLASegmentationTrainingDataConfig(
        training_data=[PAGES / case["page"]] * 2,
        evaluation_data=[PAGES / case["page"]],
        num_workers=0,
        line_width=case["line_width"],
    )
    module, data_module = load("seg.safetensors", lrate=0.0), BLLASegmentationDataModule(data)
    run = trainer(tmp_path, max_epochs=1, min_epochs=1, limit_train_batches=0, limit_val_batches=0)
    run.fit(module, data_module)
    assert data_module.train_set is not None
    batch = collate_pages([data_module.train_set[0]])
    module.net.eval()
    module._trainer = None
    for weight, loss in case["losses"].items():
        module.config.dice_weight = float(weight)  # type: ignore[attr-defined]
        assert float(module.training_step(batch, 0)) == pytest.approx(loss, abs=1e-3)  # type: ignore[arg-type]


def test_checkpoint_becomes_weights(tmp_path: Path) -> None:
    written = convert_models([FOLDER / "models" / "seg.ckpt"], tmp_path / "out.safetensors")
    (net,) = load_models(written)
    (recorded,) = load_models(FOLDER / "models" / "seg.safetensors")
    assert net.user_metadata["class_mapping"] == recorded.user_metadata["class_mapping"]
    for name, value in recorded.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value)


@pytest.mark.slow
def test_overfitting(tmp_path: Path) -> None:
    torch.manual_seed(1)
    files = [PAGES / name for name in OVERFIT["files"]]
    data = BLLASegmentationTrainingDataConfig(
        training_data=files, evaluation_data=files, num_workers=0, **OVERFIT["data"]
    )
    config = BLLASegmentationTrainingConfig(
        spec=OVERFIT["spec"], quit="fixed", epochs=OVERFIT["epochs"], **OVERFIT["config"]
    )
    losses: list[float] = []

    class Recorder(BLLASegmentationModel):
        def on_train_epoch_end(self) -> None:
            losses.append(float(self.trainer.callback_metrics["train_loss"]))

    run = trainer(
        tmp_path,
        max_epochs=OVERFIT["epochs"],
        min_epochs=1,
        gradient_clip_val=OVERFIT["clip"],
        check_val_every_n_epoch=OVERFIT["val_every"],
    )
    run.fit(Recorder(config), BLLASegmentationDataModule(data))
    assert float(run.callback_metrics["val_metric"]) >= OVERFIT["expect"]["val_metric_min"]
    assert losses[0] / losses[-1] >= OVERFIT["expect"]["loss_ratio_min"]


def test_reading_order_checkpoint(tmp_path: Path) -> None:
    case = MODELS["ro_ckpt"]
    path = FOLDER / "models" / "ro.ckpt"
    module = load_from_checkpoint(path)
    module.net.eval()
    with torch.no_grad():
        output = module.net(torch.tensor(case["input"])).flatten()
    torch.testing.assert_close(output, torch.tensor(case["output"]), atol=1e-4, rtol=0)
    assert module.net.class_mapping == case["class_mapping"]
    data = ROTrainingDataConfig(
        training_data=[PAGES / "page_d.xml"], evaluation_data=[PAGES / "page_d.xml"], num_workers=0
    )
    run = trainer(tmp_path, max_epochs=1, min_epochs=1, limit_train_batches=1)
    module.config.lrate = module.config.cos_min_lr = 0.0
    module.config.warmup = 1000
    module.config.weight_decay = 0.0
    run.fit(module, RODataModule(data))
    for name, value in case["val"].items():
        assert float(run.callback_metrics[name]) == pytest.approx(value, abs=2e-3)
    (net,) = load_models(convert_models([path], tmp_path / "ro.safetensors"))
    assert (net.model_type, net.level) == (["reading_order"], "baselines")
