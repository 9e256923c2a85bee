"""Groups of subcommands that are imported when they are used."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from kraken._cli.plugin_search import are_installed

__all__ = ["LazyGroup"]

logger = logging.getLogger("kraken")


class LazyGroup(click.Group):
    """A group of built-in subcommands and those that installed plug-ins add.

    Listing the subcommands imports none of them.

    Args:
        table: Name → (``module:attribute``, line in the help).
        entry_points: Entry-point group in which plug-ins register further commands.
    """

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, tuple[str, str]],
        entry_points: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.table = dict(table)
        self.entry_points = entry_points

    def places(self) -> dict[str, str]:
        """Where each subcommand is defined; built-in ones can't be replaced."""
        found = {name: place for name, (place, _) in self.table.items()}
        # Plug-ins are rare, and reading the metadata of all packages takes longer than the rest of `--help`.
        if are_installed(self.entry_points):
            from kraken.registry import registry

            for name, place in registry.entries(self.entry_points).items():
                found.setdefault(name, place)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the subcommands that exist."""
        return sorted(
            name for name, place in self.places().items() if name not in self.table or _exists(place)
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a subcommand; what a plug-in gets wrong is reported, not raised."""
        place = self.places().get(cmd_name)
        if place is None or (cmd_name in self.table and not _exists(place)):
            return None
        module, _, attribute = place.partition(":")
        if cmd_name in self.table:
            command: click.Command = getattr(import_module(module), attribute)
            return command
        try:
            command = getattr(import_module(module), attribute)
        except Exception as error:
            # a plug-in's import can raise anything
            logger.warning("Command %s of a plug-in (%s) can't be imported: %s", cmd_name, place, error)
            return None
        if not isinstance(command, click.Command):
            logger.warning("Plug-in %s (%s) is a %s, not a command", cmd_name, place, type(command).__name__)
            return None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the subcommands; plug-ins' are shown with the place they come from."""
        places = self.places()
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, self.table[name][1] if name in self.table else f"(plug-in {places[name]})")
                    for name in self.list_commands(ctx)
                ]
            )


def _exists(place: str) -> bool:
    """Whether the module of a command is there; it isn't imported, its packages are."""
    module = place.partition(":")[0]
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
