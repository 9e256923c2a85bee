"""Masks, several layout models, plug-ins, completion, deprecated options, and what starting costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from PIL import Image, ImageDraw

from kraken.kraken import _COMMANDS
from kraken.registry import BUILTINS
from tests.robustness.images import page

Run = Callable[..., Result]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    page().save(tmp_path / "page.png")
    return tmp_path / "page.png"


def lines_of(path: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(path.read_text())["lines"]
    return lines


def lower_half_hidden(path: Path) -> Path:
    mask = Image.new("L", (420, 300), 255)
    ImageDraw.Draw(mask).rectangle((0, 135, 420, 300), fill=0)
    mask.save(path)
    return path


@pytest.mark.parametrize("kind", ["boxes", "baselines"])
def test_a_mask_hides_parts_of_the_page(kind: str, run: Run, layout_model: Path, image: Path) -> None:
    mask = lower_half_hidden(image.with_name("mask.png"))
    chain = ["segment", "-bl", "-i", layout_model] if kind == "baselines" else ["binarize", "segment"]
    out = image.with_name("out.json")
    assert run("-i", image, out, *chain).exit_code == 0
    everything = len(lines_of(out))
    result = run("-i", image, out, *chain, "--mask", mask)
    assert result.exit_code == 0, result.stderr
    found = lines_of(out)
    assert 0 < len(found) < everything
    tops = [line["bbox"][1] if kind == "boxes" else line["baseline"][0][1] for line in found]
    assert max(tops) < 140


def test_unfit_masks(run: Run, layout_model: Path, image: Path) -> None:
    mask = image.with_name("mask.png")
    args = ("-i", image, image.with_name("out.json"), "segment", "-bl", "-i", layout_model, "--mask", mask)
    assert run(*args).exit_code == 2
    page().save(mask)
    Image.linear_gradient("L").save(mask)
    result = run(*args)
    assert result.exit_code == 2 and "black and white" in result.stderr
    lower_half_hidden(mask)
    page((500, 300)).save(image)
    result = run(*args)
    assert result.exit_code == 1 and "page.png" in result.stderr


def test_results_of_several_models_are_joined(
    run: Run, layout_model: Path, text_model: Path, image: Path
) -> None:
    out = image.with_name("out.json")
    chain = ("segment", "-bl", "-i", layout_model)
    assert run("-i", image, out, *chain).exit_code == 0
    single = len(lines_of(out))
    result = run("-i", image, out, *chain, "-i", layout_model)
    assert result.exit_code == 0, result.stderr
    assert len(lines_of(out)) == 2 * single
    result = run("-i", image, out, *chain, "-i", text_model)
    assert result.exit_code == 2 and "recognition" in result.stderr and len(result.stderr.splitlines()) == 1


def test_deprecated_options_warn_and_work(run: Run, layout_model: Path, image: Path) -> None:
    out = image.with_name("out.xml")
    result = run("-i", image, out, "segment", "-bl", "-i", layout_model, "--alto", "--threads", "2")
    assert result.exit_code == 0, result.stderr
    assert "<alto" in out.read_text()
    assert "kraken --alto" in result.stderr and "kraken --threads 2" in result.stderr


def test_the_summary_in_json_lists_every_input(run: Run, layout_model: Path, image: Path) -> None:
    (image.parent / "zbad.png").write_text("no image")
    args = ("-I", image.parent / "*.png", "-o", ".json", "segment", "-bl", "-i", layout_model)
    result = run("--json", *args)
    summary = json.loads(result.stdout)
    assert result.exit_code == 1 and (summary["inputs"], summary["succeeded"], summary["failed"]) == (2, 1, 1)
    good, bad = summary["results"]
    assert good["outputs"] == [str(image.with_suffix(".json"))] and good["error"] is None
    assert bad["error"]["step"] == "read" and bad["error"]["type"] == "UnreadableImageError"
    image.rename(image.with_name("zz.png"))
    stopped = json.loads(run("--json", "--fail-fast", *args).stdout)
    assert stopped["skipped"] == 1
    assert json.loads(run("--json", "--fail-fast", "--keep-going", *args).stdout)["skipped"] == 0
    assert run("--json", "-i", image.with_name("zz.png"), "-", "binarize").exit_code == 2


PLUGIN = '''
import json, click
from PIL import Image

@click.command("flip")
@click.option("--what", default="lines")
def flip(what):
    """Turns things around."""
    def task(input, output):
        if what == "lines":
            value = json.load(open(input))
            value["lines"].reverse()
            json.dump(value, open(output, "w"))
        elif what == "image":
            Image.open(input).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(output, "PNG")
        elif what == "report":
            open(output, "w").write(f"{len(json.load(open(input))['lines'])} lines")
    return task

broken = 3
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with commands of its own."""
    site = tmp_path / "site"
    info = site / "flipper-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "flipper.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flipper\nVersion: 1.0\n")
    entries = (
        "flip = flipper:flip\nbroken = flipper:broken\nlost = flipper_lost:command\nocr = flipper:flip\n"
    )
    (info / "entry_points.txt").write_text(f"[kraken.cli]\n{entries}")
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.usefixtures("plugin")
def test_commands_of_other_packages(run: Run, layout_model: Path, image: Path) -> None:
    listed = run("--help").stdout
    assert "flip " in listed and "Recognise the text" in listed
    assert "Turns things around" in run("flip", "--help").stdout
    out = image.with_name("out.json")
    chain = ("segment", "-bl", "-i", layout_model)
    assert run("-i", image, out, *chain).exit_code == 0
    before = [line["baseline"] for line in lines_of(out)]
    result = run("-i", image, out, *chain, "flip")
    assert result.exit_code == 0, result.stderr
    assert [line["baseline"] for line in lines_of(out)] == before[::-1]
    assert run("-i", image, out, *chain, "flip", "--what", "report").exit_code == 0
    assert out.read_text() == f"{len(before)} lines"
    flipped = run("-i", image, image.with_name("flipped.json"), "flip", "--what", "image", *chain)
    assert flipped.exit_code == 0, flipped.stderr
    nothing = run("-i", image, image.with_name("none.json"), *chain, "flip", "--what", "nothing")
    assert nothing.exit_code == 1 and "flip wrote no output" in nothing.stderr
    assert not image.with_name("none.json").exists()


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("name", ["broken", "lost"])
def test_a_plugin_that_can_not_be_used_is_a_warning(name: str, run: Run) -> None:
    result = run(name)
    assert result.exit_code == 2
    assert any("WARNING" in line and f" {name} " in line for line in result.stderr.splitlines())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, run: Run) -> None:
    script = run("completion", shell)
    assert script.exit_code == 0 and f"_KRAKEN_COMPLETE={shell}_complete" in script.stdout
    assert run("completion", "tcsh").exit_code == 2


