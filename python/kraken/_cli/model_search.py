"""Where a model named on the command line lies (spec chapter cli-kraken §3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from kraken._cli.errors import CommandError
from kraken.lib.exceptions import KrakenInvalidModelException
from kraken.models.bundled import default_model, find_bundled

T = TypeVar("T")


def search_folders() -> list[Path]:
    """Folders below which models are looked for."""
    # Only needed when a model isn't found as named.
    from platformdirs import user_data_dir

    return [
        Path(user_data_dir("htrmopo")),
        Path(user_data_dir("kraken")),
        Path(click.get_app_dir("kraken")),
    ]


def find_model(name: str) -> Path | None:
    """Path of a model: as named, below the data folders, or bundled with the package.

    Bundled models may be named without suffix, with ``-`` or ``_``.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    for folder in search_folders():
        for candidate in sorted(folder.rglob(path.name)) if folder.is_dir() else []:
            if candidate.is_file() and candidate.parts[-len(path.parts) :] == path.parts:
                return candidate
    bundled = find_bundled(name)
    return None if bundled is None else bundled.path


def default_path(task: str) -> Path:
    """Path of the model that is used unless one is named.

    Raises:
        CommandError: If the package has none.
    """
    try:
        return default_model(task)
    except KrakenInvalidModelException as error:
        raise CommandError(str(error)) from error


def load_task(loader: Callable[[Path], T], path: Path, needed: str) -> T:
    """Loads a model file for a task.

    Raises:
        CommandError: One line with path, cause and cure.
    """
    try:
        return loader(path)
    except Exception as error:
        message = " ".join(str(error).split())
        raise CommandError(f"{path} can't be used as a model for {needed}: {message[:500]}") from error
