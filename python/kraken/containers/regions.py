"""Regions of a page."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Region"]


@dataclass
class Region:
    """A part of a page, given by its outline.

    Attributes:
        id: Unique identifier.
        boundary: Points (x, y) of the outline, the first one repeated at the end.
        imagename: Path of the image that the region is on.
        tags: Lists of values by tag name.
        language: Language codes.
    """

    __module__ = "kraken.containers"

    id: str
    boundary: Sequence[Sequence[int]]
    imagename: str | os.PathLike[str] | None = None
    tags: dict[str, list[dict[str, str]]] | None = None
    language: list[str] | None = None
