"""Commands of other packages, from the entry-point group ``kraken.cli``.

Such a command returns a callable ``task(input=..., output=...)``, which reads one file and writes
another: it gets the input file, what the step before it found (JSON as ``kraken segment`` writes
it) or the binarised image, and may write an image, such a JSON file, or, as the last step, anything.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kraken._cli.console import Progress
from kraken._cli.pages import Page
from kraken.containers import Segmentation
from kraken.lib.exceptions import KrakenInputException


def as_step(name: str, command: click.Command) -> click.Command:
    """The command, its result being a step of the chain."""
    wrapped = copy.copy(command)
    wrapped.callback = _as_step(name, command.callback)
    return wrapped


def _as_step(name: str, callback: Callable[..., Any] | None) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        task = callback(*args, **options) if callback is not None else None
        return task if task is None or hasattr(task, "run") else PluginStep(name, task)

    return call


class PluginStep:
    """A step that another package does, file to file."""

    reads_lines = True

    def __init__(self, name: str, task: Callable[..., Any]) -> None:
        self.name = name
        self._task = task

    def run(self, page: Page, progress: Progress) -> None:
        """Hands the page's state over as a file and takes what comes back."""
        with (
            tempfile.TemporaryDirectory(prefix="kraken-") as folder,
            progress.step(f"{self.name} {page.source.name}"),
        ):
            source, target = self._input(page, Path(folder)), Path(folder) / "output"
            self._task(input=str(source), output=str(target))
            if not target.is_file():
                raise KrakenInputException(f"the command {self.name} wrote no output")
            self._take(page, target)
        page.record_step("processing", self.name, {})

    def _input(self, page: Page, folder: Path) -> Path:
        if page.segmentation is not None:
            path = folder / "input.json"
            named = dataclasses.replace(page.segmentation, imagename=str(page.image_path))
            path.write_text(json.dumps(dataclasses.asdict(named), default=str), encoding="utf-8")
        elif page.binarised or page.number is not None:
            path = folder / "input.png"
            page.image.save(path)
        else:
            path = page.image_path
        return path

    def _take(self, page: Page, target: Path) -> None:
        content = target.read_bytes()
        if content.lstrip()[:1] == b"{":
            try:
                page.segmentation = Segmentation(**json.loads(content))
                return
            except (TypeError, ValueError):
                pass  # JSON of another kind
        from kraken.lib.util import UnreadableImageError, open_image

        try:
            image = open_image(target)
        except UnreadableImageError:
            page.content = content
            return
        if image.size != page.image.size and page.segmentation is not None:
            raise KrakenInputException(
                f"the command {self.name} made an image of another size, on which the lines aren't any more"
            )
        page.image, page.binarised = image, True
