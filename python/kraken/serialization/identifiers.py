"""Identifiers that are unique in a document and, where the schema asks for it, XML names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import Literal

from kraken.serialization.model import Page

# XML 1.0 (fifth edition), productions 4 and 4a without the colon.
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_FOLLOW = _START + r"\-.0-9\u00b7\u0300-\u036f\u203f-\u2040"
_NAME = re.compile(f"[{_START}][{_FOLLOW}]*")
_FOREIGN = re.compile(f"[^{_FOLLOW}]")


def as_name(identifier: str) -> str:
    """The identifier if it's an XML name without colon, else one that resembles it."""
    if _NAME.fullmatch(identifier):
        return identifier
    name = _FOREIGN.sub("_", identifier)
    return name if _NAME.fullmatch(name) else f"_{name}"


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
        candidates = (f"{stem or kind}_{n}" for n in count(1))
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
