"""Evaluation reports as plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

_PRINTABLE = "LNPS"
_HEXADECIMAL = ("Cc", "Cs", "Co")


def _printable(text: str) -> str:
    """Code points that can be told apart when printed: marks, blanks and controls by name or number."""
    return "".join(map(_printable_code_point, text))


def _printable_code_point(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] in _PRINTABLE:
        return char
    number = f"0x{ord(char):x}"
    return number if category in _HEXADECIMAL else unicodedata.name(char, number)


def _script_rows(
    scripts: Mapping[str, int], deletions: Mapping[str, int], substitutions: Mapping[str, int]
) -> list[str]:
    rows = []
    for script, count in scripts.items():
        missed = deletions.get(script, 0) + substitutions.get(script, 0)
        accuracy = 100 * (count - missed) / count if count else 0.0
        rows.append((accuracy, f"{count}\t{missed}\t{accuracy:.2f}%\t{script}"))
    return [row for _, row in sorted(rows, key=lambda row: -row[0])]


def render_report(
    model: str,
    chars: int,
    errors: int,
    char_accuracy: float,
    char_CI_accucary: float,
    word_accuracy: float,
    char_confusions: Mapping[tuple[str, str], int],
    scripts: Mapping[str, int],
    insertions: int,
    deletions: Mapping[str, int],
    substitutions: Mapping[str, int],
) -> str:
    """Report on an evaluation of a recognition model.

    Args:
        model: Name of the model.
        chars: Number of characters in the ground truth.
        errors: Number of character errors.
        char_accuracy: Fraction of characters that are right.
        char_CI_accucary: The same without regard to case.
        word_accuracy: Fraction of words that are right.
        char_confusions: (correct, generated) → count; one of them is empty in deletions and insertions.
        scripts: Script → number of characters in the ground truth.
        insertions: Number of insertions.
        deletions: Script → number of deletions.
        substitutions: Script → number of substitutions.

    Returns:
        The report, its lines ended by line feeds.
    """
    confusions = [(pair, count) for pair, count in char_confusions.items() if pair[0] != pair[1]]
    confusions.sort(key=lambda entry: -entry[1])
    rows = [
        f"=== report {model} ===",
        "",
        f"{chars}\tCharacters",
        f"{errors}\tErrors",
        f"{char_accuracy * 100:.2f}%\tCharacter Accuracy",
        f"{char_CI_accucary * 100:.2f}%\tCharacter Accuracy (Case-insensitive)",
        f"{word_accuracy * 100:.2f}%\tWord Accuracy",
        "",
        f"{insertions}\tInsertions",
        f"{sum(deletions.values())}\tDeletions",
        f"{sum(substitutions.values())}\tSubstitutions",
        "",
        "Count\tMissed\t%Right",
        *_script_rows(scripts, deletions, substitutions),
        "",
        "Errors\tCorrect-Generated",
        *(
            f"{count}\t{{ {_printable(correct)} }} - {{ {_printable(generated)} }}"
            for (correct, generated), count in confusions
        ),
    ]
    return "\n".join(rows) + "\n"
