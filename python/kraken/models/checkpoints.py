"""Checkpoints of trainers (spec chapter models §6)."""

from __future__ import annotations

import pickle
from os import PathLike
from pathlib import Path
from typing import Any

import safetensors
import torch

from kraken.models._files import parse_json
from kraken.registry import registry

ARCH_GROUPS = {"recognition": "kraken.archs.recognition", "segmentation": "kraken.archs.segmentation"}


def load_checkpoint_config(path: str | PathLike[str]) -> Any:
    """Training configuration stored in a checkpoint.

    Raises:
        ValueError: The file is no checkpoint of a trainer, or holds objects that aren't allowed.
    """
    checkpoint = _load(path)
    config = checkpoint.get("_module_config")
    if config is None:
        parameters = checkpoint.get("hyper_parameters")
        config = parameters.get("config") if isinstance(parameters, dict) else None
    if config is None:
        raise ValueError(f"Checkpoint {path} holds no configuration.")
    return config


def find_checkpoint_module(path: str | PathLike[str]) -> Any:
    """Trainer class that wrote a checkpoint.

    The class whose `_config_class` is the type of the stored configuration, else the one with
    the most derived parent of it.

    Raises:
        ValueError: There is no such class.
    """
    config = load_checkpoint_config(path)
    modules = [module for _, module in registry.items("kraken.lightning_modules")]
    if not modules:
        raise ValueError(
            f"Checkpoint {path} can't be restored: no trainer is installed (kraken.train is missing)."
        )
    lineage = type(config).__mro__
    matches = [m for m in modules if getattr(m, "_config_class", None) in lineage]
    if not matches:
        raise ValueError(f"No trainer found for configuration {type(config).__name__} of checkpoint {path}.")
    return min(matches, key=lambda m: lineage.index(m._config_class))


def load_from_checkpoint(path: str | PathLike[str]) -> Any:
    """Restore a trainer from its checkpoint.

    Raises:
        ValueError: The file is no checkpoint, or its trainer isn't installed.
    """
    module = find_checkpoint_module(path)
    return module.load_from_checkpoint(str(path), map_location="cpu", weights_only=True)


def find_weights_archs(path: str | PathLike[str], task: str | None = None) -> set[str] | None:
    """Names of the training architectures that the models of a safetensors file belong to.

    Args:
        path: File.
        task: Only architectures for this task, None = all.

    Returns:
        The names, None if there are none or the file is no safetensors file of models.
    """
    try:
        with safetensors.safe_open(str(path), framework="np") as file:
            entries = parse_json((file.metadata() or {}).get("kraken_meta", "null"), f"kraken_meta of {path}")
    except (safetensors.SafetensorError, OSError, ValueError):
        return None
    if not isinstance(entries, dict):
        return None
    classes = {entry.get("_model") for entry in entries.values() if isinstance(entry, dict)}
    groups = [ARCH_GROUPS[task]] if task is not None else list(ARCH_GROUPS.values())
    names = set()
    for group in groups:
        for name, module in registry.items(group):
            model_class = getattr(module, "_model_class", None)
            if getattr(model_class, "__name__", model_class) in classes:
                names.add(name)
    return names or None


def _load(path: str | PathLike[str]) -> dict[str, Any]:
    """Content of a checkpoint, read with the restricted unpickler."""
    # the imports register the classes a checkpoint may hold
    import kraken.configs
    import kraken.containers
    import kraken.lib.codec  # noqa: F401

    try:
        checkpoint = torch.load(Path(path), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as e:
        raise ValueError(f"{path} isn't a readable checkpoint: {e}") from e
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{path} isn't a checkpoint of a trainer.")
    return checkpoint
