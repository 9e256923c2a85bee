"""Model cards: YAML with what programs ask for, then a description in Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["ModelCard", "check_card", "checked", "merged", "parse_card", "split_values"]

_FENCES = ("---", "+++")
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4})-(\d{4})-(\d{4})-(\d{3}[\dX])")

Checker = Callable[[str], str]


@dataclass
class ModelCard:
    """A model card.

    Attributes:
        metadata: Fields for programs.
        description: Text for people, in Markdown.
    """

    metadata: dict[str, Any]
    description: str

    def render(self) -> str:
        """The card as text.

        Raises:
            ValueError: A field holds the marks between which the metadata stands.
        """
        import yaml  # only cards need it

        header = yaml.safe_dump(self.metadata, allow_unicode=True, sort_keys=False)
        if any(fence in header for fence in _FENCES):
            # the repository's own reader ends the metadata wherever it meets one
            raise ValueError("Metadata can't hold `---` or `+++`: write it with a dash.")
        return f"---\n{header}---\n\n{self.description.strip()}\n"


def parse_card(path: Path) -> ModelCard:
    """Reads a model card.

    Raises:
        ValueError: It isn't one.
    """
    import yaml  # only cards need it

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} isn't a text in UTF-8: {error}") from error
    marks = [i for i, line in enumerate(lines) if line.strip() in _FENCES]
    if len(marks) < 2 or any(line.strip() for line in lines[: marks[0]]):
        raise ValueError(f"{path} isn't a model card: it has to begin with YAML between two lines `---`.")
    try:
        metadata = yaml.safe_load("\n".join(lines[marks[0] + 1 : marks[1]]))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: its metadata isn't YAML: {' '.join(str(error).split())}") from error
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: its metadata is no mapping of names to values.")
    return ModelCard(
        {str(name): value for name, value in metadata.items()}, "\n".join(lines[marks[1] + 1 :]).strip()
    )


def split_values(text: str) -> list[str]:
    """Values between commas."""
    return [value.strip() for value in text.split(",") if value.strip()]


def _code(names: Mapping[str, str], kind: str) -> Checker:
    """A check for codes of a table that belongs to the repository."""

    def check(code: str) -> str:
        if code in names:
            return code
        folded = {name.casefold(): known for known, name in names.items()} | {c.casefold(): c for c in names}
        close = [folded[text] for text in get_close_matches(code.casefold(), folded, n=5, cutoff=0.7)]
        hint = ", ".join(f"{known} ({names[known]})" for known in dict.fromkeys(close))
        raise ValueError(f"{code!r} is no {kind}." + (f" Is it one of {hint}?" if hint else ""))

    return check


def _check_link(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and parts.netloc and not any(map(str.isspace, text)):
        return text
    hint = f" Write https://doi.org/{text}." if re.match(r"10\.\d{4,9}/\S+$", text) else ""
    raise ValueError(f"{text!r} is no web address.{hint}")


def _check_orcid(text: str) -> str:
    match = _ORCID.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no ORCID: it looks like 0000-0002-1825-0097.")
    digits, total = "".join(match.groups()), 0
    for digit in digits[:-1]:
        # ISO 7064, MOD 11-2
        total = (total + int(digit)) * 2
    expected = (12 - total % 11) % 11
    if digits[-1] != ("X" if expected == 10 else str(expected)):
        raise ValueError(f"{text!r} is no ORCID: one of its digits is wrong.")
    return text


def checked() -> dict[str, Checker]:
    """Checks for the values of fields, by the tables of the package ``htrmopo``."""
    from htrmopo import util  # a package that nothing else here needs

    licences = {code: str(entry.get("title") or code) for code, entry in util._licenses.items()}
    return {
        "license": _code(licences, "licence that the repository knows"),
        "language": _code(util._iso639_3, "ISO 639-3 code of a language"),
        "script": _code(util._iso15924, "ISO 15924 code of a script"),
        "datasets": _check_link,
        "base_model": _check_link,
        "obsoleted_by": _check_link,
        "variant_of": _check_link,
        "orcid": _check_orcid,
    }


#: Fields with lists of texts, and whether they have to be there.
_LISTS = {
    "language": True,
    "script": True,
    "tags": False,
    "keywords": False,
    "datasets": False,
    "base_model": False,
    "obsoleted_by": False,
    "variant_of": False,
    "software_hints": False,
}


#: What cards may hold besides what a record does.
_CARD_ONLY = {"authors", "id", "license_name", "tags"}
#: What the repository adds to records.
_RECORD_ONLY = {
    "concept_doi",
    "creators",
    "description",
    "distribution",
    "doi",
    "publication_date",
    "version",
}


def _unknown_faults(metadata: Mapping[str, Any]) -> list[str]:
    """Fields that would make the record unreadable: readers pass all of them on to a record's class."""
    from htrmopo.record import v1RepositoryRecord  # a package that nothing else here needs

    known = sorted({field.name for field in fields(v1RepositoryRecord)} - _RECORD_ONLY | _CARD_ONLY)
    faults = []
    for name in metadata:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f" Is it {close[0]}?" if close else f" There are {', '.join(known)}."
            faults.append(f"{name}: is no field of model cards.{hint}")
    if str(metadata.get("license", "")).startswith("other") and not metadata.get("license_name"):
        faults.append("license_name: is missing: it says what another licence is called.")
    return faults


