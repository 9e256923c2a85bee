"""Jinja2 environments: one for the native templates, a sandboxed one for each folder of custom ones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

from kraken.serialization import geometry, rows

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

_OPTIONS: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}


def rescale(values: Iterable[float], low: float, high: float) -> list[float]:
    """Map fractions linearly to the range from ``low`` to ``high``."""
    return [(high - low) * value + low for value in values]


def _equip(environment: Environment) -> Environment:
    environment.tests["whitespace"] = str.isspace
    environment.filters["rescale"] = rescale
    for function in (geometry.confidence, rows.segments, rows.flat_cuts):
        environment.filters[function.__name__] = function
    return environment


@cache
def _native_loader() -> BaseLoader:
    return FileSystemLoader(TEMPLATES)


@cache
def native() -> Environment:
    """Environment of the package's own templates; compiled templates stay for the life of the process."""
    return _equip(Environment(loader=_native_loader(), auto_reload=False, **_OPTIONS))


@lru_cache(maxsize=16)
def custom(folder: Path) -> Environment:
    """Sandboxed environment for the templates of one folder, which can also include the native ones.

    Args:
        folder: Where names of included templates are looked up first.
    """
    loader = ChoiceLoader([FileSystemLoader(folder), _native_loader()])
    return _equip(SandboxedEnvironment(loader=loader, **_OPTIONS))
