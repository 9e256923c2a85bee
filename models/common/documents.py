"""Which documents are for training and which for validation (``documents.tsv``)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["files", "is_validation"]


@functools.cache
def _rules() -> dict[str, re.Pattern[str]]:
    rows = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    parts = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return {name: re.compile(pattern) for name, pattern, _ in parts}


def is_validation(name: str, path: str) -> bool:
    """Says whether the file `path` of set `name` belongs to a validation document."""
    rule = _rules().get(name)
    return bool(rule and rule.fullmatch(path))


def files(folder: Path, pattern: str, *, validation: bool) -> Iterator[tuple[str, Path]]:
    """Yields (set, file) for the files of one part, sorted.

    Args:
        folder: Folder of sets.
        pattern: Which files, such as ``*.xml``.
        validation: The validation part, else the training part.
    """
    for path in sorted(folder.rglob(pattern)):
        name, _, rest = path.relative_to(folder).as_posix().partition("/")
        if is_validation(name, rest) == validation:
            yield name, path
