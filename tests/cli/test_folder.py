"""A folder with good and broken inputs, to its end and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from kraken.containers import Segmentation
from tests.robustness.images import UNREADABLE, page

Run = Callable[..., Result]

CHAINS = ("segment", "boxes", "ocr", "binarize")


def chain(name: str, layout: Path, text: Path) -> tuple[str, list[Any]]:
    """Suffix of the outputs, and the steps."""
    baselines = ["segment", "-bl", "-i", layout]
    return {
        "segment": (".json", baselines),
        "boxes": (".json", ["binarize", "segment"]),
        "ocr": (".txt", [*baselines, "ocr", "-m", text]),
        "binarize": (".bw.png", ["binarize"]),
    }[name]


def check_complete(path: Path) -> None:
    """Fails if an output is only half there."""
    if path.suffix == ".json":
        assert Segmentation(**json.loads(path.read_text())).lines
    elif path.suffix == ".txt":
        assert path.read_text().count("\n") == 3
    else:
        with Image.open(path) as image:
            image.load()
            assert image.size == (420, 300)


def scans(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        page().save(folder / f"good{number:02}.png")
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files would lie."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.mark.parametrize("name", CHAINS)
def test_broken_inputs_cost_only_themselves(
    name: str, run: Run, layout_model: Path, text_model: Path, tmp_path: Path, temporary: Path
) -> None:
    folder = scans(tmp_path / "scans", 20)
    writers = [UNREADABLE[kind] for kind in ("text.png", "cut.png", "cut.jpg", "empty.png")]
    if name in ("segment", "ocr"):
        writers = list(UNREADABLE.values())
    broken = [folder / f"broken{number}.png" for number in range(10)]
    for number, path in enumerate(broken):
        writers[number % len(writers)](path)
    before = set(folder.iterdir())
    suffix, steps = chain(name, layout_model, text_model)
    result = run("--json", "-I", folder / "*.png", "-o", suffix, *steps)
    assert result.exit_code == 1
    written = set(folder.iterdir()) - before
    assert {path.name for path in written} == {f"good{number:02}{suffix}" for number in range(20)}
    for path in written:
        check_complete(path)
    assert not list(temporary.iterdir())
    lines = result.stderr.splitlines()
    at = lines.index("10 of 30 inputs failed:")
    named = lines[at + 1 :]
    assert len(named) == 10
    for path, line in zip(broken, named, strict=True):
        assert line.startswith((f"  {path}: read: ", f"  {path}: segment: ")), line
    summary = json.loads(result.stdout)
    assert (summary["inputs"], summary["succeeded"], summary["failed"]) == (30, 20, 10)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("name", ["segment", "ocr", "binarize"])
def test_an_interruption_leaves_whole_files_only(
    name: str,
    sent: signal.Signals,
    code: int,
    layout_model: Path,
    text_model: Path,
    tmp_path: Path,
    temporary: Path,
) -> None:
    folder = scans(tmp_path / "scans", 300)
    before = set(folder.iterdir())
    suffix, steps = chain(name, layout_model, text_model)
    command = [sys.executable, "-m", "kraken.kraken", "-I", folder / "*.png", "-o", suffix, *steps]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # a test run in the background has told its children to ignore interrupts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob(f"good*{suffix}")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr and stdout == ""
    written = set(folder.iterdir()) - before
    assert 0 < len(written) < 300
    for path in written:
        assert path.name.endswith(suffix) and not path.name.startswith("."), path.name
        check_complete(path)
    assert not list(temporary.iterdir())
