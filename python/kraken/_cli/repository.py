"""``kraken list``, ``show`` and ``get``: models in the public repository and on this machine."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kraken._cli.console import progress
from kraken._cli.errors import EXIT_FAILED, interruptible
from kraken._cli.files import FileCommand
from kraken._cli.installed import installed_models
from kraken._cli.model_card import as_text, describe_file, read_card
from kraken._cli.model_search import find_model
from kraken._cli.options import Settings
from kraken.lib.exceptions import KrakenRepoException

_offline = click.option(
    "--offline", is_flag=True, help="Don't use the network, only what was fetched before."
)


class _RepositoryError(click.ClickException):
    exit_code = EXIT_FAILED


def _asked(label: str, question: Callable[[Any], Any]) -> Any:
    """The answer of the repository; what goes wrong is one line.

    Args:
        label: For the progress bar.
        question: Takes a callback (total, advance).
    """
    with interruptible(), progress() as bars, bars.step(label) as bar:
        try:
            return question(lambda total, advance: bar.advance(advance, total))
        except (KrakenRepoException, OSError) as error:
            raise _RepositoryError(" ".join(str(error).split())) from error


def _matches(record: Any, kinds: Sequence[str], filters: dict[str, tuple[str, ...]]) -> bool:
    """Whether a record meets all filters, each by one of its values."""
    types = {kind.replace(" ", "_") for kind in record.model_type or ()}
    if kinds and not types.intersection(kinds):
        return False
    for name, wanted in filters.items():
        found = {str(value).casefold() for value in getattr(record, name, None) or ()}
        if wanted and not found.intersection(value.casefold() for value in wanted):
            return False
    return True


@click.command("list", cls=FileCommand)
@click.option("--all", "every", is_flag=True, help="Models for all tasks (default).")
@click.option(
    "--recognition", "kinds", multiple=True, flag_value="recognition", help="Models for recognition."
)
@click.option(
    "--segmentation", "kinds", multiple=True, flag_value="segmentation", help="Models for segmentation."
)
@click.option(
    "--reading-order", "kinds", multiple=True, flag_value="reading_order", help="Models for reading order."
)
@click.option("-l", "--language", multiple=True, help="For a language, by its ISO 639-3 code. Repeatable.")
@click.option("-s", "--script", multiple=True, help="For a script, by its ISO 15924 code. Repeatable.")
@click.option("-k", "--keyword", "keywords", multiple=True, help="With a keyword. Repeatable.")
@click.option(
    "--installed", is_flag=True, help="Models on this machine: bundled, fetched and in the data folders."
)
@_offline
@click.pass_context
def list_models(
    ctx: click.Context, /, every: bool, kinds: tuple[str, ...], installed: bool, offline: bool, **filters: Any
) -> None:
    """List models of the public repository, or those on this machine.

    Different filters have to be met all, of one that is repeated one value.
    """
    settings: Settings = ctx.obj
    kinds = () if every else kinds
    if installed:
        _list_installed(kinds, filters, settings.json_summary)
        return
    # Takes requests and a parser for XML.
    from kraken import repo

    listing = _asked("Fetching the listing", lambda advance: repo.get_listing(advance, offline=offline))
    groups = {
        concept: [r for r in records if repo.is_for_kraken(r) and _matches(r, kinds, filters)]
        for concept, records in repo.newest_first(listing).items()
    }
    groups = {concept: records for concept, records in groups.items() if records}
    if settings.json_summary:
        click.echo(
            json.dumps([_plain(record) for records in groups.values() for record in records], default=str)
        )
        return
    rows = []
    for concept, records in groups.items():
        rows.append((concept, "", "", ""))
        for record in records:
            types, keywords = ", ".join(record.model_type or ()), ", ".join(record.keywords or ())
            rows.append((f"└─ {record.doi}", record.summary or "", types, keywords))
    _print_table(("DOI", "Summary", "Type", "Keywords"), rows)


def _list_installed(kinds: tuple[str, ...], filters: dict[str, tuple[str, ...]], as_json: bool) -> None:
    if any(filters.values()):
        raise click.UsageError(
            "Files of models state no language, script or keyword: leave these filters out."
        )
    models = [
        model for model in installed_models() if not kinds or not model.tasks or model.tasks & set(kinds)
    ]
    if as_json:
        described = [
            {**dataclasses.asdict(model), "tasks": sorted(model.tasks), "path": str(model.path)}
            for model in models
        ]
        click.echo(json.dumps(described))
        return
    rows = [
        (m.name, ", ".join(sorted(m.tasks)), m.script, f"{m.size / 1e6:.1f} MB", m.licence, str(m.path))
        for m in models
    ]
    _print_table(("Model", "Type", "For", "Size", "Licence", "Path"), rows)


def _plain(record: Any) -> dict[str, Any]:
    return dataclasses.asdict(record)


def _print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on a terminal; elsewhere values between tabs, without headings."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    # A noticeable part of the start-up time.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        # Text keeps brackets, which would be markup otherwise.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


@click.command("show", cls=FileCommand)
@click.argument("model_id")
@click.option(
    "-V",
    "--metadata-version",
    "version",
    type=click.Choice(("v0", "v1", "highest")),
    default="highest",
    show_default=True,
    help="Version of the metadata.",
)
@_offline
@click.pass_context
def show(ctx: click.Context, /, model_id: str, version: Any, offline: bool) -> None:
    """Show a model on this machine, or the record of one in the public repository.

    MODEL_ID is a name that `kraken list --installed` shows, a file, or a DOI.
    """
    settings: Settings = ctx.obj
    path = find_model(model_id)
    if path is not None:
        _show_installed(model_id, path, settings.json_summary)
        return
    from kraken import repo

    record = _asked(
        "Fetching the record",
        lambda _: repo.get_description(
            model_id, version=None if version == "highest" else version, offline=offline
        ),
    )
    if not repo.is_for_kraken(record):
        raise _RepositoryError(f"{model_id} isn't a model for kraken: see `kraken list` for those that are.")
    if settings.json_summary:
        click.echo(json.dumps(_plain(record), default=str))
        return
    rows = [(heading, text) for heading, text in _described(record) if text]
    width = max(len(heading) for heading, _ in rows)
    for heading, text in rows:
        first, *rest = text.splitlines() or [""]
        click.echo(f"{heading:<{width}}  {first}")
        for line in rest:
            click.echo(f"{'':<{width}}  {line}")


def _show_installed(name: str, path: Path, as_json: bool) -> None:
    facts, card = describe_file(path), read_card(name)
    if as_json:
        click.echo(json.dumps({**facts, "card": card}))
        return
    click.echo("\n\n".join(filter(None, (card, as_text(facts)))))


def _described(record: Any) -> list[tuple[str, str]]:
    from kraken.lib.util import is_printable, make_printable

    def listed(name: str) -> str:
        return ", ".join(map(str, getattr(record, name, None) or ()))

    graphemes = getattr(record, "graphemes", None) or ()
    plain = "".join(sorted(g for g in graphemes if all(map(is_printable, g))))
    names = sorted(", ".join(map(make_printable, g)) for g in graphemes if not all(map(is_printable, g)))
    metrics = getattr(record, "metrics", None) or {}
    return [
        ("title", record.summary or ""),
        ("DOI", record.doi),
        ("concept DOI", record.concept_doi or ""),
        ("date", record.publication_date.isoformat()),
        ("model type", listed("model_type")),
        ("language", listed("language")),
        ("script", listed("script")),
        ("alphabet", "\n".join(filter(None, [plain, ", ".join(names)]))),
        ("keywords", listed("keywords")),
        ("data sets", "\n".join(getattr(record, "datasets", None) or ())),
        ("metrics", "\n".join(f"{name}: {value:.2f}" for name, value in metrics.items())),
        ("base model", "\n".join(getattr(record, "base_model", None) or ())),
        ("software", getattr(record, "software_name", None) or "kraken"),
        ("hints", "\n".join(getattr(record, "software_hints", None) or ())),
        ("licence", record.license or ""),
        ("creators", "\n".join(map(_creator, record.creators or ()))),
        ("description", (record.description or "").strip()),
    ]


def _creator(creator: dict[str, Any]) -> str:
    parts = [creator.get("orcid"), creator.get("affiliation")]
    return str(creator.get("name", "")) + "".join(f" ({part})" for part in parts if part)


@click.command("get", cls=FileCommand)
@click.argument("model_id")
@_offline
@click.pass_context
def get(ctx: click.Context, /, model_id: str, offline: bool) -> None:
    """Fetch a model from the public repository, unless it is there."""
    settings: Settings = ctx.obj
    from kraken import repo

    folder: Path = _asked(
        "Fetching", lambda advance: repo.get_model(model_id, callback=advance, offline=offline)
    )
    files = sorted(file.name for file in folder.iterdir() if file.suffix in (".mlmodel", ".safetensors"))
    if settings.json_summary:
        click.echo(json.dumps({"folder": str(folder), "models": files}))
        return
    click.echo(f"Model directory: {folder}")
    click.echo(f"Model files: {', '.join(files)}")
