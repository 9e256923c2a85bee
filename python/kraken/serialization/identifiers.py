"""Identifiers that are unique in a document and, where the schema asks for it, XML names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Literal

from kraken.serialization.model import Page

# First and last characters of the larger ranges of letters and ideographs beyond ASCII that XML 1.0
# allows in names. It's the fourth edition's (appendix B), which the schema language refers to and
# validators apply; the fifth edition allows more.
_LETTERS = (
    "\u00c0\u00d6\u00d8\u00f6\u00f8\u0131\u0134\u013e\u0141\u0148\u014a\u017e\u0180\u01c3\u01cd\u01f0"
    "\u01fa\u0217\u0250\u02a8\u038e\u03a1\u03a3\u03ce\u03e2\u03f3\u0401\u040c\u040e\u044f\u0451\u045c"
    "\u045e\u0481\u0490\u04c4\u04d0\u04eb\u04ee\u04f5\u0531\u0556\u0561\u0586\u05d0\u05ea\u0621\u063a"
    "\u0641\u064a\u0671\u06b7\u06c0\u06ce\u0905\u0939\u0958\u0961\u0985\u098c\u0993\u09a8\u0a13\u0a28"
    "\u0a93\u0aa8\u0b05\u0b0c\u0b13\u0b28\u0bae\u0bb5\u0c05\u0c0c\u0c12\u0c28\u0c2a\u0c33\u0c85\u0c8c"
    "\u0c92\u0ca8\u0caa\u0cb3\u0d05\u0d0c\u0d12\u0d28\u0d2a\u0d39\u0e01\u0e2e\u0f40\u0f47\u0f49\u0f69"
    "\u10a0\u10c5\u10d0\u10f6\u1e00\u1e9b\u1ea0\u1ef9\u1f00\u1f15\u1f20\u1f45\u1f50\u1f57\u1f5f\u1f7d"
    "\u1f80\u1fb4\u1fe0\u1fec\u3021\u3029\u3041\u3094\u30a1\u30fa\u3105\u312c\u4e00\u9fa5\uac00\ud7a3"
)
_ASCII_NAME = re.compile("[A-Za-z_][A-Za-z0-9_.-]*")


def _starts(char: str) -> bool:
    """Whether a name may start with a character."""
    if char.isascii():
        return char.isalpha() or char == "_"
    return any(_LETTERS[i] <= char <= _LETTERS[i + 1] for i in range(0, len(_LETTERS), 2))


def _follows(char: str) -> bool:
    """Whether a character may stand inside a name."""
    return _starts(char) or char in "-.0123456789"


def as_name(identifier: str) -> str:
    """The identifier if it's an XML name without colon, else one that resembles it."""
    if _ASCII_NAME.fullmatch(identifier):
        return identifier
    name = "".join(char if _follows(char) else "_" for char in identifier)
    return name if name and _starts(name[0]) else f"_{name}"


Style = Literal["xml", "unique", "verbatim"]


class Names:
    """Names of one document.

    Args:
        reserved: Says of a name whether the serialiser itself gives it to something.
        style: ``xml``: all are XML names and unique; ``unique``; ``verbatim``: only missing ones are made.
    """

    def __init__(self, reserved: Callable[[str], bool], style: Style) -> None:
        self._reserved = reserved
        self._style = style
        self._used: set[str] = set()
        self._numbers: dict[str, Iterator[int]] = {}

    def take(self, names: Iterable[str]) -> None:
        """Mark names as used."""
        self._used.update(names)

    def claim(self, wanted: object, kind: str) -> str:
        """``wanted`` itself if it's legal and free, otherwise a name derived from it or from ``kind``."""
        stem = str(wanted) if wanted is not None else ""
        if stem and self._style == "verbatim":
            return stem
        if stem and self._style == "xml":
            stem = as_name(stem)
        numbers = self._numbers.setdefault(stem or kind, count(1))
        candidates = (f"{stem or kind}_{n}" for n in numbers)
        name = stem or next(candidates)
        while name in self._used or self._reserved(name):
            name = next(candidates)
        self._used.add(name)
        return name


def assign(page: Page, *, kinds: int, style: Style) -> Names:
    """Give all lines and regions of a page their final ids.

    Ids that are legal and unique stay as they are.

    Args:
        page: The page; changed in place.
        kinds: Number of tags in the document.
        style: What ids have to be, see :class:`Names`.

    Returns:
        The names, for further elements.
    """
    blocks = {f"textblock_{block.place}" for block in page.blocks if block.region is None}
    counts = {"segment": (0, page.segment_count), "char": (0, page.glyph_count), "TYPE": (1, kinds + 1)}

    def reserved(name: str) -> bool:
        if name in blocks or name == "page_0" or name.startswith("OCR_"):
            return True
        kind, _, number = name.partition("_")
        if kind not in counts or not (number.isascii() and number.isdecimal()):
            return False
        low, high = counts[kind]
        return str(int(number)) == number and low <= int(number) < high

    names = Names(reserved, style)
    if style == "verbatim":  # made-up names mustn't clash with any given one
        names.take(block.id for block in page.blocks if block.id is not None)
        names.take(line.id for line in page.lines if line.id is not None)
    for block in page.blocks:
        if block.region is not None:
            block.id = names.claim(block.id, "region")
    for line in page.lines:
        line.id = names.claim(line.id, "line")
    return names
