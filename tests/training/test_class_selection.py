"""Which classes layout networks learn, and under which channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from kraken.configs import BLLASegmentationTrainingDataConfig
from kraken.configs.base import _Counter
from kraken.ketos import cli
from kraken.ketos._mappings import ClassSelection
from kraken.models import load_models
from kraken.train import BLLASegmentationDataModule
from tests.training.test_layout import AUX, SPEC, ketos, write_page


def train(tmp_path: Path, *args: Any) -> dict[str, Any]:
    """Class mapping of a network trained with options."""
    done = ketos("segtrain", "-o", tmp_path / "m", "-s", SPEC, "-N", 1, "-p", 0.7, *args)
    assert done.exit_code == 0, done.output
    (net,) = load_models(next((tmp_path / "m").glob("best_*.safetensors")))
    mapping: dict[str, Any] = net.user_metadata["class_mapping"]
    count = max(index for classes in mapping.values() for index in classes.values()) + 1
    assert net.output[1] == count
    return mapping


def pages(tmp_path: Path, *kinds: str) -> list[Path]:
    return [write_page(tmp_path, f"page{i}", kind=kind) for i, kind in enumerate(kinds)]


def test_selection_of_types() -> None:
    counter = _Counter(2)
    lines = ClassSelection(counter, valid=["a", "b"], merges={"x": "a", "y": "new"})
    regions = ClassSelection(counter, merges={"*": "text"})
    assert [lines[name] for name in ("x", "a", "b")] == [2, 2, 3]
    assert list(lines) == ["a", "x", "b"]  # the target names the class
    for name in ("c", "y"):
        with pytest.raises(KeyError):
            lines[name]
    assert [regions[name] for name in ("foo", "bar", "text")] == [4, 4, 4]
    assert list(regions) == ["text", "foo", "bar"]
    assert counter.n == 5


def test_filter_on_the_command_line(tmp_path: Path) -> None:
    files = pages(tmp_path, "text", "note", "other")
    found = train(tmp_path, "--valid-baselines", "note", "--valid-baselines", "text", *files)
    assert found == {"aux": AUX, "baselines": {"text": 2, "note": 4}, "regions": {"text": 3}}


def test_merge_on_the_command_line(tmp_path: Path) -> None:
    files = pages(tmp_path, "text", "note", "other")
    found = train(tmp_path, "--merge-baselines", "note=text", "--merge-regions", "zone=*", *files)
    assert found == {"aux": AUX, "baselines": {"note": 2, "other": 4}, "regions": {"zone": 3}}
    one = train(tmp_path / "all", "--merge-baselines", "line=*", *files)
    assert one["baselines"] == {"line": 2}


def test_suppression_and_experiment_files(tmp_path: Path) -> None:
    files = pages(tmp_path, "text", "note")
    assert train(tmp_path, "--suppress-regions", *files)["regions"] == {}
    assert train(tmp_path / "b", "--suppress-baselines", *files)["baselines"] == {}
    config = tmp_path / "experiment.yml"
    config.write_text(
        "segtrain:\n  suppress_regions: true\n  merge_baselines: [note=text]\n  valid_baselines: [note]\n"
    )
    args = ["segtrain", "-o", tmp_path / "c", "-s", SPEC, "-N", 1, "-p", 0.5, *files]
    done = CliRunner().invoke(cli, ["--workers", "0", "--config", str(config), *map(str, args)])
    assert done.exit_code == 0, done.output
    (net,) = load_models(next((tmp_path / "c").glob("best_*.safetensors")))
    assert net.user_metadata["class_mapping"] == {"aux": AUX, "baselines": {"note": 2}, "regions": {}}


def test_the_command_line_overrides_experiment_files(tmp_path: Path) -> None:
    config = tmp_path / "experiment.yml"
    config.write_text("segtrain:\n  suppress_regions: true\n  suppress_baselines: true\n")
    args = ["segtrain", "-o", tmp_path / "m", "-s", SPEC, "-N", 1, "-p", 0.5]
    both = ["--no-suppress-baselines", "--no-suppress-regions", *pages(tmp_path, "text", "text")]
    done = CliRunner().invoke(cli, ["--workers", "0", "--config", str(config), *map(str, [*args, *both])])
    assert done.exit_code == 0, done.output
    (net,) = load_models(next((tmp_path / "m").glob("best_*.safetensors")))
    mapping = net.user_metadata["class_mapping"]
    assert mapping["baselines"] and mapping["regions"]


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (("--suppress-regions", "--suppress-baselines"), "nothing to learn"),
        (("--suppress-regions", "--valid-regions", "text"), "mutually exclusive"),
        (("--merge-regions", "text"), "TARGET=SOURCE"),
        (("--merge-regions", "a=b", "--merge-regions", "c=b"), "more than once"),
        (("--merge-regions", "a=b", "--merge-regions", "c=a"), "merged into"),
    ],
)
def test_contradictions(options: tuple[str, ...], cause: str, tmp_path: Path) -> None:
    done = ketos("segtrain", *options, *pages(tmp_path, "text"))
    assert done.exit_code == 2
    assert cause in " ".join(done.output.replace("│", " ").split())


def test_options_and_mappings_of_experiment_files_exclude_each_other(tmp_path: Path) -> None:
    config = tmp_path / "experiment.yml"
    config.write_text("segtrain:\n  line_class_mapping: [[text, 2]]\n")
    args = ["--config", str(config), "segtrain", "--valid-baselines", "x", *map(str, pages(tmp_path, "text"))]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 2 and "line_class_mapping" in done.output


@pytest.mark.parametrize("resize", ["union", "new"])
def test_names_match_channels_after_resizing(resize: str, tmp_path: Path) -> None:
    """A channel keeps its weights under its name, whatever its new number is."""
    first, second = pages(tmp_path, "text", "note")
    done = ketos("segtrain", "-o", tmp_path / "a", "-s", SPEC, "-N", 1, "-p", 0.5, first, second)
    assert done.exit_code == 0, done.output
    (weights,) = (tmp_path / "a").glob("best_*.safetensors")
    (old,) = load_models(weights)
    third = write_page(tmp_path, "third", kind="title")
    # lines of type text are gone, those of type title are new
    (tmp_path / "list").write_text(f"{second}\n")
    again = ("segtrain", "-i", weights, "-o", tmp_path / "b", "--resize", resize, "-N", 1, "-r", 0)
    done = ketos(*again, "-w", 0, "-e", tmp_path / "list", second, third)
    assert done.exit_code == 0, done.output
    (new,) = load_models(next((tmp_path / "b").glob("best_*.safetensors")))
    before, after = old.user_metadata["class_mapping"], new.user_metadata["class_mapping"]
    assert set(after["baselines"]) == {"note", "title"} | ({"text"} if resize == "union" else set())
    rows = [net.nn[-1].co.weight.detach() for net in (old, new)]
    kept = 0
    for section, classes in after.items():
        for name, index in classes.items():
            if name in before[section]:
                torch.testing.assert_close(rows[1][index], rows[0][before[section][name]])
                kept += 1
    assert kept == len(AUX) + (3 if resize == "union" else 2)
    assert len(rows[1]) == 1 + max(index for classes in after.values() for index in classes.values())


def test_data_follows_the_numbers_of_a_resized_network(tmp_path: Path) -> None:
    page = write_page(tmp_path, "a", kind="note")
    config = BLLASegmentationTrainingDataConfig(
        training_data=[page], evaluation_data=[page], num_workers=0, line_width=4
    )
    data = BLLASegmentationDataModule(config)
    data.renumber({"aux": AUX, "baselines": {"other": 3, "note": 5}, "regions": {"text": 2}})
    assert data.train_set is not None
    dataset: Any = data.train_set.dataset
    dataset.transforms = lambda image: torch.from_numpy(1 - np.asarray(image, dtype=np.float32)[None] / 255)
    target = dataset[0]["target"]
    assert target.shape[0] == 6
    assert [bool(channel.any()) for channel in target] == [True, True, True, False, False, True]
    assert target[5, 40, 30] == 1 and target[2, 20, 20] == 1
