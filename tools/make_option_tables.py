"""Writes the tables of all commands and options: ``python tools/make_option_tables.py`` (a test compares)."""

from __future__ import annotations

import re
from pathlib import Path

import click

FOLDER = Path(__file__).parent.parent / "docs"


def _default(option: click.Option) -> str:
    value = option.default
    if (
        option.multiple
        or option.is_flag
        or option.count
        or value is None
        or callable(value)
        or value in ("", ())
    ):
        return ""
    if not isinstance(value, str | int | float):
        return ""
    return f"[{value}]"


def _names(option: click.Option) -> str:
    first = ", ".join(f"`{name}`" for name in option.opts)
    second = ", ".join(f"`{name}`" for name in option.secondary_opts if name.strip())
    kind = ""
    if isinstance(option.type, click.Choice) and not option.is_flag:
        kind = " " + ", ".join(map(str, option.type.choices))
    return first + (f" / {second}" if second else "") + kind


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def table(command: click.Command) -> list[str]:
    """Rows for the options of a command that aren't hidden."""
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if not options:
        return ["No options."]
    rows = ["| option | meaning [default] |", "|---|---|"]
    for option in options:
        meaning = re.sub(r"\s*\[default: .*\]$", "", _cell(option.help or ""))
        rows.append(f"| {_cell(_names(option))} | {_cell(meaning + ' ' + _default(option))} |")
    return rows


def document(program: str, group: click.Group) -> str:
    """The page of a program."""
    lines = [
        f"# Options of `{program}`",
        "",
        "Made by `python tools/make_option_tables.py` from the commands themselves.",
        "",
        f"## {program}",
        "",
        *table(group),
    ]
    context = click.Context(group, info_name=program)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        arguments = " ".join(
            param.make_metavar(context) for param in command.params if isinstance(param, click.Argument)
        )
        lines += [
            "",
            f"## {program} {name} {arguments}".rstrip(),
            "",
            _cell((command.help or "").split("\n\n")[0]),
        ]
        lines += ["", *table(command)]
    return "\n".join(lines) + "\n"


def documents() -> dict[Path, str]:
    """The pages by their files."""
    from kraken.ketos import cli as ketos
    from kraken.kraken import cli as kraken

    return {
        FOLDER / f"options-{name}.md": document(name, group)
        for name, group in (("kraken", kraken), ("ketos", ketos))
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
