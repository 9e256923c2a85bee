"""Loading of CoreML model files."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import torch

from kraken.lib.exceptions import KrakenInvalidModelException
from kraken.lib.vgsl.blocks.init import without_initialisation
from kraken.models._files import parse_json
from kraken.models.base import BaseModel
from kraken.models.coreml.protobuf import Message, decode
from kraken.models.coreml.tensors import Array, read_linear, read_tensors
from kraken.models.create import create_model

logger = logging.getLogger(__name__)

#: keys of auxiliary models and the level of elements they order
AUX_LEVELS = {"ro_model": "baselines", "ro_model_regions": "regions"}
_AUX_LAYER = re.compile(r"_mlp_lin_[01](_relu)?$")


class CoreMLFile(NamedTuple):
    """Content of a file: texts by key, and layers."""

    texts: dict[str, str]
    layers: list[Message]


def load_coreml(path: str | PathLike[str], tasks: Sequence[str] | None = None) -> list[BaseModel]:
    """Load the VGSL network and the reading-order models of a CoreML file.

    Args:
        path: File.
        tasks: Only models for one of these tasks, None = all.

    Raises:
        ValueError: The file is no CoreML file, or its metadata or weights are unusable.
    """
    content = read_file(path)
    fields = _metadata(content.texts, path)
    models: list[BaseModel] = []
    if _wanted(fields["model_type"], tasks):
        models.append(_network(content, fields, path))
    if _wanted(["reading_order"], tasks):
        models.extend(_reading_orders(content, fields, path).values())
    if not models:
        logger.info("%s has no model for %s.", path, tasks)
    return models


def load_vgsl(path: str | PathLike[str]) -> Any:
    """Load the network alone, whatever its metadata say; for the deprecated interface.

    Raises:
        KrakenInvalidModelException: The file is unreadable or has no usable VGSL network.
    """
    try:
        content = read_file(path)
        fields = _metadata(content.texts, path, strict=False)
        model = _network(content, fields, path)
        model.aux_layers = _reading_orders(content, fields, path)
    except (ValueError, OSError) as e:
        raise KrakenInvalidModelException(f"Failure loading model {path}: {e}") from e
    return model


def read_file(path: str | PathLike[str]) -> CoreMLFile:
    """Read a file without interpreting its content.

    Raises:
        ValueError: It isn't a CoreML file.
    """
    try:
        model = decode(memoryview(Path(path).read_bytes()), "Model")
    except ValueError as e:
        raise ValueError(f"{path} isn't a CoreML model: {e}") from e
    pairs = model.get("description", {}).get("metadata", {}).get("userDefined", [])
    texts = {str(pair.get("key", "")): str(pair.get("value", "")) for pair in pairs}
    return CoreMLFile(texts, model.get("neuralNetwork", {}).get("layers", []))


def _wanted(types: Iterable[str], tasks: Sequence[str] | None) -> bool:
    return tasks is None or not set(tasks).isdisjoint(types)


def _metadata(texts: dict[str, str], path: object, strict: bool = True) -> dict[str, Any]:
    """Keywords for the network: all metadata, `vgsl`, `codec` and the list `model_type`."""
    fields: dict[str, Any] = {}
    if "kraken_meta" in texts:
        fields = parse_json(texts["kraken_meta"], f"kraken_meta of {path}")
        if not isinstance(fields, dict):
            raise ValueError(f"kraken_meta of {path} isn't a JSON object.")
    vgsl = texts.get("vgsl") or fields.get("vgsl")
    if not isinstance(vgsl, str):
        raise ValueError(f"{path} has no VGSL specification.")
    codec = parse_json(texts["codec"], f"codec of {path}") if texts.get("codec") else None
    fields["codec"] = fields.get("codec") if codec is None else codec
    if "kraken_meta" not in texts:
        logger.warning("%s has no metadata: taking it for a recognition model.", path)
        types = ["recognition"]
    elif strict:
        types = _model_types(fields, path)
    else:
        types = [fields["model_type"]] if isinstance(fields.get("model_type"), str) else []
    return {**fields, "vgsl": vgsl, "model_type": types}


def _model_types(fields: dict[str, Any], path: object) -> list[str]:
    value = fields.get("model_type", "")
    if value is None and fields["codec"] is not None:
        logger.warning("model_type of %s is null: taking the model for a recognition one.", path)
        return ["recognition"]
    if not isinstance(value, str) or not value:
        raise ValueError(f"model_type of {path} is missing or no text: {value!r}.")
    return [value]


def _create(name: str, path: object, **fields: Any) -> Any:
    """A model without weights."""
    try:
        with without_initialisation():
            return create_model(name, **fields)
    except ValueError as e:
        raise ValueError(f"Description in {path}: {e}") from e


def _network(content: CoreMLFile, fields: dict[str, Any], path: object) -> Any:
    model = _create("TorchVGSLModel", path, **fields)
    expected = model.state_dict()
    # files hold the names of the layers themselves, without those of the groups around them
    short = {".".join(key.rsplit(".", 3)[-3:]): key for key in expected}
    names = {name.partition(".")[0] for name in short}
    layers = [layer for layer in content.layers if not _AUX_LAYER.search(layer.get("name", ""))]
    try:
        tensors = read_tensors(layers, names)
    except ValueError as e:
        raise ValueError(f"{path}: {e}") from e
    missing = sorted(set(short) - set(tensors))
    unexpected = sorted(set(tensors) - set(short))
    if missing or unexpected:
        raise ValueError(
            f"Weights in {path} don't fit {model.spec}: missing {missing}, unexpected {unexpected}."
        )
    with torch.no_grad():
        for name, values in tensors.items():
            target = expected[short[name]]
            if tuple(target.shape) != values.shape:
                raise ValueError(
                    f"{name} in {path} has shape {values.shape}, the network needs {tuple(target.shape)}."
                )
            target.copy_(torch.from_numpy(values))
    return model


def _reading_orders(content: CoreMLFile, fields: dict[str, Any], path: object) -> dict[str, Any]:
    """Auxiliary models by key."""
    if not content.texts.get("aux_layers"):
        return {}
    declared = parse_json(content.texts["aux_layers"], f"aux_layers of {path}")
    if declared is None:
        return {}
    if not isinstance(declared, dict):
        raise ValueError(f"aux_layers of {path} isn't a JSON object.")
    by_name = {layer.get("name", ""): layer for layer in content.layers}
    models = {}
    for key in declared:
        if key not in AUX_LEVELS:
            logger.warning("Auxiliary layer %r of %s is unknown and left out.", key, path)
            continue
        linear = []
        for i in (0, 1):
            name = f"{key}_mlp_lin_{i}"
            params = by_name.get(name, {}).get("innerProduct")
            if params is None:
                raise ValueError(f"{path} lacks layer {name!r}.")
            linear.append(read_linear(params, name))
        models[key] = _reading_order(key, linear, fields, path)
    return models


def _reading_order(key: str, linear: list[tuple[Array, Array]], fields: dict[str, Any], path: object) -> Any:
    mapping = fields.get("class_mapping")
    level = AUX_LEVELS[key]
    classes = mapping.get(level, {}) if isinstance(mapping, dict) else {}
    model = _create("ROMLP", path, class_mapping=classes, level=level)
    state = {}
    for layer, (weight, bias) in zip(("fc1", "fc2"), linear, strict=True):
        state[f"{layer}.weight"], state[f"{layer}.bias"] = torch.from_numpy(weight), torch.from_numpy(bias)
    sizes = {name: tuple(t.shape) for name, t in model.state_dict().items()}
    if sizes != {name: tuple(t.shape) for name, t in state.items()}:
        raise ValueError(
            f"Auxiliary model {key!r} of {path} takes {linear[0][0].shape[1]} features, but the "
            f"{len(classes)} classes of the segmentation model's {level} make {model.feature_size}."
        )
    model.load_state_dict(state)
    return model
