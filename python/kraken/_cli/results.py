"""Where ``kraken read`` puts its results: a file for each page, one for all, or standard output."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Protocol

import click

from kraken._cli.collection import Collection
from kraken._cli.errors import CommandError
from kraken._cli.inputs import Job, check_place, check_targets
from kraken._cli.options import Settings
from kraken._cli.pages import Page, as_json, render, result_of
from kraken.lib.atomic import write_text

#: Format -> template (None: not written by one) and the suffixes of its files, the first one for outputs.
FORMATS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "text": (None, (".txt",)),
    "json": (None, (".json", ".jsonl")),
    "alto": ("alto", (".xml",)),
    "page": ("pagexml", (".xml",)),
    "hocr": ("hocr", (".html", ".hocr", ".htm")),
    "abbyyxml": ("abbyyxml", (".xml",)),
    "pdf": (None, (".pdf",)),
}
_KNOWN = {suffix for _, suffixes in FORMATS.values() for suffix in suffixes}
STDOUT = Path("-")


class Results(Protocol):
    """Takes the pages one after the other."""

    def __enter__(self) -> Results: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def add(self, page: Page, job: Job) -> list[Path]:
        """Writes a page; returns its outputs."""

    def skip(self, job: Job) -> None:
        """Notes that a page failed."""

    def finish(self) -> None:
        """Writes what is for all pages, unless one failed."""


def choose_format(name: str | None, output: Path | None) -> str:
    """The format that was asked for, or that the name of the output stands for, or text.

    Raises:
        CommandError: They don't fit, or several formats have this suffix.
    """
    suffix = "" if output is None or output.is_dir() else output.suffix.lower()
    fit = [kind for kind, (_, suffixes) in FORMATS.items() if suffix in suffixes]
    if name is None:
        if len(fit) > 1:
            raise CommandError(f"{output} could be one of {', '.join(fit)}: choose with -f.")
        return fit[0] if fit else "text"
    if suffix in _KNOWN and name not in fit:
        raise CommandError(f"-o {output} isn't a name for -f {name}: name it *{FORMATS[name][1][0]}.")
    return name


def is_file_name(output: Path, kind: str) -> bool:
    """Whether an output is one file for all pages, not a folder."""
    return not output.is_dir() and output.suffix.lower() in FORMATS[kind][1]


def page_document(page: Page, kind: str, settings: Settings) -> str:
    """A page in any format but PDF."""
    template = FORMATS[kind][0]
    if kind == "json":
        return as_json(result_of(page))
    return render(page, dataclasses.replace(settings, output_format=template or "native"))


def check_pdf_package() -> None:
    """Finds out that PDF files can't be written here.

    Raises:
        CommandError: If so, with the cure.
    """
    if find_spec("fpdf") is None:
        raise CommandError("Writing PDF needs fpdf2: install it with `pip install 'kraken[pdf]'`.")


class SeparateFiles:
    """A file for each page, as its job says."""

    def __init__(self, kind: str, settings: Settings) -> None:
        self._kind = kind
        self._settings = settings

    def __enter__(self) -> SeparateFiles:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, page: Page, job: Job) -> list[Path]:
        """Writes the file of a page."""
        if self._kind == "pdf":
            with Collection(job.target) as collection:
                collection.add(page)
                collection.write()
        else:
            write_text(job.target, page_document(page, self._kind, self._settings))
        return [job.target]

    def skip(self, job: Job) -> None:
        """A failed page has no file."""

    def finish(self) -> None:
        """All files are written."""


class OneDocument:
    """All pages in one document: texts with form feeds between, a line of JSON for each, or a PDF.

    Text and JSON go to standard output as soon as a page is read, and a page that failed is an empty one
    there; files and PDF are written at the end, if no page failed.

    Args:
        kind: Format.
        target: The file, ``-`` for standard output.
        settings: Options of the command.
    """

    def __init__(self, kind: str, target: Path, settings: Settings) -> None:
        self._kind = kind
        self._target = target
        self._settings = settings
        self._separator = "\f" if kind == "text" else ""
        self._parts: list[str] = []
        self._count = 0
        self._failed = False
        self._open = ExitStack()
        self._collection: Collection | None = None

    def __enter__(self) -> OneDocument:
        if self._kind == "pdf":
            place = self._target
            if place == STDOUT:
                place = Path(self._open.enter_context(tempfile.TemporaryDirectory())) / "all.pdf"
            self._pdf = place
            self._collection = self._open.enter_context(Collection(place))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, page: Page, job: Job) -> list[Path]:
        """Adds a page."""
        if self._collection is not None:
            self._collection.add(page)
        else:
            self._put(f"{page_document(page, self._kind, self._settings)}\n")
        return [self._target]

    def skip(self, job: Job) -> None:
        """Keeps the place of a failed page."""
        self._failed = True
        self._put("")

    def _put(self, text: str) -> None:
        part = self._separator + text if self._count else text
        self._count += 1
        if self._target == STDOUT:
            click.echo(part, nl=False)
        else:
            self._parts.append(part)

    def finish(self) -> None:
        """Writes the file."""
        if self._target == STDOUT and self._collection is None:
            return
        if self._failed:
            what = "The PDF" if self._target == STDOUT else str(self._target)
            click.echo(f"{what} isn't written, since not all of its pages are there.", err=True)
        elif self._collection is None:
            write_text(self._target, "".join(self._parts))
        else:
            self._collection.write()
            if self._target == STDOUT:
                click.echo(self._pdf.read_bytes(), nl=False)


def check_document(kind: str, target: Path, jobs: Sequence[Job]) -> None:
    """Finds out that all pages can't become one document.

    Raises:
        CommandError: If so, with the cure.
    """
    if FORMATS[kind][0] is not None and len(jobs) > 1:
        raise CommandError(
            f"These are {len(jobs)} pages, and -f {kind} takes one: name a folder for their files with -o."
        )
    if target == STDOUT:
        if kind == "pdf" and sys.stdout.isatty():
            raise CommandError("A PDF isn't for terminals: name a file or folder with -o.")
        return
    check_place(target)
    for job in jobs:
        check_targets([dataclasses.replace(job, target=target)])
