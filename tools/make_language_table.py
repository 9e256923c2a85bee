"""Write ``python/kraken/lib/xml/languages.tsv`` anew from the ISO 639 tables.

Run ``pip install iso639-lang`` in a scratch environment, then
``python tools/make_language_table.py``. Each line holds an ISO 639-3 code and,
separated by tabs, everything else that stands for the same language: other
identifiers (639-1, 639-2/B, 639-2/T) and English names. Deprecated codes and
language groups without a code in 639-3 are left out. Source of the data:
ISO 639-3 registration authority, <https://iso639-3.sil.org>.
"""

from __future__ import annotations

from pathlib import Path

from iso639 import Lang, iter_langs  # type: ignore[import-not-found]
from iso639.exceptions import DeprecatedLanguageValue, InvalidLanguageValue  # type: ignore[import-not-found]

TARGET = Path(__file__).resolve().parent.parent / "python/kraken/lib/xml/languages.tsv"


def main() -> None:
    """Collect the aliases of each code and write them, sorted."""
    aliases: dict[str, set[str]] = {}
    for language in iter_langs():
        for alias in {*language, *language.other_names()} - {""}:
            try:
                code = Lang(alias).pt3
            except (DeprecatedLanguageValue, InvalidLanguageValue):
                continue
            if code:
                aliases.setdefault(code, set()).add(alias)
    rows = (
        "\t".join([code, *sorted(names - {code}, key=lambda n: (len(n) > 3, n))])
        for code, names in sorted(aliases.items())
    )
    TARGET.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
