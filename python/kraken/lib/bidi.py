"""Display order of bidirectional text (Unicode Standard Annex #9, Unicode 17).

A text is treated as one paragraph on one line, whatever separators it holds.
Explicit formatting characters, isolates and characters of class BN are absent
from the output; marks (LRM, RLM, ALM) stay. Combining marks in right-to-left
text stand left of their base.
"""

from __future__ import annotations

from collections.abc import Iterable

from kraken._rust import text as _text

__all__ = ["UCD_VERSION", "bidi_class", "get_display", "get_display_map"]

#: Version of the Unicode Character Database behind all functions.
UCD_VERSION: str = _text.UCD_VERSION

_LEVELS = {None: None, "L": 0, "R": 1}


def get_display_map(text: str | Iterable[str], base_dir: str | None = None) -> tuple[str, list[int]]:
    """Reorders a line from logical to display order.

    Args:
        text: The line, a string or an iterable of strings that are joined.
        base_dir: Direction of the paragraph: ``'L'``, ``'R'`` or None, which
            takes the direction of the first strong character (left to right
            if there is none).

    Returns:
        The characters from left to right, mirrored where they have to be, and
        for each of them its index (in code points) in ``text``.

    Raises:
        ValueError: for any other ``base_dir``.
    """
    try:
        level = _LEVELS[base_dir]
    except (KeyError, TypeError):
        raise ValueError(f"base_dir is {base_dir!r}, need 'L', 'R' or None") from None
    if not isinstance(text, str):
        text = "".join(text)
    # Lone surrogates occur in recognised text and are no valid UTF-8.
    display, order = _text.display_map(text.encode("utf-32-le", "surrogatepass"), level)
    return display.decode("utf-32-le", "surrogatepass"), order


def get_display(text: str | Iterable[str], base_dir: str | None = None) -> str:
    """The first element of :func:`get_display_map`."""
    return get_display_map(text, base_dir)[0]


def bidi_class(codepoint: int) -> str:
    """Short name of the property ``Bidi_Class`` of a code point.

    Unassigned code points have the defaults of the standard.

    Raises:
        ValueError: if the number is no code point.
    """
    if not 0 <= codepoint <= 0x10FFFF:
        raise ValueError(f"{codepoint:#x} is no code point, need 0 to 0x10FFFF")
    return _text.bidi_class(codepoint)
