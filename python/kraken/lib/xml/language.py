"""Language names and identifiers mapped to ISO 639-3."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def _codes() -> dict[str, str]:
    """Each identifier or English name → ISO 639-3 code; read on first use."""
    table = files(__package__).joinpath("languages.tsv").read_text(encoding="utf-8")
    codes: dict[str, str] = {}
    for row in table.splitlines():
        names = row.split("\t")
        codes.update(dict.fromkeys(names, names[0]))
    return codes


def iso639_3(value: str) -> str:
    """ISO 639-3 code of a language.

    Args:
        value: ISO 639 identifier (639-1, 639-2/B, 639-2/T or 639-3) or English name, case-sensitive.

    Returns:
        The three-letter code; ``value`` itself if it's unknown, deprecated or a language group.
    """
    return _codes().get(value, value)
