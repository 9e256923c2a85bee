"""Pictures of lines in loggers."""

from __future__ import annotations

import builtins
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from lightning.pytorch.loggers import Logger, TensorBoardLogger

from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel
from tests.training.conftest import SPEC, WORDS, data_config, model_config, quiet_trainer, write_page


class Recorder(Logger):
    """Notes what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[tuple[str, tuple[int, ...], int]] = []
        self.texts: list[tuple[str, str, int]] = []

    @property
    def name(self) -> str:
        return "recorder"

    @property
    def version(self) -> str:
        return "0"

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        pass

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        pass


class LikeTensorBoard(Recorder):
    """Its experiment takes an image and a text at a time."""

    @property
    def experiment(self) -> Any:
        return SimpleNamespace(
            add_image=lambda tag, image, step: self.images.append((tag, tuple(image.shape), step)),
            add_text=lambda tag, text, step: self.texts.append((tag, text, step)),
        )


class LikeWandb(Recorder):
    """Takes many images at once."""

    experiment = None

    def log_image(self, key: str, images: list[Any], caption: list[str], step: int) -> None:
        for image, text in zip(images, caption, strict=True):
            self.images.append((key, image.shape, step))
            self.texts.append((key, text, step))


def train(page: Path, tmp_path: Path, logger: Logger) -> None:
    trainer = quiet_trainer(tmp_path, 2, pl_logger=logger, log_every_n_steps=1)
    data = VGSLRecognitionDataModule(data_config(page))
    trainer.fit(VGSLRecognitionModel(model_config(batch_size=4)), data)


def test_tensorboard_gets_images_and_texts(tmp_path: Path) -> None:
    page = write_page(tmp_path, "page", WORDS * 2)
    logger = LikeTensorBoard()
    train(page, tmp_path, logger)
    at_start = [entry for entry in logger.texts if entry[0].startswith("train/")]
    assert len(at_start) == 16 and {step for _, _, step in at_start} == {0}
    assert all(text in WORDS for _, text, _ in at_start)
    evaluations = [entry for entry in logger.texts if entry[0].startswith("validation/")]
    assert [step for _, _, step in evaluations] == [5] * 16 + [10] * 16
    # batches hold lines by width, so order them
    truths = sorted(text.split("truth: ")[1] for _, text, _ in evaluations[:16])
    assert set(truths) <= set(WORDS)
    assert all(text.startswith("prediction: ") for _, text, _ in evaluations)
    assert len(logger.images) == 48
    for _, (channels, height, width), _ in logger.images:
        assert (channels, height) == (1, 16)
        # the padding of the batch is cut off: letters are nine columns wide
        assert width <= 9 * max(map(len, WORDS)) + 20
    assert len({shape for _, shape, _ in logger.images}) > 3


def test_wandb_gets_images_with_captions(page: Path, tmp_path: Path) -> None:
    logger = LikeWandb()
    train(page, tmp_path, logger)
    assert [key for key, _, _ in logger.images] == ["train_lines"] * 10 + ["validation_lines"] * 20
    assert all(len(shape) == 2 for _, shape, _ in logger.images)


def test_pictures_change_nothing(page: Path, tmp_path: Path) -> None:
    def scores(logger: Logger | None) -> list[float]:
        module = VGSLRecognitionModel(model_config(batch_size=2))
        module.run_seed = 3
        trainer = quiet_trainer(tmp_path, 2, pl_logger=logger)
        trainer.fit(module, VGSLRecognitionDataModule(data_config(page)))
        return [float(p.sum()) for p in module.net.parameters()]

    import torch

    torch.manual_seed(0)
    with_pictures = scores(LikeTensorBoard())
    torch.manual_seed(0)
    assert scores(None) == with_pictures


def test_a_logger_that_fails_does_not_end_the_run(page: Path, tmp_path: Path) -> None:
    class Failing(LikeWandb):
        def log_image(self, *args: Any, **kwargs: Any) -> None:
            raise ConnectionError("offline")

    train(page, tmp_path, Failing())


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_missing_package_is_named(
    name: str, tmp_path: Path, page: Path, ketos: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    find, load = importlib.util.find_spec, builtins.__import__
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda wanted, *args: None if wanted == name else find(wanted, *args)
    )
    result = ketos("train", "--logger", name, "-s", SPEC, "-o", tmp_path / "out", page)
    assert result.exit_code == 2
    assert f"pip install {name}" in result.stderr

    def absent(wanted: str, *args: Any, **kwargs: Any) -> Any:
        if "loggers" in wanted:
            raise ModuleNotFoundError(f"No module named {name!r}")
        return load(wanted, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {name}"):
        KrakenTrainer(pl_logger=name)


def test_real_tensorboard(page: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(page, tmp_path, TensorBoardLogger(tmp_path / "logs"))
    (events,) = (tmp_path / "logs").rglob("events.out.tfevents.*")
    content = events.read_bytes()
    assert b"train/line_00" in content and b"validation/line_09" in content and b"prediction:" in content
