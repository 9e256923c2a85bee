"""Error rates of a recognition model and of Tesseract 5 on the same lines.

    python models/evaluate.py recognition MODEL --data ../shared/data -o table.md

The lines are those of the validation documents of `models/common/documents.tsv`, with the polygons of the
ground truth. Both engines' texts and the truth are treated alike. Tesseract reads with the modes 7 and 13
and each choice of languages for the set; the best counts, by its folded error rate.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from kraken.configs import RecognitionInferenceConfig
from kraken.lib.dataset.metrics import edit_distance
from kraken.tasks import RecognitionTaskModel

from .tesseract import Tesseract
from .truth import Page, compared, folded, line_image, pages

__all__ = ["SETS", "Scores", "main", "score"]

#: Printed sets and the languages that Tesseract may read them with.
SETS: dict[str, tuple[str, ...]] = {
    "print-lat-16c-alto": ("lat",),
    "print-en-alto": ("eng",),
    "print-de-catalogue-alto": ("deu",),
    "print-fr-2col-alto": ("fra",),
    "print-de-fraktur-page": ("frk",),
    "odd-page": ("frk",),
    "layout-page": ("frk", "deu"),
    "typescript-fr-alto": ("fra",),
    "gt4histcomment": ("eng+grc",),
}
_MODES = (7, 13)
#: What Tesseract read, as it takes minutes; ignored by git.
CACHE = Path(__file__).resolve().parents[1] / "work" / "tesseract.json"


@dataclass(frozen=True)
class Scores:
    """Error rates of one reader on one set: characters and words, as written and folded."""

    cer: float
    wer: float
    folded_cer: float
    folded_wer: float


def _rate(truth: Sequence[Sequence[Any]], read: Sequence[Sequence[Any]]) -> float:
    """Edits per element of truth over all lines."""
    edits = sum(edit_distance(a, b) for a, b in zip(truth, read, strict=True))
    return edits / max(1, sum(map(len, truth)))


def score(truth: Sequence[str], read: Sequence[str]) -> Scores:
    """Error rates of texts against the true ones."""
    rates = []
    for form in (compared, folded):
        a, b = [form(text) for text in truth], [form(text) for text in read]
        rates += [_rate(a, b), _rate([x.split() for x in a], [x.split() for x in b])]
    return Scores(*rates)


def _kraken(model: RecognitionTaskModel, config: Any) -> Callable[[Page], list[str]]:
    return lambda page: [r.prediction for r in model.predict(page.image, page.segmentation(), config)]


def _best_tesseract(
    tesseract: Tesseract, images: Sequence[Any], truth: Sequence[str], languages: Sequence[str]
) -> tuple[list[str], str]:
    """The texts of the choice that reads best, and which it is."""
    tried = []
    for name in languages:
        for mode in _MODES:
            texts = tesseract.read(images, name, mode)
            tried.append((score(truth, texts).folded_cer, texts, f"{name}, {mode}"))
    _, best, how = min(tried, key=lambda item: item[0])
    return best, how


def _row(name: str, cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, (name, *cells))) + " |"


def _percent(scores: Scores) -> list[str]:
    return [f"{100 * value:.2f}" for value in astuple(scores)]


def _mean(scores: Sequence[Scores]) -> Scores:
    return Scores(*(fmean(values) for values in zip(*map(astuple, scores), strict=True)))


def _scores_row(name: str, truth: Sequence[str], ours: Scores, theirs: Scores, how: str) -> str:
    count = sum(len(compared(text)) for text in truth)
    return _row(name, [len(truth), count, *_percent(ours), *_percent(theirs), how])


def table(
    model_path: Path | None,
    data: Path,
    sets: Sequence[str],
    most_lines: int | None,
    *,
    use_language_model: bool = True,
) -> str:
    """The table in Markdown."""
    model = RecognitionTaskModel.load_model(model_path)
    config = RecognitionInferenceConfig(
        batch_size=8, accelerator="cpu", use_language_model=use_language_model
    )
    read, tesseract = _kraken(model, config), Tesseract(CACHE)
    rates = [f"{engine} {rate}" for engine in ("kraken", "Tesseract") for rate in _RATES]
    head = ["lines", "characters", *rates, "-l, --psm"]
    rows = [_row("set", head), _row("---", ["---:"] * (len(head) - 1) + ["---"])]
    everything: list[tuple[str, str, str]] = []
    by_set: list[tuple[Scores, Scores]] = []
    for name in sets:
        found = list(pages(data, [name], most_lines=most_lines))
        truth = [line.text or "" for page in found for line in page.lines]
        if not truth:
            continue
        ours = [text for page in found for text in read(page)]
        images = [line_image(page, line) for page in found for line in page.lines]
        theirs, how = _best_tesseract(tesseract, images, truth, SETS[name])
        by_set.append((score(truth, ours), score(truth, theirs)))
        rows.append(_scores_row(name, truth, *by_set[-1], how))
        print(rows[-1], flush=True)
        everything += zip(truth, ours, theirs, strict=True)
    if everything:
        all_truth, *texts = zip(*everything, strict=True)
        rows.append(_scores_row("all", all_truth, *(score(all_truth, read) for read in texts), ""))
        means = [cell for scores in zip(*by_set, strict=True) for cell in _percent(_mean(scores))]
        rows.append(_row(f"mean of the {len(by_set)} sets", ["", "", *means, ""]))
    return "\n".join(rows) + "\n"


_RATES = ("CER", "WER", "CER folded", "WER folded")


def main(arguments: Sequence[str]) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        prog="evaluate.py recognition",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", nargs="?", type=Path, help="model file (default: the one of the package)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the documents")
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS), metavar="SET")
    parser.add_argument("--lines", type=int, help="at most so many lines a set, spread evenly")
    parser.add_argument(
        "--network-alone", action="store_true", help="don't use the language model that came with the model"
    )
    parser.add_argument("-o", "--output", type=Path, help="write the table to this file, too")
    args = parser.parse_args(arguments)
    text = table(args.model, args.data, args.sets, args.lines, use_language_model=not args.network_alone)
    print("\n" + text)
    if args.output is not None:
        args.output.write_text(text, encoding="utf-8")
    return 0
