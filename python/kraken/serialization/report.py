"""Evaluation reports as plain text and as HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from kraken._version import version
from kraken.serialization import environment
from kraken.serialization.native import clean

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


def _scripts(
    scripts: Mapping[str, int], deletions: Mapping[str, int], substitutions: Mapping[str, int]
) -> list[tuple[str, int, int, float]]:
    """Script, characters, missed ones and accuracy in per cent; the best script first."""
    rows = []
    for script, count in scripts.items():
        missed = deletions.get(script, 0) + substitutions.get(script, 0)
        rows.append((script, count, missed, 100 * (count - missed) / count if count else 0.0))
    return sorted(rows, key=lambda row: -row[3])


def _confusions(char_confusions: Mapping[tuple[str, str], int]) -> list[tuple[str, str, int]]:
    """Correct and generated code points that differ, with their count; the most frequent pair first."""
    wrong = [(*pair, count) for pair, count in char_confusions.items() if pair[0] != pair[1]]
    return sorted(wrong, key=lambda entry: -entry[2])


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
        *(
            f"{count}\t{missed}\t{accuracy:.2f}%\t{script}"
            for script, count, missed, accuracy in _scripts(scripts, deletions, substitutions)
        ),
        "",
        "Errors\tCorrect-Generated",
        *(
            f"{count}\t{{ {_printable(correct)} }} - {{ {_printable(generated)} }}"
            for correct, generated, count in _confusions(char_confusions)
        ),
    ]
    return "\n".join(rows) + "\n"


def render_html_report(
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
    """Report on an evaluation of a recognition model as an HTML page that needs no other file.

    It shows what :func:`render_report` prints, code points with their names, deletions and
    substitutions of each script, and bars.

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
        The page, which is well-formed XML too.
    """
    confusions = _confusions(char_confusions)
    accuracies = {
        "Character accuracy": char_accuracy,
        "Character accuracy (case-insensitive)": char_CI_accucary,
        "Word accuracy": word_accuracy,
    }
    report: dict[str, Any] = {
        "model": clean(model),
        "version": version(),
        "accuracies": [(name, _percent(100 * value), _share(value)) for name, value in accuracies.items()],
        "counts": {
            "Characters": chars,
            "Errors": errors,
            "Insertions": insertions,
            "Deletions": sum(deletions.values()),
            "Substitutions": sum(substitutions.values()),
        },
        "scripts": [
            {
                "name": clean(script),
                "count": count,
                "deletions": deletions.get(script, 0),
                "substitutions": substitutions.get(script, 0),
                "missed": missed,
                "accuracy": _percent(accuracy),
                "bar": _share(accuracy / 100),
            }
            for script, count, missed, accuracy in _scripts(scripts, deletions, substitutions)
        ],
        "confusions": [
            {
                "count": count,
                "correct": _printable(correct),
                "correct_name": _names(correct),
                "generated": _printable(generated),
                "generated_name": _names(generated),
                "share": _percent(100 * count / errors) if errors else "",
                "bar": _share(count / confusions[0][2]) if confusions[0][2] else 0,
            }
            for correct, generated, count in confusions
        ],
    }
    return environment.native().get_template("report.html").render(report=report)


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _share(value: float) -> float:
    """Length of a bar: per cents from 0 to 100, 0 for what's no number."""
    return round(min(100.0, max(0.0, 100 * value)), 2) if value == value else 0.0


def _names(text: str) -> str:
    """Numbers and names of code points."""
    return ", ".join(f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip() for char in text)
