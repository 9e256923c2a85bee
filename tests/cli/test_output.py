"""Formats and options of the command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from lxml import etree

from kraken.containers import Segmentation
from tests.robustness.images import page

Run = Callable[..., Result]


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    page().save(tmp_path / "page.png")
    return tmp_path / "page.png"


def test_text_has_a_line_per_line_and_native_json_none_is_lost(
    run: Run, layout_model: Path, text_model: Path, page_file: Path, tmp_path: Path
) -> None:
    chain = ("segment", "-bl", "-i", layout_model)
    assert run("-i", page_file, tmp_path / "o.json", *chain).exit_code == 0
    lines = Segmentation(**json.loads((tmp_path / "o.json").read_text())).lines
    assert run("-n", "-i", page_file, tmp_path / "o.txt", *chain, "ocr", "-m", text_model).exit_code == 0
    assert (tmp_path / "o.txt").read_text().count("\n") == len(lines) - 1


@pytest.mark.parametrize(
    ("flag", "root"), [("-a", "alto"), ("-x", "PcGts"), ("-h", "html"), ("-y", "document")]
)
def test_every_format_is_well_formed(
    flag: str, root: str, run: Run, layout_model: Path, text_model: Path, page_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.xml"
    chain = ("segment", "-bl", "-i", layout_model, "ocr", "-m", text_model)
    result = run(flag, "-i", page_file, out, *chain)
    assert result.exit_code == 0, result.stderr
    assert etree.QName(etree.parse(str(out)).getroot()).localname == root


def test_dash_prints_the_result(run: Run, layout_model: Path, page_file: Path) -> None:
    result = run("-i", page_file, "-", "segment", "-bl", "-i", layout_model)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["imagename"] == str(page_file)


def test_alto_written_by_the_command_is_read_by_it(
    run: Run, layout_model: Path, text_model: Path, page_file: Path, tmp_path: Path
) -> None:
    xml = tmp_path / "lines.xml"
    assert run("-a", "-i", page_file, xml, "segment", "-bl", "-i", layout_model).exit_code == 0
    again, direct = tmp_path / "again.txt", tmp_path / "direct.txt"
    result = run("-f", "alto", "-i", xml, again, "ocr", "-m", text_model)
    assert result.exit_code == 0, result.stderr
    chain = ("segment", "-bl", "-i", layout_model, "ocr", "-m", text_model)
    assert run("-i", page_file, direct, *chain).exit_code == 0
    assert again.read_text() == direct.read_text()


@pytest.mark.parametrize(
    "code",
    [
        "import kraken",
        "import kraken.containers, kraken.lib.xml",
        "import kraken.configs",
        "import kraken.serialization",
        "from kraken.kraken import cli; cli(['--help'])",
        "from kraken.kraken import cli; cli(['segment', '--help'])",
        "from kraken.kraken import cli; cli(['ocr', '--help'])",
    ],
)
def test_light_start(code: str) -> None:
    heavy = "('torch', 'lightning', 'scipy', 'matplotlib', 'pandas')"
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('HEAVY', [m for m in {heavy} if m in sys.modules]))\n" + code
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr


def test_help_shows_the_defaults_of_the_configurations(run: Run) -> None:
    result = run("ocr", "--help")
    assert result.exit_code == 0
    assert "16" in result.stdout and "horizontal-tb" in result.stdout
