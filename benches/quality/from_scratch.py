"""Prepares a training from scratch that a slow computer can finish: short pieces of printed lines.

    python benches/quality/from_scratch.py PAGES -o FOLDER --hold-out page_55 page_31

CTC learns where letters are from short texts sooner than from long ones. So each line of the training pages
is cut at blanks into pieces of a few words: blanks are the widest gaps between the inked columns, and a line
whose gaps don't tell blanks from letter spaces stays whole. Pages whose names hold one of the words after
``--hold-out`` are for validation, as whole lines. Writes train.arrow, val.arrow and val.txt (a list with the
latter) in FOLDER, and prints what is in them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from kraken.lib.arrow_dataset import build_binary_dataset
from kraken.lib.segmentation import extract_polygons
from kraken.lib.xml import XMLPage

#: the least blank is this many times as wide as the widest space between letters
CLEAR = 1.3
#: darker is ink
INK = 128


def gaps(line: Image.Image) -> list[tuple[int, int]]:
    """First and last column of the stretches without ink between the first and the last letter."""
    values = np.asarray(line.convert("LA"))
    inked = ((values[..., 0] < INK) & (values[..., 1] > INK)).any(axis=0)
    columns = np.flatnonzero(inked)
    if not columns.size:
        return []
    breaks = np.flatnonzero(np.diff(columns) > 1)
    return [(int(columns[i]) + 1, int(columns[i + 1]) - 1) for i in breaks]


def cuts(line: Image.Image, words: int) -> list[int]:
    """Middles of the blanks between words, empty if it isn't clear where they are."""
    found = sorted(gaps(line), key=lambda gap: gap[0] - gap[1])
    if words < 2 or len(found) < words - 1:
        return []
    blanks, rest = found[: words - 1], found[words - 1 :]
    least = blanks[-1][1] - blanks[-1][0] + 1
    if rest and least < CLEAR * (rest[0][1] - rest[0][0] + 1):
        return []
    return sorted((first + last) // 2 for first, last in blanks)


def pieces(line: Image.Image, text: str, rng: np.random.Generator) -> list[tuple[Image.Image, str]]:
    """The line in pieces of one to four words."""
    words = text.split()
    places = [0, *cuts(line, len(words)), line.width]
    if len(places) != len(words) + 1:
        return [(line, text)]
    found, start = [], 0
    while start < len(words):
        end = min(len(words), start + int(rng.integers(1, 5)))
        part = line.crop((places[start], 0, places[end], line.height))
        found.append((part, " ".join(words[start:end])))
        start = end
    return found


def main() -> None:
    """Writes the data sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path, help="folder of ALTO files with their images")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--hold-out", nargs="+", required=True, help="parts of names of pages for validation")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    train, held = [], []
    for page in sorted(args.pages.glob("*.xml")):
        (held if any(word in page.name for word in args.hold_out) else train).append(page)
    folder = args.output / "pieces"
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    whole = 0
    for number, page in enumerate(train):
        content = XMLPage(page).to_container()
        with Image.open(content.imagename) as im:
            for k, (image, line) in enumerate(extract_polygons(im.convert("RGBA"), content)):
                parts = pieces(image, line.text or "", rng)
                whole += len(parts) == 1
                for n, (part, text) in enumerate(parts):
                    files.append(folder / f"{number}_{k:03}_{n:02}.png")
                    part.save(files[-1])
                    files[-1].with_suffix(".gt.txt").write_text(text, encoding="utf-8")
    options = {"format_type": "path", "force_type": "kraken_recognition_baseline"}
    build_binary_dataset(files, args.output / "train.arrow", **options)
    build_binary_dataset(held, args.output / "val.arrow", format_type="xml")
    (args.output / "val.txt").write_text(f"{args.output / 'val.arrow'}\n", encoding="utf-8")
    print(f"{len(train)} pages: {len(files)} pieces, {whole} lines whole; validation: {len(held)} pages")


if __name__ == "__main__":
    main()
