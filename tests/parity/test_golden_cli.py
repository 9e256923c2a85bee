"""The command against recorded behaviour: exit codes, files, messages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lxml import etree
from PIL import Image

from kraken.containers import Segmentation
from tests.conftest import SHARED, shared_path
from tests.parity.matching import edit_distance

FOLDER = SHARED / "golden" / "cli"
CASES: list[dict[str, Any]] = []
if (FOLDER / "cli.json").exists():
    CASES = json.loads((FOLDER / "cli.json").read_text(encoding="utf-8"))["cases"]


def _with_model(args: list[str], model: str) -> list[str]:
    """Arguments with the model filled in; there is no default layout model yet."""
    args = [arg.replace("{MODEL}", model) for arg in args]
    if "-bl" in args and "-i" not in args[args.index("segment") :]:
        at = args.index("segment") + 1
        args[at:at] = ["-i", model]
    return args


def _check_seg(path: Path, check: dict[str, Any]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    segmentation = Segmentation(**data)
    assert segmentation.type == check["type"]
    found = len(segmentation.lines or [])
    if "min_lines" in check:
        assert found >= check["min_lines"]
    else:
        assert abs(found - check["lines"]) <= check["tol"]
    if check.get("imagename") not in (None, "<temporary>"):
        assert str(segmentation.imagename).endswith(check["imagename"])
    if check.get("text_direction"):
        assert segmentation.text_direction == check["text_direction"]


def _check_xml(path: Path, check: dict[str, Any]) -> None:
    root = etree.parse(str(path)).getroot()
    assert etree.QName(root).localname == check["root"]
    for name, (count, tolerance) in check["count"].items():
        assert abs(len(root.findall(f".//{{*}}{name}")) - count) <= tolerance
    image = root.findtext(".//{*}fileName")
    if image is None:
        pages = root.findall(".//{*}Page")
        image = pages[0].get("imageFilename") if pages else None
    if check["image"] not in (None, "<temporary>"):
        assert image is not None and image.endswith(check["image"])


def _check_text(path: Path, check: dict[str, Any]) -> None:
    text = path.read_text(encoding="utf-8")
    assert abs(text.count("\n") - check["lines"]) <= check["tol"]
    longest = max(len(text), len(check["text"]), 1)
    assert 1 - edit_distance(text, check["text"]) / longest >= check["similarity"], text


def _check_output(path: Path, check: dict[str, Any]) -> None:
    kind = check["kind"]
    assert path.is_file(), f"{path.name} is missing"
    if kind == "image1":
        with Image.open(path) as im:
            assert list(im.size) == check["size"]
            assert {value for _, value in im.convert("L").getcolors()} <= {0, 255}
    elif kind == "seg":
        _check_seg(path, check)
    elif kind == "xml":
        _check_xml(path, check)
    elif kind == "html":
        text = path.read_text(encoding="utf-8")
        assert all(word in text for word in check["contains"])
        assert abs(len(re.findall(r"class=\"ocr_line\"", text)) - check["lines"]) <= check["tol"]
    elif kind == "text":
        _check_text(path, check)
    elif kind == "empty":
        assert path.stat().st_size == 0
    else:
        assert kind == "exact"
        assert path.read_text(encoding="utf-8") == check["text"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_command(case: dict[str, Any], tmp_path: Path) -> None:
    if case.get("needs") == "no-cuda" and torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    work = tmp_path / "work"
    work.mkdir()
    for name in case["files"]:
        shutil.copy(FOLDER / "cli-in" / name, work / name)
    for name, text in (case.get("pre") or {}).items():
        (work / name).write_text(text, encoding="utf-8")
    before = {path.name for path in work.iterdir()}
    home = tmp_path / "home"
    home.mkdir()
    folders = {name: str(home) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    args = _with_model(case["args"], str(shared_path("reference-models", "blla.mlmodel")))
    done = subprocess.run(
        [sys.executable, "-m", "kraken.kraken", *args],
        cwd=work,
        env={**os.environ, **folders},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    expected = case.get("better") or case["reference"]
    assert done.returncode in expected["rc"], done.stderr
    for name, check in expected["outputs"].items():
        _check_output(work / name, check)
    for name in expected["absent"]:
        assert not (work / name).exists(), f"{name} should not be there"
    for text in expected.get("stderr_contains") or []:
        assert text in done.stderr
    assert "Traceback" not in done.stderr
    if case.get("better"):
        new = {path.name for path in work.iterdir()} - before
        assert new <= set(expected["outputs"]), "unexpected files"
