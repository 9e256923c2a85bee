"""The typefaces of historical and modern print: which kinds there are, and the files of each found here.

The list is ``typefaces.tsv``; ``models/fonts.sh`` installs what it names. A machine without some of the files
draws with the rest.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .fonts import BUILT_IN, Face

__all__ = ["Typefaces"]

_ROOTS = (
    Path("/usr/share/fonts"),
    Path("/usr/share/texmf/fonts"),
    Path(__file__).resolve().parents[1] / "work" / "fonts",
)
_SUFFIXES = {".otf", ".ttf"}


@functools.cache
def _files() -> dict[str, Path]:
    """Every font file below the roots by its name without suffix, the first found."""
    found: dict[str, Path] = {}
    for root in _ROOTS:
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in _SUFFIXES:
                found.setdefault(path.stem, path)
    return found


def _table() -> Iterator[tuple[str, float, re.Pattern[str]]]:
    for line in Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, weight, pattern = line.split("\t")
            yield kind, float(weight), re.compile(pattern)


class Typefaces:
    """Faces by kind (roman, italic, fraktur, …), drawn at random by weight."""

    def __init__(self) -> None:
        self.faces: dict[str, list[Face]] = {}
        for kind, weight, pattern in _table():
            for name, path in _files().items():
                if pattern.fullmatch(name):
                    self.faces.setdefault(kind, []).append(Face(name, path, weight))
        if not self.faces:
            print("No typeface of typefaces.tsv is installed (see models/fonts.sh): Pillow's own is used.")
        # there on every machine, and what many figures and examples are drawn with
        self.faces.setdefault("sans", []).append(Face(BUILT_IN, None, 1.0))
        self._odds = {
            kind: np.cumsum([f.weight for f in found]) / sum(f.weight for f in found)
            for kind, found in self.faces.items()
        }

    def choose(self, rng: np.random.Generator, kind: str) -> Face:
        """A face of the kind, or a roman one where none of the kind is installed."""
        kind = kind if kind in self.faces else next(iter(self.faces))
        return self.faces[kind][int(np.searchsorted(self._odds[kind], rng.random()))]
