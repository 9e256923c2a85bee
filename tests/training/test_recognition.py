"""Training of recognition networks: what is promised beyond recorded behaviour."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from kraken.configs import BLLASegmentationTrainingConfig
from kraken.lib.arrow_dataset import build_binary_dataset
from kraken.lib.codec import PytorchCodec
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import convert_models, load_models
from kraken.train import VGSLRecognitionDataModule, VGSLRecognitionModel
from kraken.train.base import MAX_BAD_STEPS
from kraken.train.callbacks import AtomicCheckpointIO, EarlyStopping, KrakenOnExceptionCheckpoint
from tests.training.conftest import SPEC, WORDS, data_config, model_config, quiet_trainer, write_page


def small_net(**metadata: Any) -> TorchVGSLModel:
    codec = {"a": [1], "b": [2], "x": [3]}
    return TorchVGSLModel(
        vgsl=SPEC[:-1] + " O1c4]", model_type="recognition", codec=codec, seg_type="baselines", **metadata
    )


def test_training_learns_and_validation_sees_it(page: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = VGSLRecognitionModel(model_config(lrate=0.02))
    run = quiet_trainer(tmp_path, epochs=25, check_val_every_n_epoch=25)
    run.fit(module, VGSLRecognitionDataModule(data_config(page)))
    assert float(run.callback_metrics["val_metric"]) > 0.9
    net = module.net
    assert net.model_type == ["recognition"]
    assert net.seg_type == "baselines"
    assert net.one_channel_mode == "L"
    assert not net.use_legacy_polygons
    assert module.config.spec.endswith("O1c6]")


def test_wrong_configurations_are_refused(page: Path) -> None:
    with pytest.raises(ValueError, match=r"config attribute is .* not VGSLRecognitionTrainingConfig"):
        VGSLRecognitionModel(BLLASegmentationTrainingConfig())
    with pytest.raises(ValueError, match="not bracketed"):
        VGSLRecognitionModel(model_config(spec="1,16,0,1 Lbx2"))
    with pytest.raises(ValueError, match="Invalid input"):
        VGSLRecognitionModel(model_config(spec="[1,16,0 Lbx2]"))
    with pytest.raises(ValueError, match="not in"):
        VGSLRecognitionDataModule(data_config(page, format_type="nonsense"))
    with pytest.raises(ValueError, match="Invalid specification"):
        VGSLRecognitionDataModule(data_config(page, training_data=None, evaluation_data=None))


def test_empty_sets_name_the_cause(tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_text("no xml")
    data = VGSLRecognitionDataModule(data_config(bad))
    with pytest.raises(ValueError, match=r"No training data .*bad\.xml"):
        quiet_trainer(tmp_path).fit(VGSLRecognitionModel(model_config()), data)


@pytest.mark.parametrize("name", ["add", "both"])
def test_old_names_of_resizing_work_with_a_warning(name: str, page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config(resize=name), model=small_net())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quiet_trainer(tmp_path, 1, limit_train_batches=0).fit(
            module, VGSLRecognitionDataModule(data_config(page))
        )
    assert any("deprecated" in str(warning.message) for warning in caught)
    assert ("x" in module.net.codec.c2l) == (name == "add")
    assert module.net.output[1] == module.net.codec.max_label + 1


def test_unknown_way_to_resize(page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config(resize="nonsense"), model=small_net())
    with pytest.raises(ValueError, match="invalid resize parameter value nonsense"):
        quiet_trainer(tmp_path).fit(module, VGSLRecognitionDataModule(data_config(page)))


def test_frozen_layers_stay_as_they_are_for_a_while(page: Path, tmp_path: Path) -> None:
    states = []

    class Record(Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any) -> None:
            states.append({k: v.clone() for k, v in pl_module.net.state_dict().items()})

    module = VGSLRecognitionModel(model_config(freeze_backbone=4))
    data = VGSLRecognitionDataModule(data_config(page))
    quiet_trainer(tmp_path, 1, callbacks=Record()).fit(module, data)
    backbone = [name for name in states[0] if "O_" not in name]
    output = next(name for name in states[0] if "O_" in name)
    for name in backbone:
        assert torch.equal(states[0][name], states[3][name])
    assert any(not torch.equal(states[3][name], states[5][name]) for name in backbone)
    assert not torch.equal(states[0][output], states[3][output])
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_averaged_weights_are_saved_and_the_trained_ones_kept(page: Path, tmp_path: Path) -> None:
    class Save(Callback):
        def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
            trainer.save_checkpoint(tmp_path / f"{trainer.current_epoch}.ckpt")

    def load(epoch: int) -> Any:
        return torch.load(tmp_path / f"{epoch}.ckpt", weights_only=True)

    module = VGSLRecognitionModel(model_config(ema_decay=0.9))
    quiet_trainer(tmp_path, 2, callbacks=Save()).fit(module, VGSLRecognitionDataModule(data_config(page)))
    first, second = load(0), load(1)
    name = next(iter(first["_trained_state"]))
    assert not torch.equal(first["state_dict"][name], first["_trained_state"][name])
    assert torch.equal(module.state_dict()[name], second["state_dict"][name])
    # a resumed run trains the trained weights further and averages on
    again = VGSLRecognitionModel.load_from_checkpoint(tmp_path / "0.ckpt", weights_only=True)
    run = quiet_trainer(tmp_path, 2, callbacks=Save())
    data = VGSLRecognitionDataModule(data_config(page))
    run.fit(again, data, ckpt_path=tmp_path / "0.ckpt", weights_only=True)
    repeated = load(1)
    assert torch.equal(repeated["_trained_state"][name], second["_trained_state"][name])
    assert torch.equal(repeated["state_dict"][name], second["state_dict"][name])


class Poison(Callback):
    """Makes the weights useless in one step or from then on."""

    def __init__(self, step: int, once: bool) -> None:
        self.step, self.once = step, once

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        poisoned = batch_idx == self.step if self.once else batch_idx >= self.step
        if poisoned:
            batch["image"].fill_(float("nan"))


def test_a_batch_without_finite_loss_costs_only_itself(page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config())
    data = VGSLRecognitionDataModule(data_config(page))
    quiet_trainer(tmp_path, 1, callbacks=Poison(2, once=True), gradient_clip_val=1.0).fit(module, data)
    assert all(bool(torch.isfinite(parameter).all()) for parameter in module.parameters())


def test_a_run_that_diverges_ends_with_advice(page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config())
    data = VGSLRecognitionDataModule(data_config(page))
    run = quiet_trainer(tmp_path, MAX_BAD_STEPS, callbacks=Poison(0, once=False))
    with pytest.raises(ValueError, match="diverged"):
        run.fit(module, data)


def test_checkpoint_has_the_keys_that_others_expect(page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config())
    run = quiet_trainer(tmp_path, 1)
    run.fit(module, VGSLRecognitionDataModule(data_config(page)))
    run.save_checkpoint(tmp_path / "x.ckpt")
    checkpoint = torch.load(tmp_path / "x.ckpt", weights_only=True)
    expected = {
        "epoch", "global_step", "pytorch-lightning_version", "state_dict", "loops", "callbacks",
        "optimizer_states", "lr_schedulers", "hparams_name", "hyper_parameters",
        "datamodule_hparams_name", "datamodule_hyper_parameters", "_module_config", "_seg_type",
        "_one_channel_mode",
    }  # fmt: skip
    assert expected <= set(checkpoint)
    assert checkpoint["hparams_name"] == checkpoint["datamodule_hparams_name"] == "kwargs"
    assert list(checkpoint["hyper_parameters"]) == ["config"]
    assert isinstance(checkpoint["datamodule_hyper_parameters"]["data_config"].codec, PytorchCodec)
    assert all(name.startswith("net.nn.") for name in checkpoint["state_dict"])
    written = convert_models([tmp_path / "x.ckpt"], tmp_path / "x.safetensors")
    found = load_models(written)[0]
    epoch, values = found.user_metadata["metrics"][-1]
    assert epoch in (0, 1)
    assert values["val_metric"] == pytest.approx(float(run.callback_metrics["val_metric"]))


def test_interrupted_writing_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "x.ckpt"
    AtomicCheckpointIO().save_checkpoint({"a": 1}, target)

    def fail(content: object, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        AtomicCheckpointIO().save_checkpoint({"a": 2}, target)
    assert torch.load(target, weights_only=True) == {"a": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_exceptions_leave_a_checkpoint(page: Path, tmp_path: Path) -> None:
    class Fail(Callback):
        def on_train_batch_end(self, *args: Any) -> None:
            raise RuntimeError("power is gone")

    keeper = KrakenOnExceptionCheckpoint(tmp_path)
    run = quiet_trainer(tmp_path, callbacks=[Fail(), keeper])
    with pytest.raises(RuntimeError, match="power"):
        run.fit(VGSLRecognitionModel(model_config()), VGSLRecognitionDataModule(data_config(page)))
    assert torch.load(keeper.ckpt_path, weights_only=True)["global_step"] == 1
    with pytest.raises(ValueError):
        KrakenOnExceptionCheckpoint(tmp_path, filename="")


@pytest.mark.parametrize(
    ("mode", "values", "stopped"),
    [("max", [0.5, 0.5, 0.5], True), ("max", [0.1, 0.2, 0.3], False), ("max", [1.0], True)],
)
def test_early_stopping(mode: str, values: list[float], stopped: bool) -> None:
    stopper = EarlyStopping("m", mode, patience=2, min_delta=0.01, perfect=1.0)
    results = [stopper._evaluate_stopping_criteria(torch.tensor(value))[0] for value in values]
    assert results[-1] is stopped


def test_partition_augments_the_training_part_only(page: Path) -> None:
    data = VGSLRecognitionDataModule(data_config(page, evaluation_data=None, augment=True, partition=0.8))
    assert data.train_set is not None and data.val_set is not None
    assert (len(data.train_set), len(data.val_set)) == (8, 2)
    assert data.train_set.dataset.aug is not None  # type: ignore[attr-defined]
    assert data.val_set.dataset.aug is None  # type: ignore[attr-defined]


def test_bad_samples_are_skipped_and_named(tmp_path: Path) -> None:
    broken = [3]
    good = write_page(tmp_path, "good", WORDS, broken=broken)
    missing = write_page(tmp_path, "missing", ["abba", "cab"])
    (tmp_path / "missing.png").unlink()
    unparsable = tmp_path / "unparsable.xml"
    unparsable.write_text("<nothing")
    data = VGSLRecognitionDataModule(data_config(good, training_data=[good, missing, unparsable]))
    quiet_trainer(tmp_path, 1).fit(VGSLRecognitionModel(model_config()), data)
    failures = data.failures()
    for name in ("good_l3", "missing_l0", "missing_l1", "unparsable.xml"):
        assert any(name in failure for failure in failures), failures
    assert len(failures) == 4


def test_bad_samples_are_named_from_loader_processes_too(tmp_path: Path) -> None:
    page = write_page(tmp_path, "good", WORDS, broken=[3])
    data = VGSLRecognitionDataModule(data_config(page, num_workers=1))
    quiet_trainer(tmp_path, 1).fit(VGSLRecognitionModel(model_config()), data)
    assert len(data.failures()) == 1
    assert "good_l3" in data.failures()[0]


def test_batches_by_width_hold_every_line_once(page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config())
    seen: list[list[int]] = []

    class Record(Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
            seen.append(batch["seq_lens"].tolist())

    budget = 16 * 150
    data = VGSLRecognitionDataModule(data_config(page, pixel_budget=budget))
    run = quiet_trainer(tmp_path, 2, callbacks=Record())
    run.fit(module, data)
    first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert sum(map(len, first)) == sum(map(len, second)) == len(WORDS)
    assert len(first) < len(WORDS)
    assert first != second
    for widths in seen:
        assert len(widths) == 1 or max(widths) * len(widths) * 16 <= 1.2 * budget


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "64-true"])
def test_other_precisions(precision: str, page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config(batch_size=3))
    run = quiet_trainer(tmp_path, 1, precision=precision, gradient_clip_val=1.0)
    run.fit(module, VGSLRecognitionDataModule(data_config(page)))
    assert 0 < float(run.callback_metrics["train_loss_epoch"]) < 1000


def test_base_direction_goes_into_the_model(page: Path, tmp_path: Path) -> None:
    module = VGSLRecognitionModel(model_config())
    run = quiet_trainer(tmp_path, 1)
    run.fit(module, VGSLRecognitionDataModule(data_config(page, bidi_reordering="R")))
    run.save_checkpoint(tmp_path / "x.ckpt")
    again = VGSLRecognitionModel.load_from_checkpoint(tmp_path / "x.ckpt", weights_only=True)
    assert module.net.user_metadata["base_dir"] == again.net.user_metadata["base_dir"] == "R"


def test_legacy_polygons_of_compiled_data_go_into_the_model(page: Path, tmp_path: Path) -> None:
    target = tmp_path / "x.arrow"
    build_binary_dataset([page], target, legacy_polygons=True)
    module = VGSLRecognitionModel(model_config())
    run = quiet_trainer(tmp_path, 1)
    run.fit(module, VGSLRecognitionDataModule(data_config(target, format_type="binary")))
    run.save_checkpoint(tmp_path / "x.ckpt")
    assert module.net.use_legacy_polygons
    converted = load_models(convert_models([tmp_path / "x.ckpt"], tmp_path / "x.safetensors"))[0]
    assert converted.use_legacy_polygons


def fine_tuned(page: Path, tmp_path: Path, **options: Any) -> tuple[VGSLRecognitionModel, TorchVGSLModel]:
    """A small network that learnt some letters, after it was made to learn more; and before."""
    torch.manual_seed(0)
    old_page = write_page(tmp_path, "old", [word for word in WORDS if "d" not in word] * 3)
    module = VGSLRecognitionModel(model_config(lrate=0.02))
    quiet_trainer(tmp_path, 20, check_val_every_n_epoch=20).fit(
        module, VGSLRecognitionDataModule(data_config(old_page))
    )
    before = copy.deepcopy(module.net)
    options = {"resize": "union", "lrate": 0.02, **options}
    again = VGSLRecognitionModel(model_config(**options), model=module.net)
    trainer = quiet_trainer(tmp_path, 3, check_val_every_n_epoch=3)
    trainer.fit(again, VGSLRecognitionDataModule(data_config(page)))
    trainer.save_checkpoint(tmp_path / "tuned.ckpt")
    return again, before


def test_old_letters_are_kept_when_new_ones_are_learnt(page: Path, tmp_path: Path) -> None:
    departures = []
    for weight in (0.0, 10.0):
        module, before = fine_tuned(page, tmp_path, keep_old=weight)
        assert module.net.output[1] == before.output[1] + 1
        image = torch.zeros(1, 1, 16, 40)
        image[..., 4:12, 6:30:9] = 1
        with torch.no_grad():
            was = before.eval()(image)[0].softmax(1)
            now = module.net.eval()(image)[0][:, : before.output[1]].softmax(1)
        departures.append(float((was - now).abs().mean()))
    assert departures[1] < 0.5 * departures[0]


def test_resumed_runs_know_what_to_keep(page: Path, tmp_path: Path) -> None:
    module, before = fine_tuned(page, tmp_path)
    assert not any("memory" in name for name in module.state_dict())
    assert module._memory is not None
    found = VGSLRecognitionModel.load_from_checkpoint(tmp_path / "tuned.ckpt", weights_only=True)
    batch = {"image": torch.rand(2, 1, 16, 40), "seq_lens": torch.tensor([40, 30])}
    own, lengths = before.eval()(batch["image"], batch["seq_lens"])
    logits = torch.randn(2, module.net.output[1], own.shape[3])
    wanted = module._memory.loss(batch, logits, lengths)
    assert float(found._memory.loss(batch, logits, lengths)) == pytest.approx(float(wanted))
    groups = [(group["factor"], group["lr"]) for group in module.parameter_groups() if "lr" in group]
    assert groups == [(0.1, pytest.approx(0.002))]
    # what it says itself costs nothing, whatever the new letters get
    same = torch.cat([own.squeeze(2), torch.full((2, 1, own.shape[3]), 50.0)], 1)
    assert float(module._memory.loss(batch, same, lengths)) == pytest.approx(0, abs=1e-4)
