"""The characters that the default recognition model reads."""

from __future__ import annotations

import unicodedata

__all__ = ["ALPHABET", "normalised"]

_LATIN = "".join(
    chr(c) for c in (*range(0xC0, 0xD7), *range(0xD8, 0xF7), *range(0xF8, 0x180)) if c not in (0x149, 0x138)
)
_EARLY = "ſẽĩũỹꝑꝓꝗꝛꝝꝯꝰꝵꝫ⁊ḿńꝙ"
_SIGNS = "¡¢£§©ª«¬°±²³¶·¹º»¼½¾¿×÷‘’‚“”„‹›–—…†‡•№€‰′″☞⟨⟩ᵉᵐʳˢᵗ"
_ROMANIAN = "ȘșȚțǎǔǽǼ"
_GREEK = "".join(
    chr(c) for c in range(0x386, 0x3CF) if unicodedata.category(chr(c))[0] == "L" or chr(c) == "·"
)
_POLYTONIC = "".join(
    chr(c)
    for c in range(0x1F00, 0x2000)
    if unicodedata.category(chr(c))[0] == "L"
    and unicodedata.normalize("NFC", chr(c)) == chr(c)
    and "MACRON" not in unicodedata.name(chr(c))
    and "VRACHY" not in unicodedata.name(chr(c))
)
#: Signs of early print for which Unicode has no place; code points of the Medieval Unicode Font Initiative.
_MEDIEVAL = "\ue42c\ue644\ue72b\ue8bf"
#: Combining marks that stay by themselves after composition: tilde, macron, letters and marks above.
_MARKS = "\u0303\u0304\u0305\u0307\u0363\u0364\u0365\u0366\u0367\u0368\u036d"
ALPHABET = "".join(
    sorted(
        {
            *map(chr, range(0x20, 0x7F)),
            *_LATIN,
            *_EARLY,
            *_SIGNS,
            *_ROMANIAN,
            *_GREEK,
            *_POLYTONIC,
            *_MARKS,
            *_MEDIEVAL,
            "ϛ",
            "ẞ",
        }
    )
)
_SAME = str.maketrans(
    {"ʼ": "’", "‛": "‘", "ʹ": "'", "⸗": "-", "‐": "-", "‑": "-", "−": "-", "―": "—", "\u00ad": "-", "¬": "-"}
)


def normalised(text: str) -> str:
    """Composes the text (NFC), joins blanks, and writes signs that look the same in one way."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_SAME)).split())
