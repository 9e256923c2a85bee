"""Trains the language model that the default recognition model reads with: n-grams of print in Latin script.

    python models/latin_print/language_model.py --data FOLDER -o python/kraken/assets/latin_print.ngrams

The text is that of drawn lines, most of it early print, whose worn letters need it most, and, with --data, of
the lines for training in FOLDER (as for `train.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import documents
from common.corpus import Corpus

from kraken.lib.lm import NgramModel
from kraken.lib.xml import XMLPage
from latin_print.alphabet import ALPHABET, normalised
from latin_print.real import PRINT_SETS

ORDER = 6
#: N-grams that occur at most that often are left out, by length.
PRUNE = (0, 1, 3, 5, 7, 9)
LONGEST = 60  # characters of a drawn line
EARLY = 0.85  # part of the drawn lines that are early print
REPEATED = 3  # real lines are few, and all there is of real prose


def drawn_lines(count: int, seed: int) -> Iterator[str]:
    """Yields the text of lines as the recognition model is trained on."""
    rng = np.random.default_rng(seed)
    corpus = Corpus(rng, ALPHABET)
    for _ in range(count):
        text = corpus.line(LONGEST, early=bool(rng.random() < EARLY))
        # word lists have one apostrophe only; which one it is can be seen, not guessed
        yield text.replace("'", "’") if rng.random() < 0.5 else text


def real_lines(data: Path) -> Iterator[str]:
    """Yields the transcribed lines of print that are for training, what the model can read of them."""
    for line in _transcribed(data):
        if "�" not in line:
            yield "".join(c for c in line if c in ALPHABET)


def _transcribed(data: Path) -> Iterator[str]:
    for name, path in documents.files(data / "pages", "*.xml", validation=False):
        if name in PRINT_SETS:
            yield from (normalised(line.text or "") for line in XMLPage(path).to_container().lines)
    for _, path in documents.files(data / "lines", "*.gt.txt", validation=False):
        yield normalised(path.read_text(encoding="utf-8"))


def main() -> None:
    """Trains and writes the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with pages and lines")
    parser.add_argument("--lines", type=int, default=400_000, help="drawn lines (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write, .ngrams or .arpa")
    args = parser.parse_args()
    lines = list(drawn_lines(args.lines, args.seed))
    real = [] if args.data is None else list(real_lines(args.data))
    print(f"{len(lines)} drawn lines, {len(real)} real ones", flush=True)
    model = NgramModel.train([*lines, *real * REPEATED], ORDER, PRUNE)
    model.save(args.output)
    counts = " + ".join(map(str, model.counts))
    print(f"wrote {args.output} ({args.output.stat().st_size} bytes): {counts} n-grams")


if __name__ == "__main__":
    main()
