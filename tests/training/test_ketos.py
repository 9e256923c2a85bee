"""The commands for training data, training and tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from lxml import etree

from kraken.ketos._evaluation import bootstrap_interval
from kraken.lib.codec import PytorchCodec
from kraken.models import load_models
from kraken.train.progress import render_curve
from tests.training.conftest import SPEC, WORDS, write_page

Ketos = Callable[..., Result]
SMALL = ("-s", SPEC, "--pad", "2", "-q", "fixed", "-r", "0.01")


@pytest.mark.parametrize("args", [["--help"], ["train", "--help"], ["test", "--help"], ["compile", "--help"]])
def test_help_loads_no_torch(args: list[str]) -> None:
    code = (
        "import sys\nfrom kraken.ketos import cli\n"
        f"try: cli({args!r})\nexcept SystemExit: pass\n"
        "assert not {'torch', 'lightning', 'pyarrow', 'scipy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout


def test_compiler_is_imported_without_that_of_graphics_processors() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.xpu.is_available():
        pytest.skip("this machine has a graphics processor")
    code = (
        "import sys\nfrom kraken.ketos._training import import_compiler\nimport_compiler()\n"
        "assert 'torch._dynamo' in sys.modules and 'triton' not in sys.modules\n"
        "import torch, lightning.pytorch\n"
        "@torch.compile(backend='eager')\ndef twice(x): return 2 * x\n"
        "print(twice(torch.ones(2)).tolist(), 'triton' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("]")[0] == "[2.0, 2.0"


def test_layout_training_asks_for_huge_pages_before_torch_is_imported() -> None:
    pytest.importorskip("torch")
    code = (
        "import os, sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Watch(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'torch': print(os.environ.get('THP_MEM_ALLOC_ENABLE'))\n"
        "sys.meta_path.insert(0, Watch())\nfrom kraken.ketos import cli\n"
        "cli(['segtrain', '-o', 'never', sys.executable])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "THP_MEM_ALLOC_ENABLE"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.split()[:1] == ["1"], done.stderr


def test_train_writes_checkpoints_weights_and_curve(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = tmp_path / "files.txt"
    manifest.write_text(f"{page}\n")
    result = ketos("--workers", 0, "-s", 1, "train", "-o", out, *SMALL, "-N", 2, "-e", manifest, page)
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in out.iterdir())
    assert any(name.startswith("checkpoint_01-") for name in names)
    assert {"learning_curve.svg", "learning_curve.tsv"} <= set(names)
    weights = next(out.glob("best_*.safetensors"))
    assert load_models(weights)[0].model_type == ["recognition"]
    assert "CER" in result.stderr and "samples/s" in result.stderr
    tested = ketos("--workers", 0, "test", "-m", weights, "--pad", 2, "--json", out / "r.json", page)
    assert tested.exit_code == 0, tested.output
    assert "=== report" in tested.stdout
    scores = json.loads((out / "r.json").read_text())[0]
    assert scores["lines"] == len(WORDS)
    assert scores["cer_interval"][0] <= scores["cer"] <= scores["cer_interval"][1]
    assert scores["cer"] == pytest.approx(1 - float(weights.stem.removeprefix("best_")), abs=1e-4)


def test_train_without_evaluation_converts_the_last_state(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = ketos("--workers", 0, "train", "-o", out, *SMALL, "-N", 1, "-F", 2, page)
    assert result.exit_code == 0, result.output
    assert "No evaluation was run" in result.stderr
    assert (out / "last.safetensors").is_file()


def test_alphabet_mismatch_is_one_line_of_advice(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = ketos("--workers", 0, "train", "-o", out, *SMALL, "-N", 1, page)
    assert first.exit_code == 0, first.output
    other = write_page(tmp_path, "other", ["abe", "eee", "bad", "cad"])
    weights = next(out.glob("best_*"))
    result = ketos("--workers", 0, "train", "-i", weights, "-o", tmp_path / "o2", *SMALL, "-N", 1, other)
    assert result.exit_code == 2
    assert "--resize" in result.stderr and "'e'" in result.stderr
    assert "Traceback" not in result.stderr
    grown = ketos(
        *("--workers", 0, "train", "-i", weights, "--resize", "union", "-o", tmp_path / "o3", *SMALL),
        *("-N", 1, other),
    )
    assert grown.exit_code == 0, grown.output
    codec = load_models(next((tmp_path / "o3").glob("best_*")))[0].codec  # type: ignore[attr-defined]
    assert isinstance(codec, PytorchCodec) and "e" in codec.c2l


def test_usage_errors(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    for args, text in (
        (["train"], "No training data"),
        (["train", "-i", page, "--resume", page, page], "mutually exclusive"),
        (["train", "--weights-format", "nonsense", page], "nonsense"),
        (["train", "--arch", "nonsense", page], "nonsense"),
        (["train", "--optimizer", "AdamW+Muon", page], "Muon"),
        (["test", page], "No model to evaluate given."),
        (["test", "-m", page], "No test data"),
        (["compile"], "No data"),
        (["lint"], "No data"),
        (["--device", "nonsense", "lint", page], "nonsense"),
    ):
        result = ketos(*args)
        assert result.exit_code == 2, args
        assert text in result.stderr
    result = ketos("test", "-m", page, page)
    assert result.exit_code == 1
    assert result.stderr.count("\n") <= 2 and "Traceback" not in result.stderr


def test_checkpoints_start_and_continue_runs(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert ketos("--workers", 0, "train", "-o", out, *SMALL, "-N", 1, page).exit_code == 0
    checkpoint = next(out.glob("checkpoint_*.ckpt"))
    # early stopping is the default; weights only, a run of its own
    fresh = ketos(
        *("--workers", 0, "train", "-i", checkpoint, "-o", tmp_path / "fresh", "--lag", 1, "--pad", 2, page)
    )
    assert fresh.exit_code == 0, fresh.output
    assert 2 <= len(list((tmp_path / "fresh").glob("checkpoint_*.ckpt"))) <= 10
    more = ketos(
        *("--workers", 0, "train", "--resume", checkpoint, "-N", 2, "-o", tmp_path / "more", "-B", 4),
        *("--pad", 9),
    )
    assert more.exit_code == 0, more.output
    assert "padding ignored" in more.stderr
    assert [path.name[:13] for path in (tmp_path / "more").glob("checkpoint_*")] == ["checkpoint_01"]
    wrong = ketos("train", "--resume", page, page)
    assert wrong.exit_code == 1
    assert "checkpoint" in wrong.stderr and "Traceback" not in wrong.stderr


def test_several_models_in_one_table(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert ketos("--workers", 0, "train", "-o", out, *SMALL, "-N", 2, page).exit_code == 0
    first, second = sorted(out.glob("checkpoint_*.ckpt"))
    html = tmp_path / "report.html"
    args = ("--workers", 0, "test", "-m", first, "--compare", second, "--pad", 2, "--html", html, page)
    result = ketos(*args)
    assert result.exit_code == 0, result.output
    table = result.stdout.rsplit("Model ", 1)[1]
    assert first.name in table and second.name in table
    assert {path.name for path in tmp_path.glob("*.html")} == {"report.html", "report-2.html"}


def test_experiment_files(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "files.txt"
    manifest.write_text(f"{page}\n{tmp_path / 'nothing.xml'}\n")
    experiment = tmp_path / "experiment.yml"
    out = tmp_path / "out"
    experiment.write_text(
        f"num_workers: 0\nseeed: 3\ntrain:\n  training_data: [{manifest}]\n  checkpoint_path: {out}\n"
        f'  spec: "{SPEC}"\n  padding: 2\n  quit: fixed\n  epochs: 7\n  lrat: 1\n'
    )
    result = ketos("--config", experiment, "train", "-N", 1)
    assert result.exit_code == 0, result.output
    assert (
        'Ignoring unknown configuration key "seeed" in experiment file. Did you mean "seed"?' in result.stderr
    )
    assert 'Did you mean "lrate"?' in result.stderr
    assert "Invalid entry" in result.stderr
    assert len(list(out.glob("checkpoint_*.ckpt"))) == 1
    empty = tmp_path / "empty.yml"
    empty.write_text("")
    assert ketos("--config", empty, "lint", page).exit_code == 0
    assert ketos("--config", tmp_path / "none.yml", "lint", page).exit_code == 2


def test_compile_and_train_on_the_result(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    target = tmp_path / "data.arrow"
    result = ketos("compile", "-o", target, page)
    assert result.exit_code == 0, result.output
    out = tmp_path / "out"
    trained = ketos("--workers", 0, "train", "-f", "binary", "-o", out, *SMALL, "-N", 1, target)
    assert trained.exit_code == 0, trained.output
    nothing = ketos("compile", "-o", tmp_path / "empty.arrow", write_page(tmp_path, "empty", ["", ""]))
    assert nothing.exit_code == 1
    assert "No usable line" in nothing.stderr


def test_lint_finds_each_fault(ketos: Ketos, page: Path, tmp_path: Path) -> None:
    assert ketos("lint", page).exit_code == 0
    faulty = write_page(tmp_path, "faulty", ["abba", "", "e\u0301", " cab"], broken=[0])
    text = faulty.read_text()
    faulty.write_text(text.replace('id="faulty_l3"', 'id="faulty_l1"', 1))
    gone = write_page(tmp_path, "gone", ["bb", "bb"])
    (tmp_path / "gone.png").unlink()
    result = ketos("lint", "--json", faulty, gone)
    assert result.exit_code == 1
    checks = {entry["check"] for entry in json.loads(result.stdout)}
    assert {"polygon outside", "baseline outside", "no text", "normalisation", "unreadable image"} <= checks
    assert "rare code point" in checks


def test_interval_holds_the_value_and_narrows_with_more_lines() -> None:
    few = bootstrap_interval([1, 0, 2, 0], [10, 10, 10, 10])
    many = bootstrap_interval([1, 0, 2, 0] * 50, [10] * 200)
    for low, high in (few, many):
        assert 0 <= low <= 1 - 3 / 40 <= high <= 1
    assert many[1] - many[0] < few[1] - few[0]
    assert bootstrap_interval([0], [5]) == (1.0, 1.0)
    assert all(value != value for value in bootstrap_interval([], []))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_tenth_of_the_data_broken_costs_only_that(
    workers: int, ketos: Ketos, page: Path, tmp_path: Path
) -> None:
    broken = write_page(tmp_path, "broken", WORDS, broken=[1, 7])
    manifest = tmp_path / "files.txt"
    manifest.write_text(f"{page}\n")
    result = ketos(
        *("--workers", workers, "train", "-o", tmp_path / "out", *SMALL, "-N", 1, "-e", manifest),
        *(page, broken),
    )
    assert result.exit_code == 0, result.output
    summary = result.stderr[result.stderr.index("2 faulty files or samples were skipped:") :]
    for name in ("broken_l1", "broken_l7"):
        assert any(name in line and "outside of image bounds" in line for line in summary.splitlines())


@pytest.mark.parametrize(
    "points", [[], [(1, None, 0.5)], [(1, 3.0, 0.5), (2, float("nan"), 0.5), (9, float("inf"), 1.0)]]
)
def test_learning_curve_is_well_formed(points: list[tuple[int, float | None, float]]) -> None:
    root = etree.fromstring(render_curve(points, "<val & metric>").encode())
    assert root.tag.endswith("svg")
    curves = root.findall("{*}polyline")
    assert len(curves) == (0 if not points else 1 + any(p[1] is not None for p in points))
