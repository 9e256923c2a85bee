"""Fitting the classes of a loaded layout network to those of the data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

__all__ = ["ClassMismatch", "extend_mapping", "names_of", "replace_mapping", "resize_mode"]

Mappings = dict[str, dict[str, int]]

_CLASSES = ("baselines", "regions")
#: old names of ways to resize
_DEPRECATED = {"add": "union", "both": "new"}


class ClassMismatch(ValueError):
    """The classes of a loaded network and of the data differ."""


def resize_mode(resize: str) -> str:
    """A way to resize by its present name.

    Raises:
        ValueError: There is no such way.
    """
    if resize in _DEPRECATED:
        message = f"resize {resize!r} is deprecated: use {_DEPRECATED[resize]!r}."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        resize = _DEPRECATED[resize]
    if resize not in ("fail", "union", "new"):
        raise ValueError(f"invalid resize parameter value {resize}")
    return resize


def names_of(mapping: Mapping[str, Mapping[str, int]]) -> dict[str, set[str]]:
    """Names of lines and regions."""
    return {section: set(mapping.get(section) or ()) for section in _CLASSES}


def _append(old: Mappings, data: Mapping[str, Mapping[str, int]], first: int) -> int:
    """Adds the data's new names, lines first; names that the data merges stay one class."""
    for section in _CLASSES:
        known: dict[int, int] = {}
        for name, index in data[section].items():
            if name not in old[section]:
                if index not in known:
                    known[index] = first
                    first += 1
                old[section][name] = known[index]
    return first


def extend_mapping(model: Mapping[str, Any], data: Mapping[str, Any], outputs: int) -> tuple[Mappings, int]:
    """The model's classes and those of the data that it lacks.

    Args:
        model: The model's class mapping.
        data: The data's.
        outputs: Number of the model's channels.

    Returns:
        The mapping, and the number of channels.
    """
    found = {section: dict(classes) for section, classes in model.items()}
    count = _append(found, data, outputs)
    return found, count


def replace_mapping(
    model: Mapping[str, Any], data: Mapping[str, Any], outputs: int
) -> tuple[Mappings, int, list[int]]:
    """The data's classes; those that the model has keep their order, the others follow.

    A channel goes only when all of its names do.

    Args:
        model: The model's class mapping.
        data: The data's.
        outputs: Number of the model's channels.

    Returns:
        The mapping, the number of channels, and the old channels that go.
    """
    aux = dict(model["aux"])
    kept_names = {
        section: {n: i for n, i in model[section].items() if n in data[section]} for section in _CLASSES
    }
    kept = sorted({index for classes in kept_names.values() for index in classes.values()})
    removed = sorted(set(range(outputs)) - set(kept) - set(aux.values()))
    left = [index for index in range(outputs) if index not in removed]
    new_index = {old: new for new, old in enumerate(left)}
    found: Mappings = {"aux": aux}
    for section in _CLASSES:
        found[section] = {name: new_index[index] for name, index in kept_names[section].items()}
    count = _append(found, data, len(left))
    return found, count, removed
