"""A folder with good and broken inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.robustness.images import UNREADABLE, page

Run = Callable[..., Result]


def test_broken_inputs_cost_only_themselves(
    run: Run, layout_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(20):
        page().save(folder / f"good{number:02}.png")
    writers = list(UNREADABLE.values())
    broken = [folder / f"broken{number}.png" for number in range(10)]
    for number, path in enumerate(broken):
        writers[number % len(writers)](path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = set(folder.iterdir())
    result = run("--json", "-I", folder / "*.png", "-o", ".json", "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 1
    written = set(folder.iterdir()) - before
    assert {path.name for path in written} == {f"good{number:02}.json" for number in range(20)}
    for path in written:
        assert json.loads(path.read_text())["lines"], path.name
    assert not list(temporary.iterdir())
    lines = result.stderr.splitlines()
    at = lines.index("10 of 30 inputs failed:")
    named = lines[at + 1 :]
    assert len(named) == 10
    for path, line in zip(broken, named, strict=True):
        assert line.startswith((f"  {path}: read: ", f"  {path}: segment: ")), line
    assert json.loads(result.stdout)["succeeded"] == 20
