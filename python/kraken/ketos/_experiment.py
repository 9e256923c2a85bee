"""Experiment files: values for the options of the command and its subcommands."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import click

__all__ = ["load_experiment"]


def load_experiment(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Callback of ``--config``: makes a file's values the defaults of the options.

    Raises:
        click.BadParameter: The file can't be read or isn't a mapping.
    """
    if value is None or ctx.resilient_parsing:
        return
    content = _read(ctx, param, value)
    _check(ctx, content)
    defaults = dict(ctx.default_map or {})
    _merge(defaults, content)
    ctx.default_map = defaults


def _read(ctx: click.Context, param: click.Parameter, path: str) -> dict[str, Any]:
    import yaml  # only experiments need it

    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the path may be a descriptor of the shell
            content = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        text = " ".join(str(error).split())
        raise click.BadParameter(f"{path} can't be read: {text}", ctx=ctx, param=param) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise click.BadParameter(
            f"{path} holds no mapping but a {type(content).__name__}.", ctx=ctx, param=param
        )
    return {str(key): entry for key, entry in content.items()}


def _merge(base: dict[str, Any], new: dict[str, Any]) -> None:
    """Adds mappings recursively, in place."""
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value


def _check(ctx: click.Context, content: dict[str, Any]) -> None:
    """Warns of keys that no option has."""
    group = ctx.command
    commands = group.list_commands(ctx) if isinstance(group, click.Group) else []
    own = [param.name or "" for param in group.params]
    for key, value in content.items():
        if key not in commands:
            _warn_unknown(key, [*own, *commands])
            continue
        command = group.get_command(ctx, key) if isinstance(group, click.Group) else None
        if command is None or value is None:
            continue
        if not isinstance(value, dict):
            raise click.BadParameter(f"Values for command {key} have to be a mapping.", ctx=ctx)
        names = [param.name or "" for param in command.params]
        for name in value:
            _warn_unknown(str(name), names)


def _warn_unknown(key: str, known: list[str]) -> None:
    if key in known:
        return
    close = get_close_matches(key, known, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    click.echo(f'Ignoring unknown configuration key "{key}" in experiment file.{hint}', err=True)
