"""Training of recognition models against recorded behaviour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.dataset import (
    ArrowIPCRecognitionDataset,
    ImageInputTransforms,
    PolygonGTDataset,
    collate_sequences,
)
from kraken.lib.dataset.metrics import edit_distance
from kraken.lib.xml import XMLPage
from kraken.models import convert_models, load_from_checkpoint, load_models
from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel
from tests.conftest import SHARED

FOLDER = SHARED / "golden" / "training"
PAGES = FOLDER / "pages"
MODELS: dict[str, Any] = {}
OVERFIT: dict[str, Any] = {}
if (FOLDER / "models.json").exists():
    MODELS = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
    OVERFIT = json.loads((FOLDER / "overfit.json").read_text(encoding="utf-8"))["recognition"]


def paths(names: list[str]) -> list[str]:
    return [str(PAGES / name) for name in names]


def trainer(tmp_path: Path, **options: Any) -> KrakenTrainer:
    return KrakenTrainer(
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        accelerator="cpu",
        devices=1,
        default_root_dir=tmp_path,
        num_sanity_val_steps=0,
        **options,
    )


@pytest.mark.skipif(not MODELS, reason="no recorded data")
def test_checkpoint_gives_the_recorded_outputs(tmp_path: Path) -> None:
    case = MODELS["rec_ckpt"]
    module = load_from_checkpoint(FOLDER / "models" / "rec.ckpt")
    net = module.net.eval()
    with torch.no_grad():
        output, _ = net(torch.tensor(case["input"]).reshape(case["input_shape"]))
    wanted = torch.tensor(case["output"]).reshape(case["output_shape"])
    torch.testing.assert_close(output, wanted, atol=1e-4, rtol=0)
    assert net.codec.c2l == case["c2l"]
    assert module.config.spec == case["spec"]
    assert net.seg_type == case["seg_type"]
    assert net.one_channel_mode == case["one_channel_mode"]
    written = convert_models([FOLDER / "models" / "rec.ckpt"], tmp_path / "out.safetensors")
    assert load_models(written)[0].model_type == ["recognition"]


@pytest.mark.parametrize("case", MODELS.get("rec_tests", []))
def test_tests(case: dict[str, Any], tmp_path: Path) -> None:
    data = VGSLRecognitionTrainingDataConfig(test_data=paths(case["files"]), num_workers=0, **case["options"])
    config = VGSLRecognitionTrainingConfig(batch_size=4)
    module = VGSLRecognitionModel.load_from_weights(FOLDER / "models" / "rec.safetensors", config)
    found = trainer(tmp_path).test(module, VGSLRecognitionDataModule(data))
    chars = sum(found.character_counts.values())
    assert chars == case["chars"]
    # bent lines are straightened without the wobble of the recorded images
    pages = [XMLPage(path).to_container() for path in data.test_data or ()]
    bent = sum(len(line.baseline or ()) > 2 for page in pages for line in page.lines or ())  # type: ignore[union-attr]
    slack = max(3, 0.01 * chars) + bent
    assert abs(found.num_errors - case["num_errors"]) <= slack
    assert found.cer == pytest.approx(case["cer"], abs=slack / chars + 1e-6)
    assert found.wer == pytest.approx(case["wer"], abs=0.1 + 0.05 * bent)
    assert found.case_insensitive_cer == pytest.approx(case["ci"], abs=slack / chars + 1e-6)
    assert dict(found.scripts) == case["scripts"]
    if bent:
        return
    assert abs(found.insertions - case["insertions"]) <= slack
    assert abs(sum(found.deletes.values()) - sum(case["deletes"].values())) <= slack


@pytest.mark.skipif(not MODELS, reason="no recorded data")
def test_recorded_line_images_give_the_recorded_errors() -> None:
    """What bent lines add to the slack above comes from their images: 1 px of height on this page."""
    (net,) = load_models(FOLDER / "models" / "rec.safetensors")
    case = next(c for c in MODELS["rec_tests"] if c["files"] == ["alto_a_10.xml"] and not c["options"])
    texts = {line.text for line in XMLPage(PAGES / "alto_a_10.xml").to_container().lines or ()}
    transforms = ImageInputTransforms(1, net.input[2], 0, net.input[1], (16, 0), valid_norm=False)
    lines = ArrowIPCRecognitionDataset(im_transforms=transforms)
    lines.add(FOLDER / "arrow" / "baseline.arrow")
    lines.no_encode()
    errors = 0
    for index in range(len(lines)):
        text = lines.text_of(index)
        if text not in {(found or "").strip() for found in texts}:
            continue
        image = lines[index]["image"]
        with torch.no_grad():
            output, lengths = net.eval()(image[None], torch.tensor([image.shape[2]]))
        (labels,) = greedy_decoder(output.squeeze(2), lengths)
        errors += edit_distance(text, "".join(char for char, *_ in net.codec.decode(labels)).strip())
    assert errors == case["num_errors"]


@pytest.mark.skipif(not MODELS, reason="no recorded data")
def test_validation_equals_the_recorded_one_and_the_test(tmp_path: Path) -> None:
    case = MODELS["rec_tests"][0]
    files = paths(case["files"])
    data = VGSLRecognitionTrainingDataConfig(training_data=files, evaluation_data=files, num_workers=0)
    config = VGSLRecognitionTrainingConfig(lrate=0.0, epochs=1, quit="fixed", batch_size=10)
    module = VGSLRecognitionModel.load_from_weights(FOLDER / "models" / "rec.safetensors", config)
    run = trainer(tmp_path, max_epochs=1, min_epochs=1, enable_checkpointing=False)
    run.fit(module, VGSLRecognitionDataModule(data))
    for name, value in MODELS["val"].items():
        slack = max(3, 0.01 * case["chars"]) / case["chars"] if "word" not in name else 0.1
        assert float(run.callback_metrics[name]) == pytest.approx(value, abs=slack)
    tested = VGSLRecognitionDataModule(VGSLRecognitionTrainingDataConfig(test_data=files, num_workers=0))
    found = trainer(tmp_path).test(module, tested)
    assert float(run.callback_metrics["val_accuracy"]) == pytest.approx(found.cer, abs=1e-9)
    assert float(run.callback_metrics["val_word_accuracy"]) == pytest.approx(found.wer, abs=1e-9)


@pytest.mark.parametrize("case", MODELS.get("rec_resize", []))
def test_resize(case: dict[str, Any], tmp_path: Path) -> None:
    files = paths(case["files"])
    data = VGSLRecognitionTrainingDataConfig(training_data=files, evaluation_data=files, num_workers=0)
    config = VGSLRecognitionTrainingConfig(resize=case["resize"], quit="fixed", lrate=0.0)
    module = VGSLRecognitionModel.load_from_weights(FOLDER / "models" / "rec.safetensors", config)
    assert module.net.codec.c2l == case["before"]
    run = trainer(tmp_path, max_epochs=1, min_epochs=1, limit_train_batches=0, enable_checkpointing=False)
    data_module = VGSLRecognitionDataModule(data)
    if "error" in case:
        with pytest.raises(ValueError, match="mismatch"):
            run.fit(module, data_module)
        return
    run.fit(module, data_module)
    assert module.net.codec.c2l == case["after"]
    assert module.net.output[1] == case["out"]
    assert module.net.spec.rstrip("]").endswith(case["spec_tail"])


@pytest.mark.skipif(not MODELS, reason="no recorded data")
def test_ctc_loss() -> None:
    case = MODELS["ctc_loss"]
    module = VGSLRecognitionModel.load_from_weights(
        FOLDER / "models" / "rec.safetensors", VGSLRecognitionTrainingConfig()
    )
    module.net.eval()
    transforms = ImageInputTransforms(1, case["height"], 0, 1, (case["padding"], 0), valid_norm=False)
    lines = PolygonGTDataset(im_transforms=transforms)
    lines.add(page=XMLPage(PAGES / case["page"]).to_container())
    lines.encode(module.net.codec)
    for item in case["cases"]:
        batch = collate_sequences([lines[i] for i in item["idx"]])
        with torch.no_grad():
            loss = module.training_step(batch, 0)
        assert loss is not None
        assert float(loss) == pytest.approx(item["loss"], rel=2e-2)


@pytest.mark.skipif(not OVERFIT, reason="no recorded data")
@pytest.mark.parametrize(
    "length", ["short", pytest.param("full", marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_overfitting(length: str, tmp_path: Path) -> None:
    files = paths(OVERFIT["files"])
    short = length == "short"
    torch.manual_seed(1)
    data = VGSLRecognitionTrainingDataConfig(training_data=files, evaluation_data=files, num_workers=0)
    config = VGSLRecognitionTrainingConfig(spec=OVERFIT["spec"], quit="fixed", **OVERFIT["config"])
    epochs = 4 if short else OVERFIT["epochs"]
    losses = []

    class Record(Callback):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            losses.append(float(trainer.callback_metrics["train_loss_epoch"]))

    run = trainer(
        tmp_path,
        max_epochs=epochs,
        min_epochs=1,
        callbacks=Record(),
        gradient_clip_val=OVERFIT["clip"],
        check_val_every_n_epoch=epochs if short else OVERFIT["val_every"],
        enable_checkpointing=False,
    )
    run.fit(VGSLRecognitionModel(config), VGSLRecognitionDataModule(data))
    if short:
        assert losses[-1] < losses[0]
        return
    assert float(run.callback_metrics["val_metric"]) >= OVERFIT["expect"]["val_metric_min"]
    assert losses[0] / losses[-1] >= OVERFIT["expect"]["loss_ratio_min"]
