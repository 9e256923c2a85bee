"""Class mappings in experiment files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

__all__ = ["ClassMappingParam", "class_mapping_option", "drop_unset_mappings"]


Command = TypeVar("Command", bound=Callable[..., Any])


class _Constant:
    """Gives the same number to every new name."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __call__(self) -> int:
        return self.value


class ClassMappingParam(click.ParamType):  # type: ignore[type-arg]
    """Pairs of a name and an index; a name with ``*`` gives the index of every type that isn't listed."""

    name = "mapping"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The mapping, None for a text on the command line."""
        if isinstance(value, Mapping):
            pairs = list(value.items())
        elif isinstance(value, list | tuple):
            pairs = list(value)
        else:
            self.fail("a list of [name, index] pairs in an experiment file is needed", param, ctx)
        found: dict[str, int] = {}
        rest: int | None = None
        for pair in pairs:
            if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[1], int):
                self.fail(f"{pair!r} isn't a pair of a name and a whole number", param, ctx)
            if "*" in str(pair[0]):
                rest = int(pair[1])
            else:
                found[str(pair[0])] = int(pair[1])
        return found if rest is None else defaultdict(_Constant(rest), found)


def class_mapping_option(name: str) -> Callable[[Command], Command]:
    """Hidden option that experiment files set."""
    return click.option(
        f"--{name.replace('_', '-')}", name, type=ClassMappingParam(), default=None, hidden=True
    )


def drop_unset_mappings(options: dict[str, Any]) -> None:
    """Leaves the configurations' own mappings where an experiment file sets none."""
    for name in ("line_class_mapping", "region_class_mapping", "class_mapping"):
        if name in options and options[name] is None:
            del options[name]
