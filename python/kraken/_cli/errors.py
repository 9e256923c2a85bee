"""Failures: one line each, a summary last, and the exit codes (spec chapter cli-kraken §6)."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import click

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class CommandError(click.ClickException):
    """Something about the command line, a model or a device that no page could be processed with.

    Shown as one line, without click's lines on usage, so that the cause isn't buried.
    """

    exit_code = 2


def one_line(error: BaseException) -> str:
    """Type and message of an exception without line breaks."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


@dataclass
class Failures:
    """The inputs that failed, in order."""

    total: int
    verbose: bool = False
    lines: list[str] = field(default_factory=list)

    def add(self, source: str, step: str, error: Exception) -> None:
        """Reports a failed input at once."""
        line = f"{source}: {step}: {one_line(error)}"
        self.lines.append(line)
        click.echo(f"Error: {line}", err=True)
        if self.verbose:
            click.echo("".join(traceback.format_exception(error)), err=True, nl=False)

    def finish(self) -> int:
        """Prints the summary and returns the exit code."""
        if not self.lines:
            return 0
        if self.total > 1:
            click.echo(f"{len(self.lines)} of {self.total} inputs failed:", err=True)
            for line in self.lines:
                click.echo(f"  {line}", err=True)
        return EXIT_FAILED


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(EXIT_TERMINATED)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turns SIGTERM and Ctrl-C into an orderly exit, so that no temporary file stays behind."""
    try:
        previous = signal.signal(signal.SIGTERM, _terminate)
    except ValueError:  # not in the main thread: the caller handles signals
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        raise SystemExit(EXIT_INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
