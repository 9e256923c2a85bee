"""Asks for the fields of a model card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kraken.ketos._model_card import Checker, ModelCard, checked, split_values

_QUESTIONS = {
    "language": "Languages (ISO 639-3 codes, between commas)",
    "script": "Scripts (ISO 15924 codes, between commas)",
    "tags": "Keywords (between commas; may be empty)",
    "datasets": "Addresses of data sets it was trained on (between commas; may be empty)",
    "base_model": "Addresses of models it was made from (between commas; may be empty)",
}
_REQUIRED = ("language", "script")


def ask_for_card() -> ModelCard:
    """Asks for the fields one after the other, again where an answer is wrong.

    Raises:
        click.Abort: There is no one to answer.
    """
    checks = checked()
    metadata: dict[str, Any] = {"summary": _ask("One line on the model", _text)}
    description = _description()
    metadata["authors"] = _authors(checks["orcid"])
    metadata["license"] = _ask("Licence (such as CC-BY-4.0)", checks["license"])
    for field, question in _QUESTIONS.items():
        values = _ask(
            question, _list_of(checks.get(field), field in _REQUIRED), "" if field not in _REQUIRED else None
        )
        if values:
            metadata[field] = values
    return ModelCard(metadata, description)


def _ask(question: str, check: Callable[[str], Any], default: str | None = None) -> Any:
    def converted(text: str) -> Any:
        try:
            return check(text.strip())
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return click.prompt(question, default=default, show_default=False, value_proc=converted, err=True)


def _text(text: str) -> str:
    if not text:
        raise ValueError("It can't be empty.")
    return text


def _list_of(check: Checker | None, required: bool) -> Callable[[str], list[str]]:
    def converted(text: str) -> list[str]:
        values = list(dict.fromkeys(split_values(text)))
        if required and not values:
            raise ValueError("At least one is needed.")
        return [check(value) if check else value for value in values]

    return converted


_HINT = "<!-- What the model is for and what it was trained on, in Markdown. Save and close. -->"


def _description() -> str:
    """A text from the user's editor."""
    text = (click.edit(f"\n{_HINT}\n", extension=".md") or "").replace(_HINT, "").strip()
    if not text:
        raise click.UsageError(
            "No description was written in the editor ($EDITOR): give a model card with -i."
        )
    return text


def _authors(check_orcid: Checker) -> list[dict[str, str]]:
    authors: list[dict[str, str]] = []
    while not authors or click.confirm("Another author?", default=False, err=True):
        author = {"name": _ask("Author (family name, given name)", _text)}
        affiliation = _ask("Affiliation (may be empty)", str, "")
        orcid = _ask("ORCID (may be empty)", lambda text: check_orcid(text) if text else "", "")
        author |= {key: value for key, value in (("affiliation", affiliation), ("orcid", orcid)) if value}
        authors.append(author)
    return authors
