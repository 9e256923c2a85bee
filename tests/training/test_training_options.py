"""Every option of the training commands reaches what it is for."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import CliRunner, Result

from kraken.ketos import cli
from kraken.models import load_from_checkpoint, load_models
from kraken.train.callbacks import RollingCheckpoint
from tests.training.conftest import SPEC, WORDS
from tests.training.conftest import write_page as write_lines
from tests.training.test_layout import SPEC as LAYOUT_SPEC
from tests.training.test_layout import write_page as write_layout

Ketos = Callable[..., Result]

#: Option and value -> field of the configuration and what it has to be. All training commands have these.
SHARED: dict[tuple[str, ...], tuple[str, Any]] = {
    ("--weights-format", "safetensors"): ("weights_format", "safetensors"),
    ("-F", "1"): ("freq", 1.0),
    ("-N", "1"): ("epochs", 1),
    ("--min-epochs", "1"): ("min_epochs", 1),
    ("--lag", "3"): ("lag", 3),
    ("--min-delta", "0.01"): ("min_delta", 0.01),
    ("--optimizer", "SGD"): ("optimizer", "SGD"),
    ("-r", "0.002"): ("lrate", 0.002),
    ("-m", "0.8"): ("momentum", 0.8),
    ("-w", "0.003"): ("weight_decay", 0.003),
    ("--gradient-clip-val", "0.5"): ("gradient_clip_val", 0.5),
    ("--accumulate-grad-batches", "2"): ("accumulate_grad_batches", 2),
    ("--warmup", "2"): ("warmup", 2),
    ("-g", "0.3"): ("gamma", 0.3),
    ("-ss", "4"): ("step_size", 4),
    ("--sched-patience", "2"): ("rop_patience", 2),
    ("--cos-max", "7"): ("cos_t_max", 7),
    ("--cos-min-lr", "1e-5"): ("cos_min_lr", 1e-5),
    ("-q", "fixed"): ("quit", "fixed"),
}
TRAIN: dict[tuple[str, ...], tuple[str, Any]] = {
    ("--ema-decay", "0.9"): ("ema_decay", 0.9),
    ("--freeze-backbone", "1"): ("freeze_backbone", 1),
    ("--keep-old", "1.5"): ("keep_old", 1.5),
}
SEGTRAIN: dict[tuple[str, ...], tuple[str, Any]] = {("--dice-weight", "0.25"): ("dice_weight", 0.25)}


def _data(command: str, folder: Path) -> Path:
    if command in ("train", "pretrain"):
        return write_lines(folder, "page", WORDS)
    return write_layout(folder, "page")


def _spec(command: str) -> list[str]:
    return {"train": ["-s", SPEC], "pretrain": ["-s", SPEC], "segtrain": ["-s", LAYOUT_SPEC]}.get(command, [])


@pytest.mark.parametrize("command", ["train", "segtrain", "rotrain", "pretrain"])
def test_options_are_kept_in_the_checkpoint(command: str, ketos: Ketos, tmp_path: Path) -> None:
    own = {"train": TRAIN, "segtrain": SEGTRAIN}.get(command, {})
    wanted = {**SHARED, **own}
    page = _data(command, tmp_path)
    manifest = tmp_path / "files.txt"
    manifest.write_text(f"{page}\n")
    values = [word for option in wanted for word in option]
    result = ketos(
        *("--workers", 0, "-s", 1, command, "-o", tmp_path / "m", *_spec(command), *values),
        *("-t", manifest, "-e", manifest, "-f", "page"),
    )
    assert result.exit_code == 0, result.output
    (checkpoint,) = (tmp_path / "m").glob("checkpoint_00-*.ckpt")
    config = load_from_checkpoint(checkpoint).config
    for option, (field, value) in wanted.items():
        assert getattr(config, field) == value, option
    assert list((tmp_path / "m").glob("best_*.safetensors"))


@pytest.mark.parametrize("command", ["train", "segtrain", "rotrain", "pretrain"])
def test_time_between_states(
    command: str, ketos: Ketos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes: list[float] = []

    def started(self: RollingCheckpoint, trainer: Any, pl_module: Any) -> None:
        minutes.append(self.minutes)

    monkeypatch.setattr(RollingCheckpoint, "on_train_start", started)
    page = _data(command, tmp_path)
    (tmp_path / "files.txt").write_text(f"{page}\n")
    options = ("-N", 1, "-q", "fixed", "-o", tmp_path / "m", *_spec(command), "-e", tmp_path / "files.txt")
    result = ketos("--workers", 0, "-s", 1, command, *options, "--checkpoint-minutes", 0.25, page)
    assert result.exit_code == 0, result.output
    assert minutes == [0.25]
    assert ketos("--workers", 0, command, *options, "--checkpoint-minutes", -1, page).exit_code == 2


@pytest.mark.parametrize("command", ["train", "segtrain", "rotrain", "pretrain"])
@pytest.mark.parametrize(
    "schedule", ["cosine", "constant", "exponential", "step", "1cycle", "reduceonplateau"]
)
def test_schedules(command: str, schedule: str, ketos: Ketos, tmp_path: Path) -> None:
    page = _data(command, tmp_path)
    (tmp_path / "files.txt").write_text(f"{page}\n")
    result = ketos(
        *("--workers", 0, "-s", 1, command, "-o", tmp_path / "m", *_spec(command), "--schedule", schedule),
        *("-N", 1, "--min-epochs", 1, "-q", "fixed", "--evaluation-data", tmp_path / "files.txt", page),
    )
    assert result.exit_code == 0, result.output
    checkpoint = next((tmp_path / "m").glob("checkpoint_*.ckpt"))
    assert load_from_checkpoint(checkpoint).config.schedule == schedule


@pytest.mark.parametrize("command", ["train", "segtrain", "rotrain", "pretrain"])
def test_loggers_that_are_missing_are_named(command: str, ketos: Ketos, tmp_path: Path) -> None:
    page = _data(command, tmp_path)
    for logger in ("tensorboard", "wandb"):
        if find_spec(logger) is not None:  # no dependency of ours
            continue
        result = ketos(command, "--logger", logger, "--log-dir", tmp_path, "-o", tmp_path / "m", page)
        assert result.exit_code in (1, 2) and logger in result.output
    assert ketos(command, "--log-dir", tmp_path / "nowhere", page).exit_code == 2


def _train(ketos: Ketos, folder: Path, *options: object) -> Any:
    """A recognition network trained for an epoch with some options."""
    page = folder / "page.xml"
    if not page.exists():
        write_lines(folder, "page", [" abba  cab", "e\u0301a dab", *WORDS])
    out = folder / f"m{len(list(folder.iterdir()))}"
    result = ketos(
        *("--workers", 0, "-s", 1, "train", "-o", out, "-s", SPEC, "-N", 1, "-q", "fixed"), *options, page
    )
    assert result.exit_code == 0, result.output
    return load_models(next(out.glob("best_*")))[0]


def test_texts_are_transformed_for_training(ketos: Ketos, tmp_path: Path) -> None:
    assert "\u00e9" in _train(ketos, tmp_path, "-u", "NFC").codec.c2l
    decomposed = _train(ketos, tmp_path, "--normalization", "NFD").codec.c2l
    assert "\u0301" in decomposed and "\u00e9" not in decomposed
    for options in (("--normalize-whitespace",), ("--no-normalize-whitespace",), ("-n",)):
        assert " " in _train(ketos, tmp_path, *options).codec.c2l


def test_order_of_texts_is_kept_with_the_model(ketos: Ketos, tmp_path: Path) -> None:
    found = [
        _train(ketos, tmp_path, *options).user_metadata.get("base_dir")
        for options in (("--reorder", "--base-dir", "R"), ("--base-dir", "auto"), ("--no-reorder",))
    ]
    assert found[0] == "R" and found[1] != "R" and found[2] != "R"


def test_lines_are_cut_as_asked(ketos: Ketos, tmp_path: Path) -> None:
    assert _train(ketos, tmp_path, "--legacy-polygons").use_legacy_polygons
    assert not _train(ketos, tmp_path, "--linetype", "baselines").use_legacy_polygons
    assert _train(ketos, tmp_path, "--linetype", "bbox").seg_type == "bbox"
    for options in (("--augment",), ("--no-augment",), ("--pixel-budget", 40_000)):
        _train(ketos, tmp_path, *options)


def test_pretrain_options_for_data(ketos: Ketos, tmp_path: Path) -> None:
    page = write_lines(tmp_path, "page", WORDS)
    for number, options in enumerate(
        (
            ("--linetype", "bbox", "--pixel-budget", 40_000),
            ("--legacy-polygons", "--augment"),
            ("--no-augment",),
        )
    ):
        result = ketos(
            *("--workers", 0, "-s", 1, "pretrain", "-o", tmp_path / f"m{number}", "-s", SPEC, "-N", 1),
            *("--min-epochs", 1, "-q", "fixed", *options, page),
        )
        assert result.exit_code == 0, result.output
        assert list((tmp_path / f"m{number}").glob("*.ckpt"))


def test_segtrain_options_for_data(ketos: Ketos, tmp_path: Path) -> None:
    page, other = write_layout(tmp_path, "page"), write_layout(tmp_path, "other")
    for number, (options, topline) in enumerate(
        [
            (("--augment", "-bl"), False),
            (("--no-augment", "--baseline", "--line-width", 3), False),
            (("-tl",), True),
        ]
    ):
        out = tmp_path / f"m{number}"
        result = ketos(
            *("--workers", 0, "-s", 1, "segtrain", "-o", out, "-s", LAYOUT_SPEC, "-N", 1, "-f", "xml"),
            *("-p", 0.5, *options, page, other),
        )
        assert result.exit_code == 0, result.output
        assert load_models(next(out.glob("best_*")))[0].user_metadata["topline"] is topline
    weights = next((tmp_path / "m0").glob("best_*"))
    assert ketos("--workers", 0, "segtest", "-m", weights, "-f", "page", page).exit_code == 0


@pytest.mark.parametrize("command", ["segtrain", "segtest"])
def test_mappings_come_from_experiment_files(command: str, tmp_path: Path) -> None:
    """As hidden options they can be set nowhere else: line_class_mapping, region_class_mapping."""
    page, other = write_layout(tmp_path, "page"), write_layout(tmp_path, "other")
    mappings = {"line_class_mapping": [["text", 2]], "region_class_mapping": [["*", 3]]}
    values = {"segtrain": mappings, "segtest": {**mappings, "test_class_mapping_mode": "custom"}}
    config = tmp_path / "experiment.yml"
    config.write_text(yaml.safe_dump(values))
    train = ["segtrain", "-o", tmp_path / "m", "-s", LAYOUT_SPEC, "-N", 1, "-p", 0.5, page, other]
    result = CliRunner().invoke(cli, ["--workers", "0", "--config", str(config), *map(str, train)])
    assert result.exit_code == 0, result.output
    weights = next((tmp_path / "m").glob("best_*"))
    assert load_models(weights)[0].user_metadata["class_mapping"]["baselines"] == {"text": 2}
    if command == "segtest":
        test = ["segtest", "-m", str(weights), str(page)]
        tested = CliRunner().invoke(cli, ["--workers", "0", "--config", str(config), *test])
        assert tested.exit_code == 0, tested.output
        # a wildcard by itself counts all types
        values["segtest"]["line_class_mapping"] = [["*", 2]]
        config.write_text(yaml.safe_dump(values))
        every = CliRunner().invoke(cli, ["--workers", "0", "--config", str(config), *test])
        assert every.exit_code == 0, every.output
        figures = tested.output.split("Pixels")[1], every.output.split("Pixels")[1]
        assert figures[0] == figures[1] and "\nregions" in figures[0] and "\nall " in figures[0]
    for option in ("--line-class-mapping", "--region-class-mapping"):
        assert option not in CliRunner().invoke(cli, [command, "--help"]).output


def test_rotrain_options_for_data(ketos: Ketos, tmp_path: Path) -> None:
    page, other = (write_layout(tmp_path, name, rows=6) for name in ("page", "other"))
    config = tmp_path / "experiment.yml"
    config.write_text("rotrain:\n  class_mapping: [[text, 4]]\n")
    common = ("-N", 2, "--min-epochs", 1, "-q", "fixed", "-p", 0.5, "-f", "page")
    for number, options in enumerate((("--level", "baselines"), ("--reading-order", "line_implicit"))):
        out = tmp_path / f"m{number}"
        args = ("rotrain", "-o", out, *common, *options, page, other)
        result = ketos("--workers", 0, "-s", 1, "--config", config, *args)
        assert result.exit_code == 0, result.output
        model: Any = load_models(next(out.glob("best_*")))[0]
        assert model.level == "baselines" and model.class_mapping == {"text": 4}
    for option in ("--class-mapping", "--resume"):
        assert ketos("rotrain", option, tmp_path / "nowhere", page).exit_code == 2


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_precision_and_determinism(precision: str, ketos: Ketos, tmp_path: Path) -> None:
    page = write_lines(tmp_path, "page", WORDS)
    result = ketos(
        *("--workers", 0, "--precision", precision, "--no-deterministic", "-s", 1, "train"),
        *("-o", tmp_path / "m", "-s", SPEC, "-N", 1, "-q", "fixed", page),
    )
    assert result.exit_code == 0, result.output
    net: Any = load_models(next((tmp_path / "m").glob("best_*")))[0]
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())


def test_options_of_ketos_test(ketos: Ketos, tmp_path: Path) -> None:
    _train(ketos, tmp_path, "-u", "NFC")
    weights = next(next(tmp_path.glob("m*")).glob("best_*"))
    reports = {}
    for options in (
        (),
        ("-B", 4),
        ("--batch-size", 4),
        ("-f", "page"),
        ("--linetype", "baselines"),
        ("--reorder", "--base-dir", "L"),
        ("--no-reorder",),
        ("--base-dir", "auto"),
        ("-u", "NFD"),
        ("--normalization", "NFC"),
        ("-n",),
        ("--normalize-whitespace",),
        ("--no-normalize-whitespace",),
        ("--no-legacy-polygons",),
    ):
        target = tmp_path / "report.json"
        result = ketos(
            "--workers", 0, "test", "-m", weights, "--json", target, *options, tmp_path / "page.xml"
        )
        assert result.exit_code == 0, result.output
        reports[options] = json.loads(target.read_text())[0]
    plain = reports[()]
    for options in (("-B", 4), ("--batch-size", 4), ("-f", "page"), ("--linetype", "baselines"), ("-n",)):
        assert reports[options]["cer"] == pytest.approx(plain["cer"]), options
    # a letter and its accent are two characters then, blanks at the start count
    assert reports[("-u", "NFD")]["chars"] == reports[("--normalization", "NFC")]["chars"] + 1
    assert reports[("--no-normalize-whitespace",)]["chars"] > plain["chars"]


def test_options_of_compile(ketos: Ketos, tmp_path: Path) -> None:
    from kraken.lib.dataset import ArrowIPCRecognitionDataset

    page = write_lines(tmp_path, "page", ["ab", "   ", "cab"])
    page.write_text(page.read_text().replace("<Unicode>   <", "<Unicode><"))
    manifest = tmp_path / "files.txt"
    manifest.write_text(f"{page}\n")

    def compiled(*options: object) -> Any:
        out = tmp_path / "set.arrow"
        result = ketos("--workers", 0, "compile", "-o", out, *options)
        assert result.exit_code == 0, result.output
        data = ArrowIPCRecognitionDataset(skip_empty_lines=False)
        data.add(out)
        return data

    assert len(compiled("-F", manifest)) == len(compiled("--files", manifest)) == 2
    assert len(compiled("--keep-empty-lines", page)) == 3
    assert len(compiled("--skip-empty-lines", "--recordbatch-size", 1, page)) == 2
    assert compiled("--linetype", "bbox", page).seg_type == "bbox"
    assert compiled("--force-type", "bbox", page).seg_type == "bbox"
    assert compiled("--force-type", "baseline", page).seg_type == "baselines"


def test_options_of_lint(ketos: Ketos, tmp_path: Path) -> None:
    page = write_lines(tmp_path, "page", ["e\u0301", "ab", "ba"])
    manifest = tmp_path / "files.txt"
    manifest.write_text(f"{page}\n")
    loose = ketos("lint", "-f", "page", "-F", manifest)
    assert loose.exit_code == 0, loose.output
    assert ketos("lint", "--strict", "--normalization", "NFC", page).exit_code == 1
    assert "NFC" in loose.output and "NFD" not in ketos("lint", "-u", "NFD", page).output
    for linetype in ("baselines", "bbox"):
        assert ketos("lint", "--linetype", linetype, "--files", manifest).exit_code == 0


def test_options_of_lmtrain(ketos: Ketos, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a  b\u00e9\n\u05d0\u05d1 ab\na b\n a b\n", encoding="utf-8")

    def trained(*options: object) -> str:
        out = tmp_path / "model.arpa"
        result = ketos("lmtrain", "--output", out, "--order", 3, *options, text)
        assert result.exit_code == 0, result.output
        return out.read_text(encoding="utf-8")

    plain = trained()
    assert plain == trained("-n") == trained("--normalize-whitespace") == trained("--reorder")
    assert plain != trained("--no-reorder") and plain != trained("-N") == trained("--no-normalize-whitespace")
    assert "\u0301" in trained("-u", "NFD") and "\u0301" not in trained("--normalization", "NFC")
    assert len(trained("--prune", "0,0,1").splitlines()) < len(plain.splitlines())
    assert plain == trained("--base-dir", "auto") and trained("--base-dir", "R") != trained("--base-dir", "L")
