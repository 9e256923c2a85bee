"""The one file that all pages go to, besides those of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from kraken._cli.errors import CommandError
from kraken._cli.pages import Page, without_lines

if TYPE_CHECKING:
    from kraken.serialization import PdfDocument


class Collection:
    """Collects the pages of a PDF; without a file to write every call does nothing."""

    def __init__(self, target: Path | None) -> None:
        self._target = target
        self._pdf: PdfDocument | None = None

    def __enter__(self) -> Collection:
        if self._target is not None:
            # fpdf2 and fontTools take a while to load.
            from kraken.serialization import PdfDocument

            self._pdf = PdfDocument()
        return self

    def __exit__(self, *_: object) -> None:
        if self._pdf is not None:
            self._pdf.__exit__()

    def add(self, page: Page) -> None:
        """Adds a page that is done, with the image that its coordinates refer to."""
        if self._pdf is not None:
            segmentation = page.segmentation or without_lines(page.image_path)
            named = dataclasses.replace(segmentation, imagename=str(page.image_path))
            # Files are taken as they are if possible; one page of several and standard input aren't files.
            is_file = page.number is None and page.image_path.is_file()
            self._pdf.add(named, page.image_path if is_file else page.image)

    def write(self) -> None:
        """Writes the file.

        Raises:
            CommandError: If it can't be written.
        """
        if self._pdf is None or self._target is None:
            return
        try:
            self._pdf.write(self._target)
        except OSError as error:
            raise CommandError(f"{self._target} can't be written: {error.strerror or error}") from error
