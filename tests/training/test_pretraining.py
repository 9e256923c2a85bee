"""Pre-training on lines without text."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kraken.configs import VGSLPreTrainingConfig, VGSLPreTrainingDataConfig, VGSLRecognitionTrainingConfig
from kraken.lib.arrow_dataset import build_binary_dataset
from kraken.lib.pretrain import PretrainDataModule, RecognitionPretrainModel, Wav2Vec2Mask
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import find_checkpoint_module, load_checkpoint_config, load_models
from kraken.train import VGSLRecognitionModel
from kraken.train import pretraining as module_under_test
from kraken.train.pretraining import contrastive_logits, first_recurrent, smallest_width
from tests.reference.contrast import slow_contrastive_loss
from tests.training.conftest import (
    SPEC,
    WORDS,
    curve,
    data_config,
    drawn,
    kill_after,
    quiet_trainer,
    write_page,
)

Ketos = Callable[..., Result]
#: halves the width twice: masked columns are parts of letters that their neighbours give away
DEEPER = "[1,16,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx32]"
SMALL = ("-s", SPEC, "--pad", "2", "-q", "fixed", "-r", "0.01", "--warmup", "0", "--min-epochs", "0")


def pretrain_data(page: Path, **options: Any) -> VGSLPreTrainingDataConfig:
    values = {"training_data": [page], "evaluation_data": [page], "num_workers": 0, "padding": 2, **options}
    return VGSLPreTrainingDataConfig(**values)


def pretrain_config(**options: Any) -> VGSLPreTrainingConfig:
    defaults = {"quit": "fixed", "epochs": 2, "min_epochs": 0, "lrate": 0.01, "warmup": 0, "mask_width": 3}
    return VGSLPreTrainingConfig(**{"spec": SPEC, "num_negatives": 10, **defaults, **options})


def without_text(document: Path) -> Path:
    """The same page without any text."""
    text = document.read_text(encoding="utf-8")
    for word in WORDS:
        text = text.replace(f"<TextEquiv><Unicode>{word}</Unicode></TextEquiv>", "")
    assert "TextEquiv" not in text
    document.write_text(text, encoding="utf-8")
    return document


@pytest.fixture
def silent_page(page: Path) -> Path:
    """Ten lines without text."""
    return without_text(page)


def fitted(page: Path, tmp_path: Path, epochs: int = 1, **options: Any) -> RecognitionPretrainModel:
    module = RecognitionPretrainModel(pretrain_config(**options))
    quiet_trainer(tmp_path, epochs=epochs).fit(module, PretrainDataModule(pretrain_data(page)))
    return module


# -- masks ------------------------------------------------------------------------


def spans(row: torch.Tensor) -> Iterator[tuple[int, int]]:
    """Start and length of each run of masked columns."""
    at = 0
    for masked, run in groupby(row.tolist()):
        length = len(list(run))
        if masked:
            yield at, length
        at += length


@given(
    width=st.integers(1, 9),
    share=st.floats(0, 1),
    columns=st.integers(0, 120),
    seed=st.integers(0, 2**32),
)
def test_spans_of_a_line(width: int, share: float, columns: int, seed: int) -> None:
    layer = Wav2Vec2Mask(1, 1, width, share, 1)
    row = torch.zeros(columns, dtype=torch.bool)
    starts = layer._sample_starts(columns, torch.Generator().manual_seed(seed))
    for start in starts:
        row[start : start + width] = True
    found = list(spans(row))
    assert [start for start, _ in found] == starts
    assert all(length == width for _, length in found)
    assert all(b - (a + width) >= 2 for a, b in pairwise(starts))
    room = (columns + 2) // (width + 2)
    wanted = share * columns / width
    assert min(room, int(wanted)) <= len(starts) <= max(layer.least_spans, int(wanted + 1))
    assert columns < layer.min_columns or len(starts) >= layer.least_spans


def test_number_of_spans_is_right_on_average() -> None:
    layer = Wav2Vec2Mask(1, 1, 4, 0.3, 1)
    counts = [len(layer._sample_starts(50, torch.Generator().manual_seed(i))) for i in range(400)]
    assert set(counts) == {3, 4}
    assert np.mean(counts) == pytest.approx(0.3 * 50 / 4, abs=0.1)


@given(
    lengths=st.lists(st.integers(5, 60), min_size=1, max_size=6),
    share=st.floats(0.1, 1),
    seed=st.integers(0, 2**32),
)
def test_masks_of_a_batch(lengths: list[int], share: float, seed: int) -> None:
    layer = Wav2Vec2Mask(3, 2, 4, share, 6)
    assert min(lengths) >= layer.min_columns
    x = torch.randn(len(lengths), 3, 1, max(lengths))
    ends = torch.tensor(lengths)
    masked = layer.sample(x, ends, torch.Generator().manual_seed(seed))
    counts = masked.mask.sum(1)
    k = int(counts[0])
    assert counts.tolist() == [k] * len(lengths)
    assert k >= 2
    for row, end in zip(masked.mask, lengths, strict=True):
        assert not row[end:].any(), "padding is masked"
    assert masked.negatives.shape == (6, len(lengths), k)
    assert int(masked.negatives.min()) >= 0 and int(masked.negatives.max()) < k
    assert (masked.negatives != torch.arange(k)).all(), "a column is its own distractor"
    again = layer.sample(x, ends, torch.Generator().manual_seed(seed))
    assert torch.equal(again.mask, masked.mask) and torch.equal(again.negatives, masked.negatives)


def test_distractors_are_uniform() -> None:
    layer = Wav2Vec2Mask(1, 1, 4, 0.5, 2000)
    negatives = layer.sample(torch.randn(1, 1, 1, 20), None, torch.Generator().manual_seed(0)).negatives
    k = negatives.shape[2]
    for column in range(k):
        counts = negatives[:, 0, column].bincount(minlength=k).double()
        assert counts[column] == 0
        assert (counts[torch.arange(k) != column] / 2000).sub(1 / (k - 1)).abs().max() < 0.05


@pytest.mark.parametrize("width", [1, 2, 4])
def test_the_shortest_line_can_be_masked(width: int) -> None:
    layer = Wav2Vec2Mask(2, 2, width, 0.01, 3)
    x = torch.randn(1, 2, 1, layer.min_columns)
    for _ in range(20):
        mask = layer(x)["mask"]
        assert 2 <= int(mask.sum()) < layer.min_columns


# -- loss -------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_loss_equals_the_obvious_one(temperature: float) -> None:
    torch.manual_seed(3)
    context, targets = torch.randn(2, 7, 5), torch.randn(2, 7, 5)
    negatives = torch.randint(7, (4, 2, 7))
    context[0, 0] = 0  # has no direction: similar to nothing
    context.requires_grad_(True)
    logits = contrastive_logits(context, targets, negatives, temperature)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.zeros(14, dtype=torch.int64))
    assert logits.shape == (2, 7, 5)
    assert float(loss.detach()) == pytest.approx(
        slow_contrastive_loss(context.detach().numpy(), targets.numpy(), negatives.numpy(), temperature),
        rel=1e-5,
    )
    loss.backward()
    assert context.grad is not None and bool(torch.isfinite(context.grad).all())


def test_step_equals_the_obvious_loss_and_ignores_padding(page: Path, tmp_path: Path) -> None:
    module = fitted(page, tmp_path).eval()
    data = PretrainDataModule(pretrain_data(page))
    dataset: Any = data.train_set and data.train_set.dataset
    module.trainer.datamodule = data  # type: ignore[attr-defined]
    dataset.transforms = module_under_test_transforms(module)
    images = [dataset[i]["image"] for i in (0, 3, 5)]
    images.sort(key=lambda image: -image.shape[2])
    widths = torch.tensor([image.shape[2] for image in images])
    batch = torch.zeros(3, 1, 16, int(widths.max()))
    for row, image in zip(batch, images, strict=True):
        row[:, :, : image.shape[2]] = image
    with torch.no_grad():
        entropy = module._cross_entropy(
            {"image": batch, "seq_lens": widths}, torch.Generator().manual_seed(5)
        )
        assert entropy is not None
        # the same, line by line, with the same masks and distractors
        features, lengths = module.features(batch, widths)
        masked = module.wav2vec2mask.sample(features, lengths, torch.Generator().manual_seed(5))
        for n, image in enumerate(images):
            alone, _ = module.features(image[None], None)
            columns = alone.shape[3]
            assert columns == int(lengths[n])
            mask = masked.mask[n, :columns]
            hidden = torch.where(mask, module.wav2vec2mask.mask_emb.weight[0][:, None, None], alone[0])
            context, _ = module.encoder(hidden[None], None)
            targets = module.wav2vec2mask.project_q(alone[0, :, 0].T[mask])
            expected = slow_contrastive_loss(
                context[0, :, 0].T[mask][None].numpy(),
                targets[None].numpy(),
                masked.negatives[:, n : n + 1].numpy(),
                module.config.logit_temp,
            )
            assert float(entropy[n].mean()) == pytest.approx(expected, rel=1e-3)


def module_under_test_transforms(module: RecognitionPretrainModel) -> Any:
    from kraken.lib.dataset import ImageInputTransforms

    return ImageInputTransforms(1, module.height, module.width, module.channels, (2, 0), valid_norm=False)


# -- network ----------------------------------------------------------------------


def test_network_is_divided_before_the_first_recurrent_layer() -> None:
    net = TorchVGSLModel(
        vgsl="[1,16,0,1 Cr3,3,4 S1(1x0)1,3 Lbx8 Do0.1,2 Lfx6 O1c2]", model_type="recognition"
    )
    module = RecognitionPretrainModel(pretrain_config(), model=net)
    assert [name for name, _ in module.features.named_children()] == ["C_0", "S_1"]
    assert [name for name, _ in module.encoder.named_children()] == ["L_2", "Do_3", "L_4"]
    assert (module.wav2vec2mask.context_encoder_input_dim, module.wav2vec2mask.final_dim) == (64, 6)
    assert first_recurrent(TorchVGSLModel(vgsl="[1,1,0,4 Do (Lfx3 [Cr1,1,2 Lrx2]) O1c2]").nn) == 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("[1,16,0,1 Cr3,3,8 S1(1x0)1,3]", "no recurrent layer"),
        ("[1,16,0,1 Cr3,3,8 Mp2,2 Lbx16]", "have 8 rows.*S1"),
        ("[1,16,0,1 Lfys8 Lbx16]", "have 16 rows"),
        ("[1,16,0,1 Cr3,3,8 S1(1x0)1,3 Lbx8 Cr1,2,8,1,2]", "one for each"),
        ("[1,16,0,1 Cr3,3,8 S1(1x0)1,3 Lbxs8]", "one for each"),
    ],
)
def test_unfit_networks_are_refused(spec: str, message: str, silent_page: Path, tmp_path: Path) -> None:
    module = RecognitionPretrainModel(pretrain_config(spec=spec))
    with pytest.raises(ValueError, match=message):
        quiet_trainer(tmp_path).fit(module, PretrainDataModule(pretrain_data(silent_page)))


def test_wrong_configurations_are_refused(page: Path) -> None:
    with pytest.raises(ValueError, match="not VGSLPreTrainingConfig"):
        RecognitionPretrainModel(VGSLRecognitionTrainingConfig())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not VGSLPreTrainingDataConfig"):
        PretrainDataModule(data_config(page))  # type: ignore[arg-type]


def test_frozen_backbone_makes_no_sense(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="kraken"):
        module = RecognitionPretrainModel(pretrain_config(freeze_backbone=10))
    assert "freeze_backbone" in caplog.text
    assert not any("Freeze" in type(callback).__name__ for callback in module.configure_callbacks())


@pytest.mark.parametrize("spec", [SPEC, "[1,16,0,1 Cr3,9,4,1,3 Mp2,2 Cr3,5,4 S1(1x0)1,3 Lbx4]"])
@pytest.mark.parametrize("columns", [1, 5, 17])
def test_smallest_width(spec: str, columns: int) -> None:
    net = TorchVGSLModel(vgsl=spec)
    features: Any = net.nn[: first_recurrent(net.nn)]
    width = smallest_width(features, 1, 16, columns)

    def left(width: int) -> int:
        try:
            return int(features(torch.zeros(1, 1, 16, width))[0].shape[3])
        except RuntimeError:
            return 0  # narrower than a kernel

    assert left(width) >= columns
    assert width == 1 or left(width - 1) < columns


def test_width_that_never_suffices() -> None:
    net = TorchVGSLModel(vgsl="[1,16,0,1 Lfxs4 Lbx4]")
    with pytest.raises(ValueError, match="can't be masked"):
        smallest_width(net.nn[:1], 1, 16, 5)  # type: ignore[arg-type]


# -- training ---------------------------------------------------------------------


def test_result_is_a_recogniser_of_nothing(silent_page: Path, tmp_path: Path) -> None:
    module = fitted(silent_page, tmp_path, epochs=2)
    net = module.net
    assert module.config.spec.endswith("O1c2]") and net.output[1] == 2
    assert net.codec.c2l == {" ": [1]}
    assert net.seg_type == "baselines" and net.one_channel_mode == "L" and not net.use_legacy_polygons
    assert all(parameter.requires_grad for parameter in net.parameters())
    metrics = module.trainer.callback_metrics
    assert float(metrics["val_metric"]) == float(metrics["val_ce"])
    assert {"CE_step", "CE_epoch"} <= set(metrics)


def test_only_what_is_trained_changes(silent_page: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = TorchVGSLModel(
        vgsl=SPEC[:-1] + " O1c4]", model_type="recognition", codec={"a": [1], "b": [2], "c": [3]}
    )
    before = {name: value.clone() for name, value in net.state_dict().items()}
    module = RecognitionPretrainModel(pretrain_config(weight_decay=0.1), model=net)
    quiet_trainer(tmp_path, epochs=1).fit(module, PretrainDataModule(pretrain_data(silent_page)))
    same = {name for name, value in net.state_dict().items() if torch.equal(value, before[name])}
    assert same == {"nn.O_4.lin.weight", "nn.O_4.lin.bias"}
    assert set(net.codec.c2l) == set("abc") and net.output[1] == 4  # type: ignore[union-attr]


def test_batch_size_comes_from_the_data_unless_the_model_says_so(silent_page: Path, tmp_path: Path) -> None:
    for model, data, expected in (({}, {}, 64), ({}, {"batch_size": 3}, 3), ({"batch_size": 5}, {}, 5)):
        module = RecognitionPretrainModel(pretrain_config(**model))
        loader = PretrainDataModule(pretrain_data(silent_page, **data))
        quiet_trainer(tmp_path, epochs=1, limit_train_batches=1, limit_val_batches=1).fit(module, loader)
        assert loader.train_dataloader().batch_size == expected


def test_validation_masks_the_same_every_time(silent_page: Path, tmp_path: Path) -> None:
    module = fitted(silent_page, tmp_path)
    trainer, data = quiet_trainer(tmp_path), PretrainDataModule(pretrain_data(silent_page))
    found = [trainer.validate(module, data, verbose=False)[0]["val_metric"] for _ in range(2)]
    torch.manual_seed(99)
    assert trainer.validate(module, data, verbose=False)[0]["val_metric"] == found[0] == found[1]


def test_runs_repeat_with_the_seed_whatever_else_draws(silent_page: Path, tmp_path: Path) -> None:
    losses = []
    for workers in (0, 1):
        torch.manual_seed(11)
        module = RecognitionPretrainModel(pretrain_config())
        data = PretrainDataModule(pretrain_data(silent_page, num_workers=workers, batch_size=4))
        trainer = quiet_trainer(tmp_path, epochs=2)
        trainer.fit(module, data)
        losses.append(float(trainer.callback_metrics["val_metric"]))
    assert losses[0] == losses[1]


def test_short_lines_are_skipped_and_named(tmp_path: Path, ketos: Ketos) -> None:
    page = write_page(tmp_path, "page", ["abcd abcd", "a", "dada abba", "bad cab dab", "b"])
    out = tmp_path / "out"
    # each letter is 9 columns, of which the network's features keep half
    result = ketos(
        *("--workers", 0, "-s", 1, "pretrain", "-o", out, *SMALL, "-N", 4, "-mw", 15, "-B", 8, page),
        *("-e", manifest(tmp_path, page)),
    )
    assert result.exit_code == 0, result.output
    assert "2 faulty files or samples were skipped" in result.stderr
    assert "page_l1" in result.stderr and "page_l4" in result.stderr and "too short" in result.stderr


def test_only_short_lines(tmp_path: Path, ketos: Ketos) -> None:
    page = write_page(tmp_path, "page", ["a", "b"])
    result = ketos(
        *("--workers", 0, "pretrain", "-o", tmp_path / "out", *SMALL, "-N", 1, "-mw", 50),
        *("-e", manifest(tmp_path, page), page),
    )
    assert result.exit_code == 1
    assert "All 2 samples in dataset invalid" in result.stderr and "Traceback" not in result.stderr


def test_short_lines_of_other_loaders_are_skipped(silent_page: Path, tmp_path: Path) -> None:
    module = fitted(silent_page, tmp_path)
    images = torch.rand(3, 1, 16, 60)
    batch = {"image": images, "seq_lens": torch.tensor([60, 50, 4])}
    entropy = module._cross_entropy(batch, torch.Generator().manual_seed(1))
    assert entropy is not None and len(entropy) == 2 and module.skipped_lines == 1
    batch["seq_lens"] = torch.tensor([4, 4, 4])
    assert module.training_step(batch, 0) is None
    assert module.skipped_lines == 4


def test_batches_that_need_too_much_memory_are_skipped(
    silent_page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module = fitted(silent_page, tmp_path)
    module._trainer = None
    batch = {"image": torch.rand(1, 1, 16, 60), "seq_lens": torch.tensor([60])}

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(module.wav2vec2mask, "sample", fail)
        with caplog.at_level(logging.WARNING, logger="kraken"):
            assert module.training_step(batch, 0) is None
        assert "Memory doesn't suffice" in caplog.text
        with pytest.raises(ValueError, match="--batch-size"):
            for i in range(module_under_test.MAX_SKIPPED):
                module.training_step(batch, i)
    assert module.training_step(batch, 0) is not None

    def err(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(module.wav2vec2mask, "sample", err)
    with pytest.raises(RuntimeError, match="a bug"):
        module.training_step(batch, 0)


# -- data -------------------------------------------------------------------------


def manifest(folder: Path, *files: Path) -> Path:
    path = folder / "files.txt"
    path.write_text("".join(f"{file}\n" for file in files))
    return path


def test_line_images_need_no_text_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = []
    for i, word in enumerate(WORDS[:4]):
        files.append(tmp_path / f"line{i}.png")
        Image.fromarray(drawn(word)).save(files[-1])
    (tmp_path / "line0.gt.txt").write_text("abba")
    (tmp_path / "line1.gt.txt").write_text("")
    with caplog.at_level(logging.WARNING, logger="kraken"):
        data = PretrainDataModule(
            pretrain_data(tmp_path, format_type="path", training_data=files, evaluation_data=files)
        )
    assert data.train_set is not None and len(data.train_set) == 4
    assert not caplog.text
    module = RecognitionPretrainModel(pretrain_config())
    quiet_trainer(tmp_path, epochs=1).fit(module, data)
    assert module.net.seg_type == "bbox"


def test_compiled_lines_need_no_text(silent_page: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.arrow"
    build_binary_dataset([str(silent_page)], str(file), "page", skip_empty_lines=False)
    with pa.memory_map(str(file)) as source:
        assert pa.ipc.open_file(source).read_all().num_rows == len(WORDS)
    data = PretrainDataModule(pretrain_data(file, format_type="binary"))
    assert data.train_set is not None and len(data.train_set) == len(WORDS)
    module = RecognitionPretrainModel(pretrain_config())
    quiet_trainer(tmp_path, epochs=1).fit(module, data)
    assert not data.failures()


# -- command ----------------------------------------------------------------------


def test_loss_falls_and_training_goes_on_from_the_result(tmp_path: Path, ketos: Ketos) -> None:
    texts = [("abcd" * 6)[start : start + 16] for start in np.random.default_rng(0).integers(0, 4, 40)]
    silent = write_page(tmp_path, "silent", texts)
    pre, masks = tmp_path / "pre", ("-mw", 3, "-nn", 20, "-B", 8, "-f", "page")
    deeper = [DEEPER if arg == SPEC else arg for arg in SMALL]
    result = ketos("--workers", 0, "-s", 1, "pretrain", "-o", pre, *deeper, *masks, "-N", 20, silent)
    assert result.exit_code == 0, result.output
    losses = [float(row.split("\t")[2]) for row in curve(pre)]
    assert len(losses) == 20
    assert losses[-1] < 0.6 * losses[0], losses
    best = next(pre.glob("best_*.safetensors"))
    checkpoint = next(pre.glob(f"checkpoint_*-{best.stem.removeprefix('best_')}.ckpt"))
    assert f"Best model checkpoint: {checkpoint}" in result.stdout
    assert float(best.stem.removeprefix("best_")) == pytest.approx(min(losses), abs=1e-4)
    assert find_checkpoint_module(checkpoint) is RecognitionPretrainModel

    labelled = write_page(tmp_path, "labelled", WORDS)
    train = ("--workers", 0, "-s", 1, "train", "--pad", 2, "-q", "fixed", "-r", 0.01)
    refused = ketos(*train, "-i", best, "-N", 1, "-o", tmp_path / "refused", labelled)
    assert refused.exit_code == 2 and "--resize" in refused.stderr
    (start,) = load_models(best)
    for source in (best, checkpoint):
        for resize in ("new", "union"):
            out = tmp_path / f"{source.suffix}{resize}"
            # more frozen steps than the run has: the network's layers are those of the pre-training
            done = ketos(
                *(*train, "-i", source, "--resize", resize, "--freeze-backbone", 1000, "-N", 1, "-o", out),
                labelled,
            )
            assert done.exit_code == 0, done.output
            (model,) = load_models(next(out.glob("best_*")))
            assert set(model.codec.c2l) == set("abcd "), resize  # type: ignore[attr-defined]
            for name, value in start.state_dict().items():
                if not name.startswith("nn.O_"):
                    assert torch.equal(model.state_dict()[name], value), name

    again = ketos(
        *("--workers", 0, "pretrain", "-i", checkpoint, "-o", tmp_path / "again", *SMALL, *masks, "-N", 1),
        silent,
    )
    assert again.exit_code == 0, again.output
    assert float(curve(tmp_path / "again")[0].split("\t")[2]) < 0.8 * losses[0]
    wrong = ketos("train", "--resume", checkpoint, labelled)
    assert wrong.exit_code == 2 and "--load" in wrong.stderr


def test_checkpoints_hold_what_is_documented(silent_page: Path, tmp_path: Path, ketos: Ketos) -> None:
    out = tmp_path / "out"
    result = ketos(
        "--workers",
        0,
        "pretrain",
        "-o",
        out,
        *SMALL,
        "-N",
        1,
        "-e",
        manifest(tmp_path, silent_page),
        silent_page,
    )
    assert result.exit_code == 0, result.output
    checkpoint = torch.load(next(out.glob("checkpoint_*.ckpt")), weights_only=True)
    assert checkpoint["_seg_type"] == "baselines" and checkpoint["_one_channel_mode"] == "L"
    config = checkpoint["_module_config"]
    assert isinstance(config, VGSLPreTrainingConfig) and config.spec.endswith("O1c2]")
    assert checkpoint["datamodule_hyper_parameters"]["data_config"].codec.c2l == {" ": [1]}
    state = checkpoint["state_dict"]
    assert {name.split(".")[0] for name in state} == {"net", "wav2vec2mask", "features", "encoder"}
    assert torch.equal(state["features.C_0.co.weight"], state["net.nn.C_0.co.weight"])
    assert torch.equal(state["encoder.L_3.layer.weight_hh_l0"], state["net.nn.L_3.layer.weight_hh_l0"])
    assert {"wav2vec2mask.mask_emb.weight", "wav2vec2mask.project_q.bias"} <= set(state)
    module: Any = VGSLRecognitionModel.load_from_checkpoint(
        next(out.glob("checkpoint_*.ckpt")), config=VGSLRecognitionTrainingConfig(), weights_only=True
    )
    assert set(module.state_dict()) == {name for name in state if name.startswith("net.")}


def test_help_loads_no_torch() -> None:
    code = (
        "import sys\nfrom kraken.ketos import cli\n"
        "try: cli(['pretrain', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'lightning', 'pyarrow', 'scipy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--mask-probability" in done.stdout


def test_usage_errors(ketos: Ketos, silent_page: Path, tmp_path: Path) -> None:
    for args, text in (
        (["pretrain"], "No training data was provided to the pretrain command"),
        (["pretrain", "-i", silent_page, "--resume", silent_page, silent_page], "mutually exclusive"),
        (["pretrain", "-mw", 0, silent_page], "-mw"),
        (["pretrain", "-mp", 2, silent_page], "-mp"),
        (["pretrain", "-nn", 0, silent_page], "-nn"),
        (["pretrain", "-lt", 0, silent_page], "-lt"),
        (["pretrain", "--optimizer", "AdamW+Muon", silent_page], "Muon"),
    ):
        result = ketos(*args)
        assert result.exit_code == 2, args
        assert text in result.stderr
    result = ketos("pretrain", "-s", "[1,16,0,1 Cr3,3,8 Lbx16]", "-o", tmp_path / "out", silent_page)
    assert result.exit_code == 1
    assert "have 16 rows" in result.stderr and "Traceback" not in result.stderr


def test_options_reach_the_run_from_an_experiment_file(
    ketos: Ketos, silent_page: Path, tmp_path: Path
) -> None:
    experiment = tmp_path / "run.yaml"
    values = {"mask_width": 2, "mask_prob": 0.25, "num_negatives": 7, "logit_temp": 0.5, "warmup": 1e1}
    experiment.write_text(json.dumps({"num_workers": 0, "pretrain": {**values, "pixel_budget": 4000}}))
    out = tmp_path / "out"
    small = [arg for arg in SMALL if arg not in ("--warmup", "0")] + ["0"]
    result = ketos("--config", experiment, "pretrain", "-o", out, *small, "-N", 1, "-p", 0.7, silent_page)
    assert result.exit_code == 0, result.output
    config = load_checkpoint_config(next(out.glob("checkpoint_*.ckpt")))
    assert {name: getattr(config, name) for name in values} == values


def test_resumed_runs_may_mask_otherwise(ketos: Ketos, silent_page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    args = ("--workers", 0, "pretrain", "-p", 0.7)
    assert ketos(*args, "-o", out, *SMALL, "-N", 1, silent_page).exit_code == 0
    more = ("--resume", next(out.glob("checkpoint_*.ckpt")), "-N", 2, "-o", tmp_path / "more")
    refused = ketos(*args, *more, "-mw", 1000)
    assert refused.exit_code == 1 and "All 10 samples in dataset invalid" in refused.stderr
    assert ketos(*args, *more, "-mw", 2, "-nn", 3).exit_code == 0


def arguments(page: Path, folder: Path, epochs: int) -> list[str]:
    return [
        *("--workers", "0", "-s", "7", "pretrain", "-o", str(folder), *SMALL, "-B", "3", "-N", str(epochs)),
        str(page),
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of POSIX")
def test_killed_run_goes_on_as_if_nothing_had_happened(
    silent_page: Path, tmp_path: Path, ketos: Ketos
) -> None:
    whole, cut, resumed = tmp_path / "whole", tmp_path / "cut", tmp_path / "resumed"
    assert ketos(*arguments(silent_page, whole, 5)).exit_code == 0
    expected = curve(whole)
    assert len(expected) == 5
    # far more epochs than the test lasts
    kill_after(cut, 3, arguments(silent_page, cut, 10_000))
    checkpoint = min(cut.glob("checkpoint_*.ckpt"))
    result = ketos(*arguments(silent_page, resumed, 5)[:-1], "--resume", checkpoint)
    assert result.exit_code == 0, result.output
    assert curve(resumed) == expected
    assert list(resumed.glob("best_*.safetensors"))
