"""Fields of the configuration classes: defaults, keywords, and keywords that don't exist."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

# below `kraken` whatever the module's name: the message is for users
logger = logging.getLogger("kraken.configs")

_Class = TypeVar("_Class")
_ROOTS: list[type] = []


def declared(cls: type) -> Iterator[tuple[str, Any]]:
    """Fields of a class and their defaults, most derived class first."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in base.__dict__.get("_defaults", {}).items():
            if name not in seen:
                seen.add(name)
                yield name, value


def extensions(cls: type) -> set[str]:
    """Names of options that go beyond the fields that other engines' checkpoints have.

    Their defaults are attributes of the class: an instance has one only where it differs, so that
    configurations that don't use them stay as other engines write them.
    """
    return {name for base in cls.__mro__ for name in base.__dict__.get("_extensions", ())}


def _defaults_of(obj: Any) -> dict[str, Any]:
    """Default values of an instance's fields, mutable ones made afresh."""
    defaults = dict(declared(type(obj)))
    for base in reversed(type(obj).__mro__):
        fresh = base.__dict__.get("_fresh")
        if fresh is not None:
            defaults.update(fresh.__func__())
    return defaults


def fill(obj: Any, given: dict[str, Any]) -> None:
    """Set the fields of a configuration from keywords and defaults."""
    defaults = _defaults_of(obj)
    for name, default in defaults.items():
        setattr(obj, name, given.get(name, default))
    for name in sorted(extensions(type(obj)) & given.keys()):
        if given[name] != getattr(type(obj), name):
            setattr(obj, name, given[name])
    known = {*defaults, *extensions(type(obj)), "compile"}
    if unknown := [name for name in given if name not in known]:
        _report_unknown(type(obj), unknown, [*defaults, *extensions(type(obj))])


def restore(obj: Any, state: dict[str, Any]) -> None:
    """Set the fields of an unpickled configuration; what an older version didn't know gets its default."""
    obj.__dict__.update(_defaults_of(obj))
    obj.__dict__.update(state)


def root(cls: type[_Class]) -> type[_Class]:
    """Registers a class (and thereby its descendants) as one whose fields no class takes for mistakes."""
    _ROOTS.append(cls)
    return cls


def _report_unknown(cls: type, unknown: Sequence[str], fields: list[str]) -> None:
    known = set[str]().union(*map(_all_fields, _ROOTS))
    for name in unknown:
        close = get_close_matches(name, [*fields, "compile"], n=1, cutoff=0.8)
        # fields of other classes are no mistakes: one dictionary often feeds several classes
        if close and name not in known:
            logger.warning("%s has no field %r; did you mean %r?", cls.__name__, name, close[0])
        else:
            logger.debug("%s has no field %r.", cls.__name__, name)


def _all_fields(cls: type) -> set[str]:
    """Names of the fields of a class and all its descendants."""
    own = {*cls.__dict__.get("_defaults", ()), *cls.__dict__.get("_extensions", ())}
    children: list[type] = cls.__subclasses__()
    return own.union(*(_all_fields(child) for child in children))
