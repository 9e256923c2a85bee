"""Every command and option is explained, documented and used by a test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kraken.ketos import cli as ketos
from kraken.kraken import cli as kraken
from tests.cli.exercised import is_exercised
from tools.make_option_tables import documents

DOCS = Path(__file__).parent.parent.parent / "docs"
PROGRAMS = {"kraken": kraken, "ketos": ketos}


def commands() -> Iterator[tuple[str, str | None, click.Command]]:
    """Program, command (None for the program itself)."""
    for program, group in PROGRAMS.items():
        yield program, None, group
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None, name
            yield program, name, command


CASES = list(commands())
IDS = [f"{program} {name or ''}".strip() for program, name, _ in CASES]


def options_of(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


@pytest.mark.parametrize(("program", "name", "command"), CASES, ids=IDS)
def test_everything_has_a_help_text(program: str, name: str | None, command: click.Command) -> None:
    assert command.help and command.help.strip()
    for option in options_of(command):
        assert option.hidden or (option.help and len(option.help) > 8), option.opts


def test_the_tables_of_options_are_up_to_date() -> None:
    for path, text in documents().items():
        assert path.read_text(encoding="utf-8") == text, "run `python tools/make_option_tables.py`"


@pytest.mark.parametrize(("program", "name", "command"), CASES, ids=IDS)
def test_everything_is_documented(program: str, name: str | None, command: click.Command) -> None:
    page = (DOCS / f"options-{program}.md").read_text(encoding="utf-8")
    prose = (DOCS / ("commands.md" if program == "kraken" else "ketos.md")).read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)
    heading = program if name is None else f"{program} {name}"
    (section,) = [
        part
        for part in sections
        if re.match(rf"{heading}(?: [^\n]*)?\n", part) and (name or part.startswith(f"{program}\n"))
    ]
    assert name is None or re.search(rf"`{name}\b", prose), "is missing in the prose"
    for option in options_of(command):
        for text in (*option.opts, *option.secondary_opts):
            if option.hidden:
                known = f"`{text}`" in prose or f"`{option.name}`" in prose
                assert known, f"the old or hidden option {text} is explained nowhere"
            elif text.strip():
                assert f"`{text}`" in section, text


@pytest.mark.parametrize(("program", "name", "command"), CASES, ids=IDS)
def test_everything_is_used_by_a_test(program: str, name: str | None, command: click.Command) -> None:
    unused = [
        "/".join(texts)
        for option in options_of(command)
        for texts in (option.opts, option.secondary_opts)
        if any(text.strip() for text in texts) and not is_exercised(name, texts)
    ]
    assert not unused, f"no test uses {', '.join(unused)} of {program} {name or ''}"


def test_an_unused_option_would_be_found() -> None:
    assert is_exercised("segment", ["--split-at-regions"])
    assert not is_exercised("segment", ["--no-such-option"])
    assert not is_exercised("no-such-command", ["--split-at-regions"])
