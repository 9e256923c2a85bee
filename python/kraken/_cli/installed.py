"""What is known about the model files on this machine, from their headers alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kraken._cli.model_search import search_folders
from kraken.models.bundled import BundledModel, bundled_models

_SUFFIXES = (".mlmodel", ".safetensors")
#: Scripts of signs that many scripts share.
_SHARED = ("Common", "Inherited", "Unknown")
#: Header of a model card, as the repository has them.
_LICENCE = re.compile(r"^licen[cs]e:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_LARGEST_HEADER = 100_000_000


@dataclass(frozen=True)
class InstalledModel:
    """A model file; what it doesn't state is empty.

    Attributes:
        name: Name to give to ``-i`` and ``-m``.
        tasks: What its models are for.
        script: Script and size of the alphabet.
        licence: Licence of the weights.
        size: Bytes.
        path: The file.
    """

    name: str
    tasks: frozenset[str]
    script: str
    licence: str
    size: int
    path: Path


def installed_models() -> list[InstalledModel]:
    """The bundled models, and those in the folders that are searched."""
    return [*map(_bundled, bundled_models()), *_found()]


def _bundled(model: BundledModel) -> InstalledModel:
    alphabet = _alphabet(_entries(model.path))
    script = f"{model.script}; {alphabet}" if alphabet else model.script
    size = model.path.stat().st_size
    return InstalledModel(model.name, frozenset({model.task}), script, model.licence, size, model.path)


def _found() -> Iterator[InstalledModel]:
    for folder in search_folders():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.suffix in _SUFFIXES and path.is_file():
                entries = _entries(path)
                tasks = frozenset(str(task) for entry in entries for task in entry.get("_tasks") or ())
                size = path.stat().st_size
                yield InstalledModel(
                    path.name, tasks, _alphabet(entries), _licence(entries, path), size, path
                )


def _entries(path: Path) -> list[Mapping[str, Any]]:
    """Metadata of the models in a file; none if it is damaged."""
    try:
        found = _coreml(path) if path.suffix == ".mlmodel" else _safetensors(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError):
        return []
    return [entry for entry in found if isinstance(entry, Mapping)]


def _safetensors(path: Path) -> Iterable[Any]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            return ()
        header = json.loads(file.read(length))
    values: Iterable[Any] = json.loads(header["__metadata__"]["kraken_meta"]).values()
    return values


def _coreml(path: Path) -> Iterable[Any]:
    # Takes torch: only for those who have such files.
    from kraken.models.coreml.reader import read_file

    texts = read_file(path).texts
    entry = json.loads(texts.get("kraken_meta", "{}"))
    codec = entry.get("codec") or json.loads(texts.get("codec", "null"))
    types = entry.get("model_type")
    tasks = [types] if isinstance(types, str) else list(types or ())
    if not tasks and codec:
        tasks = ["recognition"]
    return ({**entry, "codec": codec, "_tasks": tasks},)


def _alphabet(entries: Iterable[Mapping[str, Any]]) -> str:
    """Scripts of the codecs' characters, the most frequent first, and how many characters there are."""
    codecs = [entry["codec"] for entry in entries if isinstance(entry.get("codec"), Mapping)]
    characters = {char for codec in codecs for text in codec for char in str(text)}
    if not characters:
        return ""
    # Takes the table of scripts.
    from kraken.lib.dataset.metrics import script_of

    counts = Counter(script_of(char) for char in characters)
    scripts = [name for name, _ in counts.most_common() if name not in _SHARED]
    return f"{', '.join(scripts) or 'signs'} ({len(characters)} characters)"


def _licence(entries: Iterable[Mapping[str, Any]], path: Path) -> str:
    """The licence that a file or the model card beside it states."""
    for entry in entries:
        for key in ("license", "licence"):
            if isinstance(entry.get(key), str):
                return str(entry[key])
    for card in (path.with_suffix(".md"), path.parent / "README.md"):
        try:
            found = _LICENCE.search(card.read_text(encoding="utf-8")[:10_000])
        except (OSError, ValueError):
            continue
        if found:
            return found[1]
    return ""
