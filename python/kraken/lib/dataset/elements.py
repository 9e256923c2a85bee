"""What data sets of lines and regions have in common: types of elements and classes of types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULT_TYPE", "canonical", "element_type", "index_of", "merged", "region_type"]

#: type of elements that have none
DEFAULT_TYPE = "default"


def element_type(element: Any) -> str:
    """First type in the tags of a line or region."""
    types = (getattr(element, "tags", None) or {}).get("type")
    if isinstance(types, str):
        return types or DEFAULT_TYPE
    if types and isinstance(types[0], Mapping):
        return str(types[0].get("type") or DEFAULT_TYPE)
    return DEFAULT_TYPE


def region_type(region: Any, kind: str) -> str:
    """Type of a region: that of its tags, else the one it is listed under."""
    return element_type(region) if (getattr(region, "tags", None) or {}).get("type") else kind


def index_of(mapping: Any, name: str) -> int | None:
    """Class of a type; a mapping with a default factory grows, None if it is unknown."""
    try:
        index: int = mapping[name]
    except KeyError:
        return None
    return index


def canonical(mapping: Mapping[str, int]) -> dict[str, int]:
    """First name of each class."""
    found: dict[int, str] = {}
    for name, index in mapping.items():
        found.setdefault(index, name)
    return {name: index for index, name in found.items()}


def merged(mapping: Mapping[str, int]) -> dict[str, list[str]]:
    """Further names of classes that have several, by their first."""
    found: dict[int, list[str]] = {}
    for name, index in mapping.items():
        found.setdefault(index, []).append(name)
    return {names[0]: names[1:] for names in found.values() if len(names) > 1}
