"""Conversion of model files and checkpoints (spec chapter models §6)."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from kraken.models.base import BaseModel
from kraken.models.checkpoints import load_checkpoint
from kraken.models.loaders import load_models
from kraken.registry import registry


def convert_models(
    paths: Iterable[str | PathLike[str]], output: str | PathLike[str], weights_format: str = "safetensors"
) -> Path:
    """Write the models of several files into one.

    Args:
        paths: Model files and checkpoints (suffix ``.ckpt``).
        output: File to write.
        weights_format: Name of a writer.

    Returns:
        The path really written.

    Raises:
        ValueError: The format is unknown, an input is unreadable, or the format can't hold the models.
    """
    if weights_format not in registry.entries("kraken.writers"):
        known = ", ".join(registry.names("kraken.writers"))
        raise ValueError(f"No writer for format {weights_format} found. Known are {known}.")
    write = registry.load("kraken.writers", weights_format)
    models: list[BaseModel] = []
    for path in paths:
        models.extend(load_checkpoint(path) if Path(path).suffix == ".ckpt" else load_models(path))
    written: Path = write(models, output)
    return written