def test_completion_knows_commands() -> None:
    code = "from kraken.kraken import cli; cli(prog_name='kraken')"
    env = {"_KRAKEN_COMPLETE": "bash_complete", "COMP_WORDS": "kraken seg", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["plain,segment"]


def test_commands_are_registered_once() -> None:
    assert {name: place for name, (place, _) in _COMMANDS.items()} == BUILTINS["kraken.cli"]


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_explains_itself(name: str, run: Run) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0 and result.stdout.startswith("Usage")
    command = __import__("kraken.kraken", fromlist=["cli"]).cli.get_command(
        click.Context(click.Command("x")), name
    )
    undocumented = [
        p.name for p in command.params if isinstance(p, click.Option) and not (p.help or p.hidden)
    ]
    assert not undocumented


def test_the_documentation_names_every_command() -> None:
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = "".join(line for line in text.splitlines() if line.startswith("| `"))
    assert not [name for name in _COMMANDS if f"`{name}`" not in rows and f"`{name} " not in rows]


def test_help_loads_next_to_nothing() -> None:
    code = (
        "import sys\nfrom kraken.kraken import cli\ntry:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'PIL', 'lxml', 'requests', 'rich', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_documents_are_drawn_without_torch(tmp_path: Path) -> None:
    from tests.cli.documents import write_all

    source = write_all(tmp_path)["alto"]
    code = (
        "import sys\nfrom kraken.kraken import cli\n"
        f"for args in (['overlay'], ['lines'], ['convert', '-t', 'json'], ['repolygonize']):\n"
        f"    try:\n        cli([*args, {str(source)!r}, '-o', {str(tmp_path / 'out')!r}])\n"
        "    except SystemExit as done:\n        assert done.code == 0\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
