"""From texts in documents to texts that networks learn (spec chapter datasets §1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

from kraken.lib.bidi import get_display

__all__ = ["TextTransform", "text_transforms", "transform_text"]

TextTransform = Callable[[str], str]

#: Unicode property White_Space; Python's own class has four control characters more.
_WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_TO_SPACE = {ord(char): " " for char in _WHITE_SPACE}


def _normalise_space(text: str) -> str:
    return text.translate(_TO_SPACE).strip()


def _reorder(text: str, base_dir: str | None) -> str:
    # nothing to do for plain ASCII left-to-right text, which most lines are
    if base_dir is None and text.isascii() and not any(char < " " for char in text):
        return text
    return get_display(text, base_dir)


def text_transforms(
    normalization: str | None = None,
    whitespace_normalization: bool = True,
    reorder: Any = True,
) -> list[TextTransform]:
    """Steps that a text goes through.

    Args:
        normalization: NFC, NFD, NFKC, NFKD or None.
        whitespace_normalization: Make every blank a space and strip the ends.
        reorder: Put text in display order; ``L`` or ``R`` sets its base direction.

    Raises:
        ValueError: The normalisation or direction is unknown.
    """
    found: list[TextTransform] = []
    if normalization:
        if normalization not in ("NFC", "NFD", "NFKC", "NFKD"):
            raise ValueError(f"Normalization {normalization!r} is none of NFC, NFD, NFKC, NFKD.")
        found.append(partial(unicodedata.normalize, normalization))  # type: ignore[arg-type]
    if whitespace_normalization:
        found.append(_normalise_space)
    if reorder:
        if reorder not in (True, "L", "R"):
            raise ValueError(f"reorder is {reorder!r}, need a truth value, 'L' or 'R'.")
        found.append(partial(_reorder, base_dir=reorder if reorder in ("L", "R") else None))
    return found


def transform_text(text: str | None, steps: list[TextTransform]) -> str:
    """A text after all steps; none at all is empty."""
    value = text or ""
    for step in steps:
        value = step(value)
    return value