def check_card(card: ModelCard) -> list[str]:
    """What is wrong with a card: a sentence for each fault, with the field's name first."""
    checks = checked()
    faults = _unknown_faults(card.metadata)

    def check(field: str, value: Any, by: Checker | None) -> None:
        if not isinstance(value, str) or not value.strip():
            faults.append(f"{field}: {value!r} is no text.")
            return
        try:
            if by is not None:
                by(value)
        except ValueError as error:
            faults.append(f"{field}: {error}")

    metadata = card.metadata
    for field in ("summary", "license"):
        if metadata.get(field) is None:
            faults.append(f"{field}: is missing.")
        else:
            check(field, metadata[field], checks.get(field))
    if not card.description.strip():
        faults.append("description: is missing: it stands below the metadata.")
    for field, required in _LISTS.items():
        values = metadata.get(field)
        if not values:
            if required:
                faults.append(f"{field}: is missing: give a list.")
        elif not isinstance(values, list):
            faults.append(f"{field}: is no list.")
        else:
            for value in values:
                check(field, value, checks.get(field))
            if len({repr(value) for value in values}) < len(values):
                faults.append(f"{field}: a value is given twice.")
    return faults + _author_faults(metadata.get("authors"), checks["orcid"]) + _metric_faults(metadata)


def _author_faults(authors: Any, check_orcid: Checker) -> list[str]:
    if not isinstance(authors, list) or not authors:
        return [
            "authors: is missing: give a list, each with name and, if there is one, affiliation and orcid."
        ]
    faults = []
    for number, author in enumerate(authors, 1):
        if (
            not isinstance(author, dict)
            or not isinstance(author.get("name"), str)
            or not author["name"].strip()
        ):
            faults.append(f"authors: number {number} has no name.")
            continue
        for field in ("affiliation", "orcid"):
            if not isinstance(author.get(field, ""), str):
                faults.append(f"authors: {field} of {author['name']} is no text.")
        if isinstance(author.get("orcid"), str):
            try:
                check_orcid(author["orcid"])
            except ValueError as error:
                faults.append(f"authors: {error}")
    return faults


def _metric_faults(metadata: Mapping[str, Any]) -> list[str]:
    metrics = metadata.get("metrics")
    if metrics is None:
        return []
    if not isinstance(metrics, dict):
        return ["metrics: is no mapping of names to numbers."]
    return [
        f"metrics: {name} is no number: {value!r}."
        for name, value in metrics.items()
        if isinstance(value, bool) or not isinstance(value, int | float)
    ]


def merged(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Values of both, each once."""
    return list(dict.fromkeys([*first, *second]))
