"""What the scripts share: their arguments, a line for each file, and exit codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kraken._cli.console import set_up_logging
from kraken._cli.documents import Document, LineType, read_document
from kraken._cli.errors import CommandError, Failures, interruptible
from kraken._cli.files import find_files
from kraken._cli.model_search import find_model, load_task

#: Kinds of documents, as the commands name them.
document_formats = ("xml", "alto", "page")

files_argument = click.argument("files", nargs=-1, type=click.Path(), metavar="FILES...")


def model_option(text: str, required: bool = False) -> Callable[..., Any]:
    """The option ``-i/--model``."""
    return click.option("-i", "--model", "model_name", required=required, metavar="MODEL", help=text)


def run_files(files: Sequence[str], stage: str, work: Callable[[Path], Sequence[Path]]) -> None:
    """Does some work on each file, says what came of it, and ends the script.

    Args:
        files: Names or patterns.
        stage: What is done, for messages.
        work: Does it for one file and returns what it wrote.

    Raises:
        CommandError: No file was named, or one doesn't exist.
    """
    if not files:
        raise CommandError("No input: name files.")
    set_up_logging(0)
    sources = find_files(files, stage)
    failures = Failures(len(sources))
    with interruptible():
        for source in sources:
            try:
                outputs = work(source)
            except Exception as error:  # costs this file only
                failures.add(str(source), stage, error)
            else:
                click.echo(f"{source}: {', '.join(map(str, outputs)) or 'nothing to write'}")
    click.get_current_context().exit(failures.finish())


def load_model(name: str, loader: Callable[[Path], Any], needed: str) -> Any:
    """Finds and loads a model.

    Raises:
        CommandError: There is none, or it isn't for what is needed.
    """
    path = find_model(name)
    if path is None:
        raise CommandError(f"No model for {name} found: name a file, or one that `kraken get` fetched.")
    return load_task(loader, path, needed)


def open_document(source: Path, kind: str = "xml", linetype: LineType | None = None) -> Document:
    """Reads a document that is to be of a kind.

    Raises:
        ValueError: It is of another kind, or damaged.
    """
    document = read_document(source, linetype)
    if kind != "xml" and document.kind != kind:
        raise ValueError(f"it isn't of the format that -f names, {kind}, but {document.kind}")
    return document


def slug(text: str) -> str:
    """A text as part of a file's name."""
    plain = unicodedata.normalize("NFKD", text)
    words = re.sub(r"[^\w\s-]", "", plain).strip().lower()
    return re.sub(r"[-\s]+", "-", words) or "unnamed"
