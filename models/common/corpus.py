"""Random text in the languages of European print, made from word frequencies.

The words come from the package `wordfreq` (lists under CC BY-SA 4.0), Latin from `latin.py`; what is added is
what a page shows and a word list doesn't: capitals, punctuation as each language sets it, numbers,
abbreviations, broken words, headings, lists, the spelling of early print. Lines of real transcriptions can be
mixed in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .latin import early as early_latin
from .latin import phrases

__all__ = ["EXTRA_SIGNS", "Corpus", "is_greek"]

#: Signs of print beside the letters, which turn up by themselves (a line on the ground is a dash).
EXTRA_SIGNS = "§†‡*¶•·°—–…&%£$€+=/|[]{}<>@#~^½¼¾²³¹№⁊☞ªº×÷±"
_LONG_TAIL = 30000


@dataclass(frozen=True)
class Language:
    """How a language is set in type.

    Args:
        code: Of `wordfreq`.
        weight: How often a line is in it.
        quotes: Pairs of quotation marks.
        thin: Whether a blank stands before ; : ! ? and inside guillemets.
        capital: Part of the words that begin with a capital inside a sentence.
    """

    code: str
    weight: float
    quotes: tuple[tuple[str, str], ...]
    thin: bool = False
    capital: float = 0.06


_ENGLISH = (("“", "”"), ("‘", "’"), ('"', '"'), ("'", "'"))
_FRENCH = (("«\u00a0", "\u00a0»"), ("«", "»"), ("“", "”"), ('"', '"'))
_GERMAN = (("„", "“"), ("„", "”"), ("»", "«"), ('"', '"'), ("‚", "‘"))
_BRACKETS = (("(", ")"), ("(", ")"), ("[", "]"))
_ROMANCE = (("«", "»"), ("“", "”"), ('"', '"'), ("„", "”"))
LANGUAGES = (
    Language("en", 5, _ENGLISH),
    Language("fr", 5, _FRENCH, thin=True),
    Language("de", 5, _GERMAN, capital=0.35),
    Language("it", 3, _ROMANCE),
    Language("es", 3, _ROMANCE),
    Language("pt", 1.5, _ROMANCE),
    Language("nl", 0.8, _GERMAN),
    Language("pl", 0.6, _GERMAN),
    Language("cs", 0.5, _GERMAN),
    Language("sv", 0.4, _ENGLISH),
    Language("hu", 0.3, _GERMAN),
    Language("da", 0.3, _GERMAN),
    Language("ro", 0.3, _GERMAN),
    Language("ca", 0.3, _ROMANCE),
    Language("fi", 0.5, _ENGLISH),
    Language("nb", 0.3, _ROMANCE),
    Language("sk", 0.4, _GERMAN),
    Language("sl", 0.3, _GERMAN),
    Language("sh", 0.4, _GERMAN),
    Language("lt", 0.4, _GERMAN),
    Language("lv", 0.4, _ENGLISH),
    Language("is", 0.4, _GERMAN),
    Language("tr", 0.6, _ENGLISH),
    Language("id", 0.4, _ENGLISH),
    Language("la", 3, _ENGLISH),
    Language("el", 1.2, _ROMANCE),
)
_LATIN = next(language for language in LANGUAGES if language.code == "la")
#: Part of the lines of early print that are in Latin whatever the odds of languages.
_EARLY_LATIN = 0.55


class Corpus:
    """Makes lines of text.

    Args:
        rng: Source of all randomness.
        alphabet: The characters that may be used; others are dropped from a line.
        real: Transcribed lines to mix in.
        real_part: Part of the lines that come from them.
    """

    def __init__(
        self, rng: np.random.Generator, alphabet: str, real: Sequence[str] = (), real_part: float = 0.25
    ) -> None:
        self.rng = rng
        self.alphabet = set(alphabet)
        self.real = list(real)
        self.real_part = real_part if self.real else 0.0
        self._tables = {
            language.code: _words(language.code) for language in LANGUAGES if language is not _LATIN
        }
        self._phrases = phrases()
        self._latin: list[str] = []  # words of a phrase that are to come, last first
        drawn = [language for language in LANGUAGES if language is not _LATIN or self._phrases]
        weights = np.array([language.weight if language in drawn else 0.0 for language in LANGUAGES])
        self._odds = np.cumsum(weights / weights.sum())

    def line(self, length: int, early: bool = False) -> str:
        """Returns a line of at most `length` characters of the alphabet, never empty.

        Args:
            length: Most characters.
            early: Whether to spell as print did before 1800 (long s, u and v, ligatures, tildes).
        """
        self._latin = []  # lines follow from the generator alone, not from the lines before
        for _ in range(20):
            text = (
                self._real_line(length) if self.rng.random() < self.real_part else self._made(length, early)
            )
            text = unicodedata.normalize("NFC", text)
            text = " ".join("".join(c for c in text if c in self.alphabet or c.isspace()).split())
            if text:
                return text[:length].rstrip()  # early spelling may be longer
        return "a"

    def _real_line(self, length: int) -> str:
        text = self.real[int(self.rng.integers(len(self.real)))]
        if len(text) <= length:
            return text
        start = int(self.rng.integers(len(text) - length + 1))
        return text[start : start + length]

    def _made(self, length: int, early: bool) -> str:
        kind = self.rng.random()
        if kind < 0.05:
            return self._heading(length)
        if kind < 0.10:
            return self._figures(length)
        if kind < 0.14:
            return self._entry(length)
        if kind < 0.17:
            return self._jumble(length)
        language = LANGUAGES[int(np.searchsorted(self._odds, self.rng.random()))]
        if early and self._phrases and self.rng.random() < _EARLY_LATIN:
            language = _LATIN
        text = self._prose(language, length)
        if early and language.code != "el":
            text = self._early(text, language)
        return text

    def _prose(self, language: Language, length: int) -> str:
        rng = self.rng
        parts: list[str] = []
        room, capital = length, rng.random() < 0.3
        closing = ""
        while room > 0:
            chance = rng.random()
            if chance < 0.035:
                token = self._number()
            elif chance < 0.045:
                token = _pick(rng, EXTRA_SIGNS)
            else:
                token = self._word(language)
                if capital or rng.random() < language.capital:
                    token = token[:1].upper() + token[1:]
                if rng.random() < 0.015:
                    token = token.upper()
            if not closing and rng.random() < 0.03:
                opening, closing = _pick(rng, language.quotes if rng.random() < 0.7 else _BRACKETS)
                token = opening + token
            elif closing and rng.random() < 0.25:
                inside = _pick(rng, ",.,.;!?") if rng.random() < 0.4 else ""
                token, closing = token + inside + closing, ""
            capital = False
            chance = rng.random()
            if chance < 0.11:
                token += ","
            elif chance < 0.17:
                token, capital = token + ".", True
            elif chance < 0.20:
                mark = _pick(rng, ";:!?;:")
                token += ("\u00a0" if language.thin and rng.random() < 0.7 else "") + mark
            elif chance < 0.212:
                token += " " * int(rng.integers(2)) + _pick(rng, "—–-") + " " * int(rng.integers(2))
            elif chance < 0.23:
                token += _pick(rng, "-'’") + self._word(language)
            elif chance < 0.236:  # what a note is about
                token, capital = token + "]", True
            if len(token) > room:
                if room > 4 and rng.random() < 0.5:
                    parts.append(token[: room - 1] + "-")
                break
            parts.append(token)
            room -= len(token) + 1
        return " ".join(parts).replace("\u00a0", " ") or self._word(language)[:length]

    def _word(self, language: Language) -> str:
        rng = self.rng
        if language is _LATIN:
            self._latin = self._latin or str(_pick(rng, self._phrases)).split()[::-1]
            return self._latin.pop()
        words, odds = self._tables[language.code]
        # half by frequency, half from the long tail, lest the network learns the commonest words by heart
        at = np.searchsorted(odds, rng.random()) if rng.random() < 0.6 else rng.integers(len(words))
        word = words[min(int(at), len(words) - 1)]
        return _polytonic(rng, word) if language.code == "el" else word

    def _early(self, text: str, language: Language) -> str:
        """Spells a modern line as a printer before 1800 may have."""
        rng = self.rng
        in_latin = language is _LATIN
        if in_latin:
            text = early_latin(text, rng)
        if rng.random() < 0.8:
            text = _long_s(text)
        if rng.random() < (0.7 if in_latin else 0.3):
            text = _u_and_v(text)
        for plain, sign, odds in (
            ("ae", "æ", 0.8 if in_latin else 0.5),
            ("oe", "œ", 0.8 if in_latin else 0.5),
            ("et ", "& ", 0.3),
            ("et ", "⁊ ", 0.03),
        ):
            if rng.random() < odds:
                text = text.replace(plain, sign)
        if rng.random() < 0.3:
            for vowel, marked in zip("aeou", "ãẽõũ", strict=True):
                for nasal in "mn":
                    if rng.random() < 0.3:
                        text = text.replace(vowel + nasal, marked)
        if rng.random() < 0.1:
            text = text.replace("que", "q̃")
        return text

    def _heading(self, length: int) -> str:
        language = LANGUAGES[int(np.searchsorted(self._odds, self.rng.random()))]
        text = self._prose(language, min(length, int(self.rng.integers(4, 30))))
        chance = self.rng.random()
        if chance < 0.6:
            text = text.upper().replace("ẞ", "SS")
        if chance < 0.2:
            text = _roman(int(self.rng.integers(1, 90))) + ". " + text
        return text[:length] + ("." if self.rng.random() < 0.4 else "")

    def _figures(self, length: int) -> str:
        parts: list[str] = []
        target = min(length, int(self.rng.integers(1, 40)))
        while sum(map(len, parts)) + len(parts) < target:
            parts.append(self._number())
        return " ".join(parts)[:length].strip()

    def _entry(self, length: int) -> str:
        """A line of an index, catalogue or table of contents, with leaders."""
        rng = self.rng
        language = LANGUAGES[int(np.searchsorted(self._odds, rng.random()))]
        head = self._prose(language, max(4, min(length - 12, int(rng.integers(5, 40))))).rstrip(".,;:")
        if rng.random() < 0.5:
            head = f"{int(rng.integers(1, 999))}{_pick(rng, ['.', '', ')', '—'])} {head}"
        if length > 20 and rng.random() < 0.5:
            return f"{head[: length - 14]} {self._price()}"
        leader = _pick(rng, [" ", " . . . . ", " ..... ", " .... ", ", ", "  ", " — "])
        return (head + leader + self._number())[: max(length, 1)].strip()

    def _price(self) -> str:
        """What something costs, in the words of catalogues: dashes stand for the small coin.

        At most 13 characters.
        """
        rng = self.rng
        n = int(rng.integers(1, 100)) * int(10 ** rng.integers(0, 4))
        end = _pick(
            rng, [". —", " —", ". –", ".—", ",—", ".", "", f". {n % 100:02}", f",{n % 100:02}", " c."]
        )
        return _pick(rng, ["", "", "", "Fr. ", "fr. ", "M. ", "Mk. ", "£ ", "$ ", "L. "]) + f"{n}{end}"

    def _jumble(self, length: int) -> str:
        """Letters in no order, so that rare ones are seen too.

        Half of the lines have no Greek: its capitals look like the Latin ones, which are far more common.
        """
        rng = self.rng
        letters = sorted(self.alphabet)
        if rng.random() < 0.5:
            letters = [c for c in letters if not is_greek(c)] or letters
        words = [
            "".join(_pick(rng, letters) for _ in range(int(rng.integers(1, 8))))
            for _ in range(max(1, min(length, int(rng.integers(5, 40))) // 5))
        ]
        return " ".join(words)[:length].strip()

    def _number(self) -> str:
        rng = self.rng
        n = int(10 ** rng.uniform(0, 5))
        chance = rng.random()
        if chance < 0.35:
            return str(n)
        if chance < 0.6:
            return str(int(rng.integers(1450, 1990)))
        if chance < 0.7:
            return _roman(n % 1999 + 1) + _pick(rng, ["", ".", ","])
        forms = (
            f"{n:,}",
            f"{n:,}".replace(",", "."),
            f"{n / 100:.2f}",
            f"{n / 100:.2f}".replace(".", ","),
            f"({n})",
        )
        more = (
            f"{n}.",
            f"p. {n}",
            f"S. {n}",
            f"n° {n}",
            f"No. {n}",
            f"{n}—{n + 9}",
            f"{n}-{n % 99}",
            f"{n} fr.",
            f"£{n}",
        )
        last = (
            f"{n % 99}°",
            f"{n % 100}%",
            f"[{n}]",
            f"{n}/{n % 13 + 1}",
            f"§ {n % 99}",
            f"fol. {n}",
            f"{n}ᵉ",
            f"{n}{'½¼¾'[n % 3]}",
        )
        return _pick(rng, (*forms, *more, *last))


def is_greek(char: str) -> bool:
    """Whether the character is a letter of the Greek alphabet, with or without accents."""
    return "Ͱ" <= char <= "Ͽ" or "ἀ" <= char <= "῿"


def _words(code: str) -> tuple[list[str], np.ndarray]:
    from wordfreq import top_n_list, word_frequency

    words = [w for w in top_n_list(code, _LONG_TAIL) if not any(c.isdigit() for c in w)]
    odds = np.array([word_frequency(w, code) for w in words]) ** 0.8  # flatter than life
    return words, np.cumsum(odds / odds.sum())


def _pick(rng, options):  # type: ignore[no-untyped-def]
    return options[int(rng.integers(len(options)))]


_BREATHED = {
    "α": "ἀἁἄἅἂἆᾳάὰᾶ", "ε": "ἐἑἔἕέὲ", "η": "ἠἡἤἥἦἧῃήὴῆῇ", "ι": "ἰἱἴἵἶίὶῖϊ", "ο": "ὀὁὄὅόὸ", "υ": "ὐὑὔὕὖὗύὺῦϋ",
    "ω": "ὠὡὤὥὦὧῳώὼῶῷ", "ρ": "ῥ", "Α": "ἈἉἌ", "Ε": "ἘἙ", "Ο": "ὈὉὍ", "Ω": "ὩὮ", "Η": "ἩἮ", "Ι": "ἸἼ",
}  # fmt: skip


def _polytonic(rng: np.random.Generator, word: str) -> str:
    """Sets breathings and accents by chance: their shapes are to be learnt, not the grammar."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    out = [
        _pick(rng, _BREATHED[c]) if c in _BREATHED and rng.random() < (0.6 if i == 0 else 0.22) else c
        for i, c in enumerate(plain)
    ]
    return "".join(out)


def _long_s(text: str) -> str:
    out = list(text)
    for i, c in enumerate(out):
        if c == "s" and i + 1 < len(out) and out[i + 1].isalpha() and out[i + 1] not in "fb":
            out[i] = "ſ"
    return "".join(out)


def _u_and_v(text: str) -> str:
    words = []
    for word in text.split(" "):
        body = word[1:].replace("v", "u")
        first = {"u": "v", "U": "V"}.get(word[:1], word[:1])
        words.append((first + body).replace("j", "i").replace("J", "I"))
    return " ".join(words)


def _roman(n: int) -> str:
    out = ""
    for value, sign in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        out += sign * (n // value)
        n %= value
    return out
