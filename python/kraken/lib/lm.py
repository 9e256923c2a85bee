"""Language models for decoding: n-grams of code points, and word lists.

A model says how probable a code point is after the ones before it. A beam search
(:class:`kraken.lib.decoders.BeamDecoder`) weighs that against what the network
sees. Models are packed files (``.ngrams``), which are small, or ARPA files, which other
toolkits read and write, too; their tokens are single code points with these exceptions:

* ``<space>`` is the blank, ``<U+00A0>`` and the like a code point by its hexadecimal number
  (for other white space and control characters);
* ``<s>`` and ``</s>`` are the ends of a line, ``<unk>`` any code point that the
  model doesn't know;
* in files of others, which have no ``<space>``, ``▁`` or else ``|`` is the blank.

Networks read in display order, from left to right. So models are estimated from
text in display order; :func:`kraken.lib.bidi.get_display` and ``ketos lmtrain`` do
that for right-to-left scripts.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from kraken._rust import text as _text
from kraken.lib.atomic import atomic_output
from kraken.lib.bidi import get_display

__all__ = ["Lexicon", "NgramModel"]

_LN_10 = math.log(10)
#: What packed models begin with; the rest is a zlib stream.
_PACKED = b"kraken n-grams 1\n"


class NgramModel:
    """An n-gram model over code points with back-off.

    Instances come from :meth:`load` and :meth:`train`; they are immutable and can
    be shared by threads and pickled.
    """

    def __init__(self, kernel: _text.NgramModel) -> None:
        self.kernel = kernel

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NgramModel:
        """Reads an ARPA file, compressed with gzip or not, or a packed model.

        Raises:
            OSError: If the file can't be read.
            ValueError: If it isn't such a file, or is damaged; says in which line of an ARPA file.
        """
        data = Path(path).read_bytes()
        packed = data.startswith(_PACKED)
        try:
            if packed:
                return cls(_text.NgramModel.unpack(zlib.decompress(data[len(_PACKED) :])))
            if data[:2] == b"\x1f\x8b":
                data = gzip.decompress(data)
            return cls(_text.NgramModel.read(data))
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            kind = "packed language model" if packed else "ARPA file"
            raise ValueError(f"{path} can't be read as {kind}: {error}") from error

    @classmethod
    def train(cls, lines: Iterable[str], order: int = 5, prune: Sequence[int] = ()) -> NgramModel:
        """Estimates a model with interpolated modified Kneser–Ney smoothing.

        Chen & Goodman, "An Empirical Study of Smoothing Techniques for Language
        Modeling" (1998). Where a text is too small to estimate discounts they are
        0.5, 1 and 1.5.

        Args:
            lines: Lines of text in display order; empty ones are skipped.
            order: Length of the longest n-grams.
            prune: N-grams that occur at most that often are left out, per length
                from 1; the last value holds for all longer ones. The first must be
                0 and none less than the one before.

        Raises:
            ValueError: If there is no text or an option is out of range.
        """
        for name, values in (("order", [order]), ("prune", prune)):
            if any(value < 0 for value in values):
                raise ValueError(f"{name} is out of range: negative")
        return cls(_text.NgramModel.estimate(list(lines), order, list(prune)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an ARPA file, or a packed model if the name ends in ``.ngrams``.

        Loading an ARPA file again gives the same model. A packed one takes less than a tenth of its room and
        is read several times as fast, but its logarithms (to base 10) are rounded to tenths.
        """
        if Path(path).suffix == ".ngrams":
            data = _PACKED + zlib.compress(self.kernel.pack(), 9)
        else:
            data = self.kernel.write()
        with atomic_output(path) as temporary:
            temporary.write_bytes(data)

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return self.kernel.order

    @property
    def counts(self) -> list[int]:
        """Number of n-grams of every length from 1."""
        return self.kernel.counts

    @property
    def characters(self) -> str:
        """The code points that the model knows, sorted."""
        return self.kernel.characters

    def log_probabilities(self, text: str, begin: bool = True, end: bool = True) -> list[float]:
        """Natural logarithms of the probabilities of a line's code points.

        Args:
            text: One line in display order.
            begin: Whether it starts at the beginning of a line.
            end: Whether the end of the line counts as one more code point.
        """
        return [_LN_10 * log10 for log10 in self.kernel.score(text, begin, end)]

    def perplexity(self, lines: Iterable[str]) -> float:
        """How many code points the model hesitates between, on average.

        Raises:
            ValueError: If there is no line.
        """
        values = [value for line in lines for value in self.log_probabilities(line)]
        if not values:
            raise ValueError("lines is empty: there is no text to measure the perplexity of")
        return math.exp(-sum(values) / len(values))

    def __repr__(self) -> str:
        return f"NgramModel(order={self.order}, counts={self.counts})"

    def __reduce__(self) -> tuple[object, ...]:
        return _from_bytes, (self.kernel.write(),)


def _from_bytes(data: bytes) -> NgramModel:
    return NgramModel(_text.NgramModel.read(data))


class Lexicon:
    """A list of words that a decoder prefers.

    A word starts with a letter and goes on with letters and with what signs a
    listed word has there (``don’t``); blanks, digits and punctuation separate words.
    A lower-case word also stands for itself with a capital and in capitals.

    Args:
        words: Words in logical order; those of right-to-left scripts are reordered.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self.kernel = _text.Lexicon([get_display(word) for word in self.words])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Lexicon:
        """Reads a text file (UTF-8) with words separated by white space.

        Raises:
            OSError: If the file can't be read.
            ValueError: If it isn't UTF-8 or holds no word with a letter.
        """
        try:
            lexicon = cls(Path(path).read_text(encoding="utf-8-sig").split())
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} isn't a word list in UTF-8: {error}") from error
        if not len(lexicon):
            raise ValueError(f"{path} holds no words: need one a line")
        return lexicon

    def __len__(self) -> int:
        """Number of words, those with capitals included."""
        return len(self.kernel)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.words,)
