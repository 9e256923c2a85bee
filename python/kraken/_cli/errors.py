"""Failures: one line each, a summary last, and the exit codes (spec chapter cli-kraken §6)."""

from __future__ import annotations

import json
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

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
    """The inputs that failed, in order, and for a summary in JSON the others, too."""

    total: int
    verbose: bool = False
    as_json: bool = False
    lines: list[str] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)

    def succeeded(self, source: str, outputs: Sequence[Path]) -> None:
        """Counts an input that was done."""
        self.results.append({"input": source, "outputs": [str(path) for path in outputs], "error": None})

    def add(self, source: str, step: str, error: Exception) -> None:
        """Reports a failed input at once."""
        line = f"{source}: {step}: {one_line(error)}"
        self.lines.append(line)
        cause = {"step": step, "type": type(error).__name__, "message": " ".join(str(error).split())}
        self.results.append({"input": source, "outputs": [], "error": cause})
        click.echo(f"Error: {line}", err=True)
        if self.verbose:
            click.echo("".join(traceback.format_exception(error)), err=True, nl=False)

    def finish(self) -> int:
        """Prints the summary and returns the exit code."""
        if self.as_json:
            click.echo(json.dumps(self._counted()))
        if not self.lines:
            return 0
        if self.total > 1:
            click.echo(f"{len(self.lines)} of {self.total} inputs failed:", err=True)
            for line in self.lines:
                click.echo(f"  {line}", err=True)
        return EXIT_FAILED

    def _counted(self) -> dict[str, Any]:
        failed = len(self.lines)
        return {
            "inputs": self.total,
            "succeeded": len(self.results) - failed,
            "failed": failed,
            "skipped": self.total - len(self.results),
            "results": self.results,
        }


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
