"""Loading of model files (spec chapter models §6)."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import Any

import safetensors
from torch import Tensor

from kraken.lib.vgsl.blocks.init import without_initialisation
from kraken.models._files import parse_json
from kraken.models.base import BaseModel
from kraken.models.bundled import language_model_of
from kraken.models.checkpoints import load_checkpoint
from kraken.models.create import create_model
from kraken.registry import registry

logger = logging.getLogger(__name__)

#: version of the reference this engine is compatible with, when its own isn't known
COMPATIBILITY = "7.1.1"
_PRIVATE = ("_kraken_min_version", "_tasks", "_model")
_TORCH_ARCHIVE = b"PK\x03\x04"
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", _TORCH_ARCHIVE)


def load_models(path: str | PathLike[str], tasks: Sequence[str] | None = None) -> list[BaseModel]:
    """Load all models of a file of any known format.

    Checkpoints of trainers are read, too: the network alone, by torch's restricted
    unpickler, which runs no code of the file.

    Args:
        path: Model file.
        tasks: Only models for one of these tasks, None = all.

    Returns:
        Models in the file's order; none if no model is for the tasks.

    Raises:
        ValueError: There is no such file, or no loader takes it.
        RuntimeError: The file's weights don't fit its description.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is not a regular file.")
    with path.open("rb") as fp:
        head = fp.read(16)
    likely = _sniff(head)
    loaders = dict(registry.items("kraken.loaders"))
    errors = []
    if head.startswith(_TORCH_ARCHIVE):
        try:
            return load_checkpoint(path, tasks=tasks)
        except ValueError as e:
            errors.append(f"checkpoint: {e}")
    # the loader that the content speaks for goes first, so that its complaint does, too
    for name in sorted(loaders, key=lambda name: name != likely):
        try:
            models: list[BaseModel] = loaders[name](path, tasks=tasks)
            return _with_language_model(models, path)
        except ValueError as e:
            errors.append(f"{name}: {e}")
    hint = ""
    if head.startswith(_PICKLE_STARTS):
        hint = " It looks like a pickle or torch archive; of these, only checkpoints of trainers are read."
    raise ValueError(f"No loader found for {path}.{hint} " + "; ".join(errors))


def _with_language_model(models: list[BaseModel], path: Path) -> list[BaseModel]:
    """The models, which know the language model that comes with their file."""
    language_model = language_model_of(path)
    if language_model is not None:
        for model in models:
            model.language_model = language_model
    return models


def _sniff(head: bytes) -> str | None:
    """Name of the loader for a file that begins with some bytes."""
    if len(head) > 8 and head[8:9] == b"{":
        return "safetensors"
    return "coreml" if head[:1] == b"\x08" else None


