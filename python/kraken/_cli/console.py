"""What the command says: on stderr only, so that output named ``-`` or piped stays clean."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

logger = logging.getLogger("kraken")

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _StderrHandler(logging.Handler):
    """Writes through click, which follows a test's or caller's replacement of ``sys.stderr``."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def set_up_logging(verbosity: int) -> None:
    """Sends the log to stderr; calling it again replaces the handler instead of adding one."""
    for handler in list(logger.handlers):
        if isinstance(handler, _StderrHandler):
            logger.removeHandler(handler)
    handler = _StderrHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[min(verbosity, len(_LEVELS) - 1)])
    logging.captureWarnings(True)
    warnings_logger = logging.getLogger("py.warnings")
    warnings_logger.handlers = [handler]
    warnings_logger.propagate = False


class Progress:
    """Progress of pages and of the lines of one page.

    Without a terminal every call does nothing.
    """

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar
        self._pages: Any = None
        self._lines: Any = None

    def start_pages(self, total: int) -> None:
        """Announces the number of pages; a single one has no bar of its own."""
        if self._bar is not None and total > 1:
            self._pages = self._bar.add_task("Pages", total=total)

    def page_done(self) -> None:
        """Counts a page, whatever became of it."""
        if self._bar is not None and self._pages is not None:
            self._bar.advance(self._pages)

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Progress]:
        """Shows a step on one page; ``total`` is its number of lines if known."""
        if self._bar is None:
            yield self
            return
        self._lines = self._bar.add_task(label, total=total)
        try:
            yield self
        finally:
            self._bar.remove_task(self._lines)
            self._lines = None

    def advance(self, count: int = 1, total: int | None = None) -> None:
        """Counts lines (or what the step is made of); ``total`` is their number if it wasn't known."""
        if self._bar is not None and self._lines is not None:
            if total:
                self._bar.update(self._lines, total=total)
            self._bar.advance(self._lines, count)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """Progress bars on stderr if that is a terminal, silence otherwise or if it is asked for."""
    if quiet or not sys.stderr.isatty():
        yield Progress()
        return
    # rich takes a noticeable part of the start-up time of short commands.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Progress(bar)
