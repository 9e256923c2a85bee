"""Class mappings in experiment files, and options that say which types of lines and regions are learnt."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from kraken.configs.base import _Counter

__all__ = [
    "ClassMappingParam",
    "ClassSelection",
    "class_mapping_option",
    "class_selection_options",
    "drop_unset_mappings",
    "select_classes",
]


logger = logging.getLogger("kraken")

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


class ClassSelection(defaultdict[str, int]):
    """A class mapping that grows by what options allow.

    Args:
        counter: Gives the next class.
        valid: Types to learn; all if there are none.
        merges: Type → type that it counts as. ``*`` stands for all types that have no entry and are not
            what others count as. Types that others count as needn't be in `valid`.
    """

    def __init__(self, counter: _Counter, valid: Iterable[str] = (), merges: Mapping[str, str] | None = None):
        super().__init__(counter)
        self.valid = frozenset(valid)
        self.merges = dict(merges or {})
        self._targets = frozenset(self.merges.values())

    def __missing__(self, name: str) -> int:
        """The class of a type that is met for the first time.

        Raises:
            KeyError: It isn't to be learnt.
        """
        target = name if name in self._targets else self.merges.get(name, self.merges.get("*", name))
        if self.valid and name not in self.valid and target not in self.valid and name not in self._targets:
            raise KeyError(name)
        if target != name:
            self[name] = self[target]
        else:
            assert self.default_factory is not None  # set by the constructor
            self[name] = self.default_factory()
        return self[name]


class MergeParam(click.ParamType):  # type: ignore[type-arg]
    """``TARGET=SOURCE``: types SOURCE count as TARGET."""

    name = "target=source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The pair (target, source)."""
        if isinstance(value, tuple):
            return value
        target, separator, source = str(value).partition("=")
        if not (target and separator and source):
            self.fail(f"{value!r} isn't of the form TARGET=SOURCE", param, ctx)
        return target, source


#: what is chosen → parameter of the mapping
_SELECTABLE = {"baselines": "line_class_mapping", "regions": "region_class_mapping"}


def class_selection_options(command: Command) -> Command:
    """Options that filter, merge and suppress types of lines and regions."""
    for kind in reversed(_SELECTABLE):
        command = click.option(
            f"--suppress-{kind}/--no-suppress-{kind}",
            default=False,
            show_default=True,
            help=f"Learn no {kind} at all.",
        )(command)
        command = click.option(
            f"--merge-{kind}",
            type=MergeParam(),
            multiple=True,
            help=f"Let {kind} of type SOURCE count as TARGET; * is every other type. Repeatable.",
        )(command)
        command = click.option(
            f"--valid-{kind}",
            multiple=True,
            metavar="TYPE",
            help=f"Learn {kind} of this type only. Repeatable; default: all types.",
        )(command)
    return command


def select_classes(ctx: click.Context, options: dict[str, Any]) -> None:
    """Replaces the options of :func:`class_selection_options` by class mappings.

    Raises:
        click.UsageError: They contradict each other, or a class mapping of the experiment file.
    """
    counter, asked = _Counter(2), []
    mappings: dict[str, dict[str, int]] = {}
    for kind, parameter in _SELECTABLE.items():
        valid, merges, suppressed = (
            options.pop(f"valid_{kind}"),
            options.pop(f"merge_{kind}"),
            options.pop(f"suppress_{kind}"),
        )
        given = [
            f"--{what}-{kind}"
            for what, value in (("valid", valid), ("merge", merges), ("suppress", suppressed))
            if value
        ]
        asked += given
        if given and options.get(parameter) is not None:
            raise click.UsageError(
                f"{' and '.join(given)} and {parameter} of the experiment file are mutually exclusive.", ctx
            )
        if suppressed and len(given) > 1:
            raise click.UsageError(f"{' and '.join(given)} are mutually exclusive.", ctx)
        sources = [source for _, source in merges]
        if twice := sorted({source for source in sources if sources.count(source) > 1}):
            raise click.UsageError(f"--merge-{kind} names {', '.join(twice)} more than once.", ctx)
        if chained := sorted({target for target, _ in merges} & set(sources)):
            raise click.UsageError(
                f"--merge-{kind}: {', '.join(chained)} can't be merged and be merged into.", ctx
            )
        found = {source: target for target, source in merges}
        mappings[parameter] = {} if suppressed else ClassSelection(counter, valid, found)
    if not asked:
        return
    if options.get("resume"):
        logger.warning("Resuming with the checkpoint's classes: %s ignored.", ", ".join(asked))
        return
    if all(type(mapping) is dict for mapping in mappings.values()):
        raise click.UsageError(f"{' and '.join(asked)} leave nothing to learn.", ctx)
    for parameter, mapping in mappings.items():
        if options.get(parameter) is None:
            options[parameter] = mapping


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
