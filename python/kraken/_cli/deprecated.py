"""Options of older releases: each still works, with a warning that names its successor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kraken._cli.options import Settings

F = TypeVar("F", bound=Callable[..., Any])

_FORMATS = {"hocr": "hocr", "alto": "alto", "abbyy": "abbyyxml", "pagexml": "pagexml", "native": "native"}


def _warn(old: str, new: str) -> None:
    click.echo(f"Warning: {old} is deprecated: use {new}.", err=True)


def _set_threads(ctx: click.Context, _param: click.Parameter, value: int | None) -> None:
    if value is not None:
        _warn(f"{ctx.info_name} --threads", f"`kraken --threads {value} … {ctx.info_name}`")
        settings: Settings = ctx.obj
        settings.threads = value


def _set_format(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        option = param.opts[0]
        _warn(f"{ctx.info_name} {option}", f"`kraken {option} … {ctx.info_name}`")
        settings: Settings = ctx.obj
        settings.output_format = _FORMATS[option.removeprefix("--")]


def old_global_options(command: F) -> F:
    """Adds the options that once belonged to a subcommand and now stand before it."""
    command = click.option(
        "--threads", type=click.IntRange(min=1), hidden=True, expose_value=False, callback=_set_threads
    )(command)
    for name in _FORMATS:
        command = click.option(
            f"--{name}", is_flag=True, hidden=True, expose_value=False, callback=_set_format
        )(command)
    return command
