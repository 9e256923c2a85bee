"""Compares training on few lines after pre-training on lines without text with training from nothing.

    python benches/quality/pretraining.py ../shared/data/pages/print-en-alto

FOLDER holds page images with ALTO or PAGE files. The last quarter of the pages is for the test. A small
network is pre-trained on all lines of the other pages, whose text it doesn't get. Then networks are trained
on a few of these lines with text: from nothing, from the pre-trained network, and from nothing for twice as
many steps (which costs more than pre-training did). Prints character error rates of the test lines after half
of the epochs and at the end as a table in Markdown, each the mean over `--seeds` choices of lines and the
range. No figure is the best of several epochs or settings.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from kraken.configs import (
    VGSLPreTrainingConfig,
    VGSLPreTrainingDataConfig,
    VGSLRecognitionTrainingConfig,
    VGSLRecognitionTrainingDataConfig,
)
from kraken.lib.arrow_dataset import build_binary_dataset
from kraken.lib.pretrain import PretrainDataModule, RecognitionPretrainModel
from kraken.models import load_models, write_models
from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel

SPEC = "[1,32,0,1 Cr3,3,16 Mp2,2 Cr3,3,32 Mp2,2 S1(1x0)1,3 Lbx64 Do0.1]"


class Curve(Callback):
    """Collects a figure of each validation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: list[float] = []

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Notes the figure."""
        self.values.append(float(trainer.callback_metrics[self.name]))


def fit(module: Any, data: Any, epochs: int, every: int, name: str) -> list[float]:
    """Trains and returns a figure of every few epochs."""
    curve = Curve(name)
    KrakenTrainer(
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        min_epochs=1,
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
        check_val_every_n_epoch=every,
        callbacks=[curve],
    ).fit(module, datamodule=data)
    return curve.values


def compile_lines(files: list[Path], target: Path) -> Path:
    """Cuts the lines of pages out, once."""
    build_binary_dataset([str(file) for file in files], str(target), "xml")
    return target


def pretrain(lines: Path, weights: Path, args: argparse.Namespace) -> list[float]:
    """Pre-trains a network on lines without their text and writes it."""
    torch.manual_seed(0)
    module = RecognitionPretrainModel(
        VGSLPreTrainingConfig(
            spec=SPEC,
            quit="fixed",
            epochs=args.pretrain_epochs,
            lrate=3e-3,
            schedule="cosine",
            cos_t_max=args.pretrain_epochs,
            cos_min_lr=1e-4,
            warmup=50,
            batch_size=8,
            num_negatives=50,
            mask_width=args.mask_width,
        )
    )
    options: dict[str, Any] = {"format_type": "binary", "num_workers": 0, "training_data": [lines]}
    data = PretrainDataModule(VGSLPreTrainingDataConfig(**options, partition=0.95, partition_seed=1))
    losses = fit(module, data, args.pretrain_epochs, max(1, args.pretrain_epochs // 4), "val_ce")
    write_models(module.net, weights)
    return losses


def train(lines: Path, test: Path, few: np.ndarray, weights: Path | None, epochs: int) -> list[float]:
    """Trains on few lines and returns the character error rates in the middle and at the end."""
    torch.manual_seed(0)
    config = VGSLRecognitionTrainingConfig(
        spec=SPEC, quit="fixed", epochs=epochs, lrate=3e-3, batch_size=4, resize="new"
    )
    model: Any = load_models(weights)[0] if weights is not None else None
    module = VGSLRecognitionModel(config, model=model)
    options: dict[str, Any] = {"format_type": "binary", "num_workers": 0}
    data = VGSLRecognitionDataModule(
        VGSLRecognitionTrainingDataConfig(training_data=[lines], evaluation_data=[test], **options)
    )
    assert data.train_set is not None
    chosen: Any = data.train_set.dataset
    chosen._index = chosen._index[few]
    data.train_set = torch.utils.data.Subset(chosen, range(len(few)))
    chosen.rebuild_alphabet()
    return [1 - value for value in fit(module, data, epochs, epochs // 2, "val_accuracy")]


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, nargs="+", default=[40])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--pretrain-epochs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=300, help="Optimiser steps of each training.")
    parser.add_argument("--mask-width", type=int, default=4)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in ("lightning.pytorch", "kraken"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(1)
    pages = sorted(args.folder.glob("*.xml"))
    cut = len(pages) - max(1, len(pages) // 4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = compile_lines(pages[:cut], folder / "train.arrow")
        test = compile_lines(pages[cut:], folder / "test.arrow")
        start = time.process_time()
        losses = pretrain(lines, folder / "pretrained.safetensors", args)
        print(f"pre-training: {time.process_time() - start:.0f} s CPU, loss", *(f"{x:.3f}" for x in losses))
        probe = VGSLRecognitionDataModule(
            VGSLRecognitionTrainingDataConfig(test_data=[lines], format_type="binary")
        )
        assert probe.test_set is not None
        total = len(probe.test_set)
        print(f"{total} lines for training\n")
        print("| lines with text | start | CER after half | CER at the end | CPU s |\n|---|---|---|---|---|")
        for count in args.lines:
            epochs = max(2, args.steps * 4 // count)
            for title, weights, factor in (
                ("nothing", None, 1),
                ("pre-trained", folder / "pretrained.safetensors", 1),
                ("nothing, twice the steps", None, 2),
            ):
                start, found = time.process_time(), []
                for seed in range(args.seeds):
                    few = np.random.default_rng(seed).permutation(total)[:count]
                    found.append(train(lines, test, np.sort(few), weights, factor * epochs)[:2])
                cells = []
                for rates in zip(*found, strict=True):
                    cells.append(
                        f"{100 * np.mean(rates):.1f} % ({100 * min(rates):.1f}–{100 * max(rates):.1f})"
                    )
                seconds = (time.process_time() - start) / args.seeds
                print(f"| {count} | {title} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
