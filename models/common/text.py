"""Random English-like text: enough to learn letters in context, drawn from nobody's book."""

from __future__ import annotations

import itertools
import string
from pathlib import Path

import numpy as np

#: Typographic signs beside printable ASCII.
TYPOGRAPHIC = "“”‘’–—…«»©§°£€•"
#: Every character the recipes draw, hence every character their models can read.
CHARSET = "".join(map(chr, range(0x20, 0x7F))) + TYPOGRAPHIC

_ENDINGS = list(".....,,,,;:!?")
_WRAPPERS = [("“", "”"), ("‘", "’"), ('"', '"'), ("'", "'"), ("(", ")"), ("[", "]"), ("«", "»")]
_SUFFIXES = ["’s", "'s", "’t", "n’t", "’ll", "s", "s’", "-like", "-made"]
_SIGNS = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + TYPOGRAPHIC)


class TextSource:
    """Makes lines of text from a word list, numbers, invented words and loose signs.

    Words come in a Zipf-like distribution, so that a small network may learn the common ones; invented
    words (a chain of letter pairs) and loose signs keep it from reading only what it has seen.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.words = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()
        rank = np.arange(len(self.words)) + 60.0
        self._cumulative = np.cumsum(1 / rank) / np.sum(1 / rank)
        self._pairs = self._letter_pairs()

    def line(self, length: int) -> str:
        """Returns a line of at most `length` characters, cut between words, never empty."""
        parts: list[str] = []
        room = length
        capital = self.rng.random() < 0.5
        while room > 0:
            token = self.token(capital)
            capital = token.endswith((".", "!", "?"))
            if len(token) > room:
                break
            parts.append(token)
            room -= len(token) + 1
        return " ".join(parts) or self.token()[:length].strip() or "a"

    def token(self, capital: bool = False) -> str:
        """Returns one blank-free token: a word with its punctuation, a number or a few signs."""
        kind = self.rng.random()
        if kind < 0.66:
            token = self._cased(self.word(), capital)
        elif kind < 0.83:
            token = self._cased(self.invented(), capital)
        elif kind < 0.94:
            token = self.number()
        else:
            return "".join(self._pick(_SIGNS) for _ in range(self.rng.integers(1, 4)))
        return self._punctuated(token)

    def word(self) -> str:
        """Returns a word of the list."""
        return self.words[int(np.searchsorted(self._cumulative, self.rng.random()))]

    def invented(self) -> str:
        """Returns a pronounceable word that (most likely) doesn't exist."""
        word = self._pick(string.ascii_lowercase)
        for _ in range(self.rng.integers(1, 9)):
            row = self._pairs[ord(word[-1]) - 97]
            word += chr(97 + int(np.searchsorted(row, self.rng.random())))
        return word

    def number(self) -> str:
        """Returns a number as it may stand in a text: year, amount, time, date, share."""
        n = int(10 ** self.rng.uniform(0, 5))
        forms = (
            *(f"{n}", f"{n:,}", f"{n / 100:.2f}", f"{n % 24}:{n % 60:02}", f"{n % 28 + 1}/{n % 12 + 1}/{n}"),
            *(
                f"{n % 101}%",
                f"£{n}",
                f"${n}",
                f"€{n}",
                f"§{n % 99}",
                f"No.{n}",
                f"{n}–{n + 7}",
                f"{n % 90}°",
            ),
            *(f"{1400 + n % 626}", f"#{n}", f"{n}th", f"({n})", f"x{n}", f"{n}+{n % 9}={n + n % 9}"),
        )
        return self._pick(forms if self.rng.random() < 0.6 else forms[:1])

    def _cased(self, word: str, capital: bool) -> str:
        chance = self.rng.random()
        if chance < 0.06:
            return word.upper()
        if capital or chance < 0.2:
            return word[0].upper() + word[1:]
        return word

    def _punctuated(self, token: str) -> str:
        chance = self.rng.random()
        if chance < 0.2:
            return token + self._pick(_ENDINGS)
        if chance < 0.27:
            left, right = self._pick(_WRAPPERS)
            return left + token + right
        if chance < 0.31:
            return token + self._pick(_SUFFIXES)
        if chance < 0.33:
            return token + self._pick("-–—/&…") + self.word()
        return token

    def _letter_pairs(self) -> np.ndarray:
        counts = np.full((26, 26), 0.3)
        for word in self.words:
            letters = [ord(c) - 97 for c in word.lower() if c in string.ascii_letters]
            for first, second in itertools.pairwise(letters):
                counts[first, second] += 1
        return np.asarray(np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True))

    def _pick(self, options):  # type: ignore[no-untyped-def]
        return options[int(self.rng.integers(len(options)))]
