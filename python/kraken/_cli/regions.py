"""Regions that come with the pages (``segment --regions-from``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from kraken._cli.errors import CommandError
from kraken.containers import Region, Segmentation
from kraken.lib.exceptions import KrakenInputException

#: What files of regions may be called beside ``PAGE.xml``.
_SUFFIXES = (".xml", ".json", ".alto.xml", ".page.xml")


@dataclass(frozen=True)
class RegionSource:
    """A file with the regions of every page, or a folder with a file per page.

    Args:
        path: The file or folder.
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> RegionSource:
        """Looks whether the file or folder exists.

        Raises:
            CommandError: If not.
        """
        if not path.exists():
            raise CommandError(f"--regions-from {path}: there is no such file or folder.")
        return cls(path)

    def of(self, page: Path) -> dict[str, list[Region]]:
        """Regions of a page by type.

        Raises:
            KrakenInputException: If there is no file for the page, or it can't be read or has no regions.
        """
        file = self.path if self.path.is_file() else self._file_of(page)
        regions = {name: group for name, group in read_regions(file).items() if group}
        if not regions:
            raise KrakenInputException(f"{file} has no regions, so no line could lie in one")
        return regions

    def _file_of(self, page: Path) -> Path:
        names = [f"{stem}{suffix}" for stem in (page.stem, page.name) for suffix in _SUFFIXES]
        for name in names:
            if (self.path / name).is_file():
                return self.path / name
        raise KrakenInputException(
            f"{self.path} holds no regions of {page.name}: put a file {names[0]} or {names[1]} there"
        )


def read_regions(file: Path) -> dict[str, list[Region]]:
    """Regions of an ALTO, PAGE or native JSON file.

    Raises:
        KrakenInputException: If it is none of these.
    """
    try:
        if file.suffix == ".json":
            with file.open(encoding="utf-8") as text:
                return Segmentation(**json.load(text)).regions or {}
        # Parsing XML takes lxml, which other segmentation doesn't need.
        from kraken.lib.xml import XMLPage

        return XMLPage(file).to_container().regions or {}
    except (OSError, TypeError, ValueError) as error:
        raise KrakenInputException(f"the regions in {file} can't be read: {error}") from error
