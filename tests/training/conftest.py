"""Small pages with lines of drawn words, and a network that learns them within seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.ketos import cli
from kraken.train import KrakenTrainer

SPEC = "[1,16,0,1 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx16]"
WORDS = ("abba", "cab", "bad cab", "dab", "add", "bcd a", "dada", "cad", "abcd", "bb cc")
#: a pattern of strokes per letter, as unlike each other as letters are
STROKES = {"a": (1, 0, 1), "b": (1, 1, 0), "c": (0, 1, 1), "d": (1, 1, 1), "e": (0, 0, 1)}


def drawn(text: str) -> np.ndarray:
    """A line of 16 rows: each letter is 9 columns of strokes."""
    line = np.full((16, 9 * len(text) + 4), 255, dtype=np.uint8)
    for i, char in enumerate(text):
        for part, ink in enumerate(STROKES.get(char, (0, 0, 0))):
            if ink:
                line[2 + 4 * part : 5 + 4 * part, 9 * i + 3 : 9 * i + 9] = 0
    return line


def write_page(folder: Path, name: str, texts: Sequence[str], broken: Sequence[int] = ()) -> Path:
    """A PageXML document with its image; broken lines have a polygon outside of the page."""
    rows = [drawn(text) for text in texts]
    width = max(row.shape[1] for row in rows) + 20
    page = np.full((24 * len(rows) + 20, width), 255, dtype=np.uint8)
    lines = []
    for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
        top, right = 10 + 24 * i, 10 + row.shape[1]
        page[top : top + 16, 10:right] = row
        x0 = 10 + (10 * width if i in broken else 0)
        x1 = right + (10 * width if i in broken else 0)
        polygon = f"{x0},{top} {x1},{top} {x1},{top + 16} {x0},{top + 16}"
        lines.append(
            f'<TextLine id="{name}_l{i}"><Coords points="{polygon}"/>'
            f'<Baseline points="{x0},{top + 12} {x1},{top + 12}"/>'
            f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
        )
    Image.fromarray(page).save(folder / f"{name}.png")
    height, width = page.shape
    document = folder / f"{name}.xml"
    document.write_text(
        '<?xml version="1.0"?><PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        f'<Page imageFilename="{name}.png" imageWidth="{width}" imageHeight="{height}">'
        f'<TextRegion id="r"><Coords points="0,0 {width},0 {width},{height} 0,{height}"/>'
        f"{''.join(lines)}</TextRegion></Page></PcGts>",
        encoding="utf-8",
    )
    return document


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """One page of ten lines."""
    return write_page(tmp_path, "page", WORDS)


@pytest.fixture
def ketos() -> Callable[..., Result]:
    """Runs ``ketos ARGS…`` in this process."""

    def run(*args: object, **kwargs: Any) -> Result:
        return CliRunner().invoke(cli, [str(arg) for arg in args], **kwargs)

    return run


def data_config(page: Path, **options: Any) -> VGSLRecognitionTrainingDataConfig:
    """The page as training and validation data."""
    values = {"training_data": [page], "evaluation_data": [page], "num_workers": 0, "padding": 2, **options}
    return VGSLRecognitionTrainingDataConfig(**values)


def model_config(**options: Any) -> VGSLRecognitionTrainingConfig:
    """A small network, trained for a few epochs."""
    values = {"spec": SPEC, "quit": "fixed", "epochs": 2, "lrate": 0.01, **options}
    return VGSLRecognitionTrainingConfig(**values)


def quiet_trainer(tmp_path: Path, epochs: int = 2, **options: Any) -> KrakenTrainer:
    """A trainer without bars and files."""
    return KrakenTrainer(
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        min_epochs=1,
        max_epochs=epochs,
        accelerator="cpu",
        default_root_dir=tmp_path,
        num_sanity_val_steps=0,
        **{"enable_checkpointing": False, "devices": 1, **options},
    )


def curve(folder: Path) -> list[str]:
    """Rows of the learning curve of a run."""
    path = folder / "learning_curve.tsv"
    return path.read_text().splitlines()[1:] if path.exists() else []


def kill_after(folder: Path, rows: int, arguments: Sequence[str]) -> None:
    """Runs ketos in a process of its own and kills it once its learning curve has some rows."""
    run = subprocess.Popen(
        [sys.executable, "-m", "kraken.ketos", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while len(curve(folder)) < rows and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        run.kill()
        run.wait()
