"""Writing of model files (spec chapter models §6)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from kraken.lib.atomic import atomic_output
from kraken.models._files import dump_json
from kraken.models.base import BaseModel
from kraken.registry import registry

#: suffixes that decide about the format
SUFFIXES = {".mlmodel": "coreml", ".safetensors": "safetensors"}


def write_models(objs: BaseModel | Sequence[BaseModel], path: str | PathLike[str]) -> Path:
    """Write models to a new file.

    The suffix decides about the format; without a known one it is safetensors if possible,
    else the first registered format that can hold the models.

    Args:
        objs: One or several models.
        path: File to write.

    Returns:
        The path really written.

    Raises:
        ValueError: The file exists, or no format can hold the models.
    """
    path = Path(path)
    if path.exists():
        raise ValueError(f"{path} already exists.")
    models = list(objs) if isinstance(objs, Sequence) else [objs]
    chosen = SUFFIXES.get(path.suffix.lower())
    errors = []
    writers = dict(registry.items("kraken.writers"))
    for name in sorted(writers, key=lambda name: name != (chosen or "safetensors")):
        if chosen is not None and name != chosen:
            # a file of another format behind a known suffix would mislead
            continue
        try:
            written: Path = writers[name](models, path)
            return written
        except ValueError as e:
            errors.append(f"{name}: {e}")
    raise ValueError(f"No writer found for {path}. " + "; ".join(errors))


def write_safetensors(objs: BaseModel | Sequence[BaseModel], path: str | PathLike[str]) -> Path:
    """Write models as a safetensors file, replacing an existing one.

    Tensors keep their type; storage shared by several parameters is written once. Auxiliary
    models of a network become models of the file. The models aren't modified.

    Args:
        objs: One or several models.
        path: File to write.

    Returns:
        The path written.

    Raises:
        ValueError: There is nothing to write, or metadata has no JSON form.
    """
    path = Path(path)
    models = _with_auxiliary(list(objs) if isinstance(objs, Sequence) else [objs])
    if not models:
        raise ValueError("There is no model to write.")
    tensors: dict[str, Tensor] = {}
    texts: dict[str, str] = {}
    entries: dict[str, Any] = {}
    for model in models:
        if not isinstance(model, BaseModel):
            raise ValueError(f"An object of class {type(model).__name__} is no model.")
        prefix = str(uuid.uuid4())
        entries[prefix] = {
            "_kraken_min_version": model._kraken_min_version,
            "_tasks": model.model_type or None,
            "_model": registered_name(model),
            **model.user_metadata,
        }
        _collect(prefix, model, tensors, texts)
    texts["kraken_meta"] = dump_json(entries, "The metadata")
    with atomic_output(path) as temporary:
        save_file(tensors, temporary, metadata=texts)
    return path


def registered_name(model: BaseModel) -> str:
    """Name a model's class is registered by, its own name if it isn't."""
    cls = type(model)
    place = f":{cls.__qualname__}"
    for name, value in registry.entries("kraken.models").items():
        if value.endswith(place):
            return name
    return cls.__name__


def _with_auxiliary(models: list[BaseModel]) -> list[BaseModel]:
    """Models, each followed by its auxiliary models that aren't in the list anyway."""
    result = []
    for model in models:
        result.append(model)
        auxiliary = getattr(model, "aux_layers", {})
        result.extend(m for m in auxiliary.values() if not any(m is other for other in models))
    return result


def _collect(prefix: str, model: BaseModel, tensors: dict[str, Tensor], texts: dict[str, str]) -> None:
    """Add a model's tensors; tied ones are noted as aliases."""
    written: dict[tuple[Any, ...], str] = {}
    for key, tensor in model.state_dict().items():
        name = f"{prefix}.{key}"
        identity = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.device)
        if tensor.numel() and identity in written:
            texts[name] = written[identity]
            continue
        written[identity] = name
        # a clone frees views (packed recurrent weights) from their common storage
        tensors[name] = tensor.detach().cpu().contiguous().clone()
