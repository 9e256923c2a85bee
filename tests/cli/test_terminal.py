"""What shells, programs and terminals get to see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.documents import write_all
from tests.robustness.images import page

Run = Callable[..., Result]

#: What a shell has to print as completions of `kraken seg` and `ketos segt`.
SESSIONS = {
    "bash": """set -eu
source {script}
for line in "kraken seg" "ketos segt"; do
    COMP_WORDS=($line); COMP_CWORD=1; COMPREPLY=()
    "_${{COMP_WORDS[0]}}_completion" "${{COMP_WORDS[0]}}"
    echo "${{COMPREPLY[@]}}"
done
""",
    "zsh": """set -eu
autoload -Uz compinit && compinit -D
source {script}
whence -w _kraken_completion _ketos_completion
print -l ${{_comps[kraken]}} ${{_comps[ketos]}}
""",
    "fish": """source {script}; or exit 1
complete --do-complete "kraken seg" | string split -f1 \\t
complete --do-complete "ketos segt" | string split -f1 \\t
""",
}
EXPECTED = {
    "bash": ["segment", "segtest segtrain"],
    "zsh": [
        "_kraken_completion: function",
        "_ketos_completion: function",
        "_kraken_completion",
        "_ketos_completion",
    ],
    "fish": ["segment", "segtest", "segtrain"],
}


@pytest.mark.parametrize("shell", SESSIONS)
def test_shells_take_the_script(shell: str, run: Run, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(run("completion", shell).stdout)
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} isn't installed")
    for name in ("kraken", "ketos"):
        command = tmp_path / name
        code = f"import sys; from kraken.{name} import cli; cli(prog_name={name!r})"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
        command.chmod(0o755)
    session = tmp_path / "session"
    session.write_text(SESSIONS[shell].format(script=script))
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run([program, *options, session], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert sorted(done.stdout.split("\n")[:-1]) == sorted(EXPECTED[shell])


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """A good and a bad file of each kind."""
    paths = {"alto": write_all(tmp_path)["alto"], "bad": tmp_path / "bad.xml", "badpng": tmp_path / "bad.png"}
    for name in ("bad", "badpng"):
        paths[name].write_text("nothing")
    page().save(tmp_path / "scan.png")
    return paths


@pytest.mark.parametrize(
    "command", ["overlay", "lines", "convert", "repolygonize", "binarize", "segment", "ocr"]
)
def test_every_command_sums_up_as_json(
    command: str, run: Run, inputs: dict[str, Path], layout_model: Path, text_model: Path, tmp_path: Path
) -> None:
    documents = ["-o", tmp_path / "out", inputs["alto"], inputs["bad"]]
    images = ["-I", tmp_path / "*n.png", "-I", inputs["badpng"], "-o", ".out.png"]
    baselines = ["segment", "-bl", "-i", layout_model]
    args: dict[str, list[Any]] = {
        "convert": ["convert", "-t", "json", *documents],
        "binarize": [*images, "binarize"],
        "segment": [*images, *baselines],
        "ocr": [*images, *baselines, "ocr", "-m", text_model],
    }
    result = run("--json", *args.get(command, [command, *documents]))
    assert result.exit_code == 1, result.stderr
    summary = json.loads(result.stdout)
    assert [bool(entry["error"]) for entry in summary["results"]] == [False, True]
    assert (summary["inputs"], summary["succeeded"], summary["failed"], summary["skipped"]) == (2, 1, 1, 0)
    outputs = [Path(name) for name in summary["results"][0]["outputs"]]
    assert outputs and all(path.is_file() for path in outputs)
    error = summary["results"][1]["error"]
    assert set(error) == {"step", "type", "message"} and error["message"]


def test_data_and_messages_are_told_apart(
    run: Run, inputs: dict[str, Path], text_model: Path, tmp_path: Path
) -> None:
    result = run("-v", "-f", "xml", "-i", inputs["alto"], "-", "ocr", "-m", text_model)
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 4 and "INFO" not in result.stdout
    failed = run("-f", "xml", "-i", inputs["bad"], "-", "ocr", "-m", text_model)
    assert failed.exit_code == 1 and failed.stdout == "" and "bad.xml" in failed.stderr
    for args in (("segment",), ("--nonsense",), ("nonsense",)):
        refused = run(*args)
        assert refused.exit_code == 2 and refused.stdout == "" and refused.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_terminals_without_colour_get_none(
    variables: dict[str, str], inputs: dict[str, Path], tmp_path: Path
) -> None:
    import pty

    page().save(tmp_path / "scan2.png")
    command = [
        *(
            sys.executable,
            "-m",
            "kraken.kraken",
            "-I",
            str(tmp_path / "scan*.png"),
            "-I",
            str(inputs["badpng"]),
        ),
        *("-o", ".bw.tif", "binarize"),
    ]
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **variables}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    assert process.wait(60) == 1
    text = shown.decode()
    assert "1 of 3 inputs failed:" in text and "bad.png" in text
    # bars may move the cursor, colours are SGR sequences 30-37, 90-97 and 38;…
    assert not [code for code in ("\x1b[3", "\x1b[9", "\x1b[1;3") if code in text], repr(text)
    if variables.get("TERM") == "dumb":
        assert "\x1b" not in text
