"""``ketos convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from kraken.ketos.convert import convert
from kraken.models import load_models
from tests import example_page
from tests.conftest import golden_json, shared_path


def run(*args: object) -> Result:
    return CliRunner().invoke(convert, [str(arg) for arg in args])


def test_options_are_those_of_the_recorded_command() -> None:
    for expected in golden_json("training", "cli.json")["convert"]:
        (param,) = [param for param in convert.params if param.name == expected["name"]]
        assert param.nargs == expected["nargs"]
        assert sorted(param.opts) == sorted(expected["opts"])
        assert (param.default if isinstance(param.default, str) else None) == expected["default"]
        assert not hasattr(param.type, "choices")


def test_formats(tmp_path: Path) -> None:
    source = example_page.RECOGNITION_MODEL
    result = run("-o", tmp_path / "a", "--weights-format", "coreml", source)
    assert result.exit_code == 0, result.output
    assert result.output == f"Output file written to {tmp_path / 'a.mlmodel'}\n"
    both = tmp_path / "both.safetensors"
    assert run("-o", both, tmp_path / "a.mlmodel", example_page.LAYOUT_MODEL).exit_code == 0
    models: Any = load_models(both)
    assert [model.model_type for model in models] == [["recognition"], ["segmentation"]]
    (expected,) = load_models(source)
    x = torch.rand(1, 1, 40, 120)
    with torch.no_grad():
        torch.testing.assert_close(models[0].eval()(x)[0], expected.eval()(x)[0], atol=1e-5, rtol=1e-4)  # type: ignore


@pytest.mark.parametrize("name", ["rec", "seg", "ro"])
def test_checkpoints(name: str, tmp_path: Path) -> None:
    source = shared_path("golden", "training", "models", f"{name}.ckpt")
    assert run("-o", tmp_path / "m.safetensors", source).exit_code == 0
    assert len(load_models(tmp_path / "m.safetensors")) == 1


def test_what_is_wrong_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no model")
    (tmp_path / "bad.ckpt").write_bytes(b"PK\x03\x04 and no more")
    good = example_page.RECOGNITION_MODEL
    for args, code, message in (
        ((), 2, "No checkpoints to convert were provided."),
        ((tmp_path / "nothing",), 2, "does not exist"),
        (("--weights-format", "clay", good), 2, "No writer for format clay found"),
        ((tmp_path / "text",), 1, f"No loader found for {tmp_path / 'text'}"),
        ((tmp_path / "bad.ckpt",), 1, "bad.ckpt isn't a readable checkpoint"),
        (("--weights-format", "coreml", good, example_page.LAYOUT_MODEL), 1, "coreml"),
    ):
        result = run("-o", tmp_path / "out", *args)
        assert result.exit_code == code, result.output
        assert message.lower() in " ".join(result.output.split()).lower()
        assert "Traceback" not in result.output
        assert not (tmp_path / "out").exists()
