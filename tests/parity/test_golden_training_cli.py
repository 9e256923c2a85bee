"""Parameters of ``ketos`` against the recorded ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
import pytest

from kraken.ketos import cli
from tests.conftest import SHARED

PATH = SHARED / "golden" / "training" / "cli.json"
RECORDED: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}


def describe(param: click.Parameter) -> dict[str, Any]:
    """What the record says of a parameter."""
    kind = param.type
    default = param.default
    if str(default).startswith("Sentinel") or isinstance(default, Mapping):
        default = None
    return {
        "name": param.name,
        "kind": param.param_type_name,
        "opts": sorted(param.opts),
        "secondary": sorted(option for option in param.secondary_opts if option.strip()),
        "nargs": param.nargs,
        "multiple": bool(getattr(param, "multiple", False)),
        "is_flag": bool(getattr(param, "is_flag", False)),
        "count": bool(getattr(param, "count", False)),
        "hidden": bool(getattr(param, "hidden", False)),
        "choices": list(kind.choices) if isinstance(kind, click.Choice) else None,
        "default": default,
    }


@pytest.mark.parametrize("name", list(RECORDED))
def test_parameters(name: str) -> None:
    context = click.Context(cli)
    command = cli if name == "ketos" else cli.get_command(context, name)
    if command is None:
        pytest.skip(f"command {name} isn't built yet")
    found = {param.name: describe(param) for param in command.params}
    for wanted in RECORDED[name]:
        if wanted["name"] == "topline":
            # three options of one parameter, which may be built differently
            same = [sorted(param.opts) for param in command.params if param.name == "topline"]
            assert sorted(wanted["opts"]) in same
            continue
        ours = found[wanted["name"]]
        assert wanted["opts"] == ours["opts"]
        for key in ("kind", "secondary", "nargs", "multiple", "is_flag", "count", "hidden"):
            assert ours[key] == wanted[key], (wanted["name"], key)
        if wanted["choices"] is not None:
            assert set(ours["choices"] or ()) == set(wanted["choices"]), wanted["name"]
        default = wanted["default"]
        if isinstance(default, str) and default.startswith("<"):
            continue
        found_default = list(ours["default"]) if isinstance(ours["default"], tuple) else ours["default"]
        assert found_default == default, wanted["name"]
