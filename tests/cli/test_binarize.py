"""`kraken binarize`, and what follows it in a chain."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from lxml import etree
from PIL import Image

from kraken.containers import Segmentation
from tests.robustness.images import page

Run = Callable[..., Result]


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    page().save(tmp_path / "page.png")
    return tmp_path / "page.png"


@pytest.mark.parametrize("name", ["o.png", "o.tif", "o.jpg", "o"])
def test_images_are_black_and_white_under_any_name(name: str, run: Run, grey: Path, tmp_path: Path) -> None:
    result = run("-i", grey, tmp_path / name, "binarize", "--threshold", "0.4")
    assert result.exit_code == 0, result.stderr
    with Image.open(tmp_path / name) as im:
        assert im.format == ("TIFF" if name == "o.tif" else "PNG")
        assert im.size == (420, 300)
        assert set(np.unique(im.convert("L"))) == {0, 255}
    assert ("JPEG" in result.stderr) == (name == "o.jpg")


def test_dash_prints_the_image(run: Run, grey: Path) -> None:
    result = run("-i", grey, "-", "binarize")
    assert result.exit_code == 0
    assert Image.open(io.BytesIO(result.stdout_bytes)).size == (420, 300)


def test_documents_name_the_image_beside_them(run: Run, grey: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.xml"
    assert run("-a", "-i", grey, out, "binarize").exit_code == 0
    root = etree.parse(str(out))
    assert Path(str(root.findtext(".//{*}fileName"))) == tmp_path / "o.xml.png"
    assert root.findtext(".//{*}processingCategory") == "preOperation"
    with Image.open(tmp_path / "o.xml.png") as im:
        assert im.size == (420, 300)


def test_boxes_of_a_binarised_page_name_the_page(run: Run, grey: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    result = run("-i", grey, out, "binarize", "segment", "-p", "4")
    assert result.exit_code == 0, result.stderr
    found = Segmentation(**json.loads(out.read_text()))
    assert found.imagename == str(grey)
    assert len(found.lines) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.json", "page.png"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["o.xyz", "binarize"], "o.xyz"),
        (["o.png", "binarize", "--low", "90", "--high", "20"], "--low"),
        (["o.png", "binarize", "--zoom", "0"], "zoom"),
        (["o.png", "segment", "binarize"], "initial process"),
        (["o.png", "segment", "--scale", "0"], "scale"),
    ],
)
def test_usage_errors(arguments: list[str], named: str, run: Run, grey: Path, tmp_path: Path) -> None:
    name, *steps = arguments
    result = run("-i", grey, tmp_path / name, *steps)
    assert result.exit_code == 2
    assert named in result.stderr
    assert not (tmp_path / name).exists()


def test_a_blank_page_fails_by_name(run: Run, tmp_path: Path) -> None:
    Image.new("L", (50, 40), 200).save(tmp_path / "white.png")
    result = run("-i", tmp_path / "white.png", tmp_path / "o.png", "binarize")
    assert result.exit_code == 1
    assert "white.png" in result.stderr and "empty" in result.stderr
    assert not (tmp_path / "o.png").exists()


def test_neither_step_needs_torch(grey: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    script = (
        "import atexit, sys\nfrom kraken.kraken import cli\n"
        "atexit.register(lambda: print('HEAVY', [m for m in ('torch', 'scipy') if m in sys.modules]))\n"
        f"cli(['-i', {str(grey)!r}, {str(out)!r}, 'binarize', 'segment'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and out.exists(), done.stderr
    assert "HEAVY []" in done.stdout
