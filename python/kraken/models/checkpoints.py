"""Checkpoints of trainers (spec chapter models §6)."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import safetensors
import torch

from kraken.lib.vgsl.blocks.init import without_initialisation
from kraken.models._files import parse_json
from kraken.models.base import BaseModel
from kraken.models.create import create_model
from kraken.registry import registry

ARCH_GROUPS = {"recognition": "kraken.archs.recognition", "segmentation": "kraken.archs.segmentation"}


def load_checkpoint_config(path: str | PathLike[str]) -> Any:
    """Training configuration stored in a checkpoint.

    Raises:
        ValueError: The file is no checkpoint of a trainer, or holds objects that aren't allowed.
    """
    return _config(_load(path), path)


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
            f"Checkpoint {path} with configuration {type(config).__name__} can't be restored: no trainer "
            "is installed (kraken.train is missing)."
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


def load_checkpoint(path: str | PathLike[str], tasks: Sequence[str] | None = None) -> list[BaseModel]:
    """Load the network of a checkpoint without its trainer.

    Networks of other trainers than the engine's own are restored by these.

    Args:
        path: Checkpoint.
        tasks: Only a network for one of these tasks, None = any.

    Returns:
        The network in a list; an empty one if it is for another task.

    Raises:
        ValueError: The file is no checkpoint, lacks something, or its trainer isn't installed.
        RuntimeError: The weights don't fit the description.
    """
    checkpoint = _load(path)
    config = _config(checkpoint, path)
    describe = _DESCRIPTIONS.get(f"{type(config).__module__}.{type(config).__name__}")
    if describe is None:
        model: BaseModel = load_from_checkpoint(path).net
    else:
        try:
            name, fields = describe(config, checkpoint)
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise ValueError(f"Checkpoint {path} lacks what its network needs: {e!r}") from e
        with without_initialisation():
            model = create_model(name, **fields)
        _load_weights(model, checkpoint.get("state_dict"), path)
    wanted = None if tasks is None else {tasks} if isinstance(tasks, str) else set(tasks)
    return [] if wanted is not None and wanted.isdisjoint(model.model_type) else [model]


def _data_config(checkpoint: dict[str, Any]) -> Any:
    return checkpoint["datamodule_hyper_parameters"]["data_config"]


def _describe_recognition(config: Any, checkpoint: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    data = _data_config(checkpoint)
    # True means the direction of each line, which is the default of recognition, too
    stated = {"base_dir": data.bidi_reordering} if data.bidi_reordering in ("L", "R") else {}
    return "TorchVGSLModel", {
        **stated,
        "vgsl": config.spec,
        "model_type": ["recognition"],
        "metrics": checkpoint.get("_metrics") or [],
        "seg_type": checkpoint.get("_seg_type"),
        "one_channel_mode": checkpoint.get("_one_channel_mode"),
        "legacy_polygons": data.legacy_polygons,
        "codec": data.codec,
    }


def _describe_segmentation(config: Any, checkpoint: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    data = _data_config(checkpoint)
    full = {
        "aux": {"_start_separator": 0, "_end_separator": 1},
        "baselines": dict(data.line_class_mapping),
        "regions": dict(data.region_class_mapping),
    }
    return "TorchVGSLModel", {
        "vgsl": config.spec,
        "model_type": ["segmentation"],
        "metrics": checkpoint.get("_metrics") or [],
        "one_channel_mode": checkpoint.get("_one_channel_mode"),
        "topline": data.topline,
        "class_mapping": checkpoint.get("_canonical_class_mapping") or full,
        "_full_class_mapping": full,
    }


def _describe_reading_order(_: Any, checkpoint: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    data = _data_config(checkpoint)
    return "ROMLP", {"class_mapping": dict(data.class_mapping), "level": data.level}


#: configuration of a trainer -> model class and its arguments
_DESCRIPTIONS: dict[str, Callable[[Any, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "kraken.configs.vgsl.VGSLRecognitionTrainingConfig": _describe_recognition,
    "kraken.configs.pretrain.VGSLPreTrainingConfig": _describe_recognition,
    "kraken.configs.vgsl.BLLASegmentationTrainingConfig": _describe_segmentation,
    "kraken.configs.ro.ROTrainingConfig": _describe_reading_order,
}


def _load_weights(model: Any, state: Any, path: object) -> None:
    """Copies the weights of the network out of a trainer's."""
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise ValueError(f"state_dict of checkpoint {path} isn't a mapping of names to weights.")
    own = {key.removeprefix("net."): value for key, value in state.items() if key.startswith("net.")}
    try:
        model.load_state_dict(own, strict=True)
    except (RuntimeError, TypeError, AttributeError) as e:
        raise RuntimeError(f"Weights in {path} don't fit its description: {e}") from e


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


def _config(checkpoint: dict[str, Any], path: object) -> Any:
    """Training configuration in a checkpoint."""
    config = checkpoint.get("_module_config")
    if config is None:
        parameters = checkpoint.get("hyper_parameters")
        config = parameters.get("config") if isinstance(parameters, dict) else None
    if config is None:
        raise ValueError(f"Checkpoint {path} holds no configuration (_module_config).")
    return config


def _load(path: str | PathLike[str]) -> dict[str, Any]:
    """Content of a checkpoint, read with the restricted unpickler."""
    # the imports register the classes a checkpoint may hold
    import kraken.configs
    import kraken.containers
    import kraken.lib.codec  # noqa: F401

    try:
        # a path would make torch choose a format by its suffix
        with Path(path).open("rb") as file:
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        OSError,
        EOFError,
        LookupError,
        ValueError,
        AttributeError,
    ) as e:
        raise ValueError(f"{path} isn't a readable checkpoint: {e}") from e
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{path} isn't a checkpoint of a trainer.")
    return checkpoint
