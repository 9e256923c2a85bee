"""Write ``python/kraken/lib/dataset/scripts.tsv`` anew from the Unicode script property.

Run ``pip install fonttools==4.56`` (Unicode 16) in a scratch environment, then
``python tools/make_script_table.py``. Each line holds the first and last code point
of a range (hexadecimal) and the first word of its script's name, as accuracy reports
give it. What isn't listed is unassigned. Source of the data: Unicode Character
Database, Scripts.txt.
"""

from __future__ import annotations

from pathlib import Path

from fontTools.unicodedata import script, script_name  # type: ignore[import-not-found]

TARGET = Path(__file__).resolve().parent.parent / "python/kraken/lib/dataset/scripts.tsv"


def main() -> None:
    """Collect the ranges and write them."""
    ranges: list[list[object]] = []
    for code in range(0x110000):
        name = script_name(script(chr(code))).replace("_", " ").split()[0]
        if name == "Unknown":
            continue
        if ranges and ranges[-1][2] == name and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code, name])
    TARGET.write_text("".join(f"{a:X}\t{b:X}\t{name}\n" for a, b, name in ranges), encoding="utf-8")


if __name__ == "__main__":
    main()
