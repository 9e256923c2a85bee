"""Models: loading, writing, converting, building by name.

Names are loaded when they are asked for: importing the package needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraken.models.base import BaseModel, RecognitionBaseModel, SegmentationBaseModel
    from kraken.models.checkpoints import (
        find_checkpoint_module,
        find_weights_archs,
        load_checkpoint,
        load_checkpoint_config,
        load_from_checkpoint,
    )
    from kraken.models.convert import convert_models
    from kraken.models.coreml import load_coreml, write_coreml
    from kraken.models.create import create_model
    from kraken.models.loaders import load_models, load_safetensors
    from kraken.models.writers import write_models, write_safetensors

__all__ = [
    "BaseModel",
    "RecognitionBaseModel",
    "SegmentationBaseModel",
    "convert_models",
    "create_model",
    "find_checkpoint_module",
    "find_weights_archs",
    "load_checkpoint",
    "load_checkpoint_config",
    "load_coreml",
    "load_from_checkpoint",
    "load_models",
    "load_safetensors",
    "write_coreml",
    "write_models",
    "write_safetensors",
]

_MODULES = {
    "base": ("BaseModel", "RecognitionBaseModel", "SegmentationBaseModel"),
    "checkpoints": (
        "find_checkpoint_module",
        "find_weights_archs",
        "load_checkpoint",
        "load_checkpoint_config",
        "load_from_checkpoint",
    ),
    "convert": ("convert_models",),
    "coreml": ("load_coreml", "write_coreml"),
    "create": ("create_model",),
    "loaders": ("load_models", "load_safetensors"),
    "writers": ("write_models", "write_safetensors"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
