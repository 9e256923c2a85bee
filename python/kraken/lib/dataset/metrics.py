"""Comparison of recognised with true text (spec chapter datasets §5)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from kraken._rust import text as _text

__all__ = ["Scorer", "compute_confusions", "edit_distance", "global_align", "script_of"]


def _numbered(*sequences: Sequence[Any]) -> list[list[int]]:
    """The sequences with equal elements replaced by equal numbers."""
    if all(isinstance(sequence, str) for sequence in sequences):
        return [list(map(ord, sequence)) for sequence in sequences]
    try:
        numbers: dict[Any, int] = {}
        return [[numbers.setdefault(value, len(numbers)) for value in seq] for seq in sequences]
    except TypeError:
        # elements that have no hash are compared one by one
        known: list[Any] = []
        return [[_find(value, known) for value in sequence] for sequence in sequences]


def _find(value: Any, known: list[Any]) -> int:
    for number, other in enumerate(known):
        if value == other:
            return number
    known.append(value)
    return len(known) - 1


def edit_distance(seq1: Sequence[Any], seq2: Sequence[Any]) -> int:
    """Least number of insertions, deletions and substitutions between two sequences."""
    first, second = _numbered(seq1, seq2)
    return _text.edit_distance(first, second)


def global_align(seq1: Sequence[Any], seq2: Sequence[Any]) -> tuple[int, list[Any], list[Any]]:
    """Aligns two sequences with least edit distance.

    Among equally cheap steps a gap in the second sequence goes before a gap in the first one, and that
    before a substitution; the path is followed back from the end.

    Args:
        seq1: A sequence, such as the ground truth.
        seq2: Another one.

    Returns:
        The distance, and both sequences with gaps (``''``), equally long.

    Raises:
        ValueError: The product of the lengths is above 2³¹.
    """
    first, second = _numbered(seq1, seq2)
    distance, steps = _text.align_sequences(first, second)
    left: list[Any] = []
    right: list[Any] = []
    i = j = 0
    for step in steps:
        left.append("" if step == 2 else seq1[i])
        right.append("" if step == 1 else seq2[j])
        i += step != 2
        j += step != 1
    return distance, left, right


@cache
def _script_table() -> tuple[list[int], list[tuple[int, str]]]:
    """First code points of the ranges, and their last ones and names."""
    source = resources.files("kraken.lib.dataset") / "scripts.tsv"
    starts, rest = [], []
    for line in source.read_text(encoding="utf-8").splitlines():
        first, last, name = line.split("\t")
        starts.append(int(first, 16))
        rest.append((int(last, 16), name))
    return starts, rest


@cache
def script_of(char: str) -> str:
    """First word of the name of a character's script (Unicode 16), ``Unknown`` if unassigned."""
    starts, rest = _script_table()
    code = ord(char)
    place = bisect_right(starts, code) - 1
    if place < 0 or code > rest[place][0]:
        return "Unknown"
    return rest[place][1]


def compute_confusions(
    algn1: Iterable[str], algn2: Iterable[str]
) -> tuple[Counter[tuple[str, str]], Counter[str], int, Counter[str], Counter[str]]:
    """Counts what was read instead of what.

    Args:
        algn1: Ground truth, one character or a gap (``''``) per column.
        algn2: Recognised text, aligned with it.

    Returns:
        (correct, generated) → count; script → characters of the ground truth; number of insertions;
        script → deletions; script → substitutions.
    """
    counts: Counter[tuple[str, str]] = Counter(zip(algn1, algn2, strict=False))
    scripts: Counter[str] = Counter()
    deletions: Counter[str] = Counter()
    substitutions: Counter[str] = Counter()
    insertions = 0
    for (true, read), count in counts.items():
        if true == "":
            insertions += count
            continue
        script = script_of(true)
        scripts[script] += count
        if read == "":
            deletions[script] += count
        elif read != true:
            substitutions[script] += count
    return counts, scripts, insertions, deletions, substitutions


@dataclass
class Scorer:
    """Sums up errors over lines: the one measure of validation and tests.

    Attributes:
        char_errors: Summed edit distance in code points.
        chars: Code points of the ground truth.
        word_errors: Summed edit distance in words.
        words: Words of the ground truth.
        lines: (character errors, characters, word errors, words) of each line.
    """

    char_errors: int = 0
    chars: int = 0
    word_errors: int = 0
    words: int = 0
    lines: list[tuple[int, int, int, int]] = field(default_factory=list)

    def add(self, prediction: str, target: str) -> int:
        """Compares a line.

        Returns:
            Its edit distance in code points.
        """
        words = target.split()
        line = (
            edit_distance(target, prediction),
            len(target),
            edit_distance(words, prediction.split()),
            len(words),
        )
        self.lines.append(line)
        self.char_errors += line[0]
        self.chars += line[1]
        self.word_errors += line[2]
        self.words += line[3]
        return line[0]

    @property
    def char_accuracy(self) -> float:
        """One minus the character error rate."""
        return accuracy(self.char_errors, self.chars)

    @property
    def word_accuracy(self) -> float:
        """One minus the word error rate."""
        return accuracy(self.word_errors, self.words)


def accuracy(errors: int, total: int) -> float:
    """One minus an error rate; nothing to read and nothing wrong is perfect."""
    if not total:
        return 1.0 if not errors else 0.0
    return 1 - errors / total