def load_safetensors(path: str | PathLike[str], tasks: Sequence[str] | None = None) -> list[BaseModel]:
    """Load the models of a safetensors file.

    Args:
        path: File.
        tasks: Only models for one of these tasks, None = all.

    Raises:
        ValueError: The file is no safetensors file, or its metadata is unusable.
        RuntimeError: Weights are missing, too many or of the wrong size.
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            return _Reader(file, path).models(tasks)
    except (safetensors.SafetensorError, OSError) as e:
        raise ValueError(f"{path} isn't a safetensors file: {e}") from e


class _Reader:
    """One open file."""

    def __init__(self, file: Any, path: object) -> None:
        self.file = file
        self.path = path
        self.names: set[str] = set(file.keys())
        texts: dict[str, str] | None = file.metadata()
        if not texts:
            raise ValueError(f"No model metadata found in {path}.")
        self.texts = texts
        entries = parse_json(texts.get("kraken_meta", "null"), f"kraken_meta of {path}")
        if not isinstance(entries, dict):
            raise ValueError(f"kraken_meta of {path} is missing or no JSON object.")
        self.entries: dict[str, Any] = entries

    def models(self, tasks: Sequence[str] | None) -> list[BaseModel]:
        """Models for some tasks."""
        wanted = None if tasks is None else {tasks} if isinstance(tasks, str) else set(tasks)
        for prefix, entry in self.entries.items():
            self._check(prefix, entry)
        models: list[BaseModel] = []
        used: set[str] = set()
        missing: list[str] = []
        for prefix, entry in self.entries.items():
            model = None if self._skipped(prefix, entry, wanted) else self._build(prefix, entry)
            if model is None or self._too_new(model._kraken_min_version, prefix):
                used.update(name for name in self.names if name.startswith(f"{prefix}."))
                continue
            state, lacking, taken = self._state(prefix, model)
            used |= taken
            missing.extend(lacking)
            if not lacking:
                self._fill(model, state)
            models.append(model)
        unexpected = sorted(self.names - used)
        if missing or unexpected:
            raise RuntimeError(
                f"Weights in {self.path} don't fit its description: "
                f"missing {missing}, unexpected {unexpected}."
            )
        return models

    def _check(self, prefix: str, entry: Any) -> None:
        where = f"entry {prefix!r} in kraken_meta of {self.path}"
        if not isinstance(entry, dict):
            raise ValueError(f"{where} isn't a JSON object.")
        tasks = entry.get("_tasks")
        if tasks is not None and not (isinstance(tasks, list) and all(isinstance(x, str) for x in tasks)):
            raise ValueError(f"_tasks of {where} is neither null nor a list of texts: {tasks!r}.")
        if not isinstance(entry.get("_model"), str):
            raise ValueError(f"_model of {where} is no text: {entry.get('_model')!r}.")
        version = entry.get("_kraken_min_version", "0")
        if not isinstance(version, str) or _release(version) is None:
            raise ValueError(f"_kraken_min_version of {where} is no version: {version!r}.")

    def _skipped(self, prefix: str, entry: dict[str, Any], wanted: set[str] | None) -> bool:
        if wanted is not None and wanted.isdisjoint(entry.get("_tasks") or []):
            logger.info("Model %s of %s is for %s: skipped.", prefix, self.path, entry.get("_tasks"))
            return True
        return self._too_new(entry.get("_kraken_min_version", "0"), prefix)

    def _too_new(self, version: str, prefix: str) -> bool:
        required, own = _release(version), _release(installed_version())
        if required is None or own is None or required <= own:
            return False
        logger.warning(
            "Model %s of %s needs version %s of the engine, this is %s: skipped. Update to use it.",
            prefix,
            self.path,
            version,
            installed_version(),
        )
        return True

    def _fill(self, model: BaseModel, state: dict[str, Tensor]) -> None:
        try:
            model.load_state_dict(state, strict=False)
        except RuntimeError as e:
            raise RuntimeError(f"Weights in {self.path} don't fit its description: {e}") from e

    def _build(self, prefix: str, entry: dict[str, Any]) -> BaseModel:
        fields = {key: value for key, value in entry.items() if key not in _PRIVATE}
        fields["model_type"] = entry.get("_tasks") or []
        try:
            with without_initialisation():
                model: BaseModel = create_model(entry["_model"], **fields)
        except ValueError as e:
            raise ValueError(f"entry {prefix!r} in kraken_meta of {self.path}: {e}") from e
        return model

    def _state(self, prefix: str, model: BaseModel) -> tuple[dict[str, Tensor], list[str], set[str]]:
        """Weights of a model, names of missing ones, and names of the file's tensors they come from."""
        expected: dict[str, Tensor] = model.state_dict()
        tied: dict[tuple[Any, ...], list[str]] = {}
        for key, tensor in expected.items():
            if tensor.numel():
                tied.setdefault((tensor.data_ptr(), tensor.shape, tensor.stride()), []).append(key)
        siblings = {key: keys for keys in tied.values() for key in keys}
        state, missing, taken = {}, [], set()
        for key in expected:
            full = f"{prefix}.{key}"
            candidates = [
                full,
                self.texts.get(full),
                *(f"{prefix}.{other}" for other in siblings.get(key, ())),
            ]
            source = next((name for name in candidates if name in self.names), None)
            if source is None:
                missing.append(full)
                continue
            taken.add(source)
            state[key] = self.file.get_tensor(source)
        return state, missing, taken


def installed_version() -> str:
    """Version of the engine that models are compared with."""
    try:
        return metadata.version("kraken")
    except metadata.PackageNotFoundError:
        return COMPATIBILITY


def _release(version: str) -> tuple[int, ...] | None:
    """Numbers of a version without trailing zeros, None if it is none."""
    match = re.match(r"v?(\d{1,9}(?:\.\d{1,9})*)", version)
    if match is None:
        return None
    numbers = [int(x) for x in match[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
