"""Where a model named on the command line lies (spec chapter cli-kraken §3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from kraken._cli.errors import CommandError

T = TypeVar("T")

_ASSETS = Path(__file__).parent.parent / "assets"


def _search_folders() -> list[Path]:
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
    for folder in _search_folders():
        for candidate in sorted(folder.rglob(path.name)) if folder.is_dir() else []:
            if candidate.is_file() and candidate.parts[-len(path.parts) :] == path.parts:
                return candidate
    for bundled in bundled_models():
        if name in (bundled.name, bundled.stem, bundled.stem.replace("_", "-")):
            return bundled
    return None


def bundled_models() -> list[Path]:
    """Model files that come with the package."""
    return sorted(_ASSETS.glob("*.safetensors"))


def installed_models() -> list[tuple[str, set[str] | None, Path]]:
    """Name, tasks (None if the file doesn't state them) and path of the bundled models and others found."""
    models = [(path.stem.replace("_", "-"), path) for path in bundled_models()]
    for folder in _search_folders():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.suffix in (".mlmodel", ".safetensors") and path.is_file():
                models.append((path.name, path))
    return [(name, _stated_tasks(path), path) for name, path in models]


def _stated_tasks(path: Path) -> set[str] | None:
    try:
        return _tasks(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError):
        return None  # CoreML, or damaged


def bundled_names(task: str) -> str:
    """Names of the bundled models for a task, for messages."""
    names = [path.stem.replace("_", "-") for path in bundled_models() if task in _tasks(path)]
    return ", ".join(names) or "none"


def _tasks(path: Path) -> set[str]:
    """Tasks of the models in a safetensors file, from its header alone (spec chapter models §6)."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    models = json.loads(header["__metadata__"]["kraken_meta"])
    return {task for model in models.values() for task in model["_tasks"] or []}


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
