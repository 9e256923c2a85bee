"""Scores the example models.

    python models/evaluate.py lines  python/kraken/assets/tiny_recognition.safetensors
    python models/evaluate.py pages  python/kraken/assets/tiny_layout.safetensors
    python models/evaluate.py lm     python/kraken/assets/tiny_recognition.safetensors
    python models/evaluate.py text   example.txt output-of-kraken.txt --limit 0.05
    python models/evaluate.py layout MODEL --data FOLDER
    python models/evaluate.py recognition MODEL --data ../shared/data   # real documents, beside Tesseract

`lines` draws text lines that no training run has drawn and reads them; `pages` does the same with pages and
matches baselines; `lm` draws lines in bad condition and reads them with and without a language model, which
is estimated from other lines (the score is that with it); `text` compares two text files line by line, the
first being the truth. `layout` finds the lines of annotated pages, in a folder with one folder of pictures
and ALTO or PAGE files per set, and prints a table of the sets (the error rate is 1 - F1). A score beyond
`--limit` ends the program with status 1.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import fonts, language, layout, lines, scoring
from common.pages import PageWriter
from common.text import TextSource

#: Seed apart from those of the recipes.
SEED = 20_000


def recognition_error(model: Any, count: int, show: bool) -> float:
    """Returns the character error rate of a recognition model on newly drawn lines."""
    labels = {label[0]: char for char, label in model.user_metadata["codec"].items()}
    letters = "".join(labels[i] for i in range(1, max(labels) + 1))
    source = TextSource(np.random.default_rng([3, SEED]))
    available = fonts.faces()
    pairs = []
    for _ in range(count):
        line = lines.draw_line(source, available, int(source.rng.integers(20, 80)))
        image = torch.from_numpy(lines.network_input(line.image, model.input[2]))[None, None]
        reading = scoring.greedy(model(image)[0][0, :, 0].numpy(), letters)
        pairs.append((line.text, reading))
        if show and reading != line.text:
            print(f"  {line.text}\n  {reading}\n")
    return scoring.character_error_rate(pairs)


def baselines(model: Any, image: Image.Image) -> list[np.ndarray]:
    """Returns the baselines that a layout model finds, as (n, 2) arrays in pixels of the image."""
    from kraken.lib.segmentation import vectorize_lines

    height = model.input[2]
    width = int(image.width * height / image.height)
    scaled = image.convert("L").resize((width, height), Image.Resampling.LANCZOS)
    x = torch.from_numpy(np.asarray(scaled, dtype=np.float32) / 255)[None, None]
    logits = model(x.max() - x)[0]
    heat = torch.nn.functional.interpolate(logits, (height, width), mode="nearest").sigmoid()[0].numpy()
    scale = (image.width / width, image.height / height)
    return [np.array(line) * scale for line in vectorize_lines(heat[:3])]


def layout_error(model: Any, count: int, height: int = 1400) -> float:
    """Returns the share of wrong baselines (missed, or found but not there) on newly drawn pages.

    A found baseline is right if both its ends are near those of a true one: within 1 % of the page height in
    y, 2 % in x (baselines shall exceed the text a little).
    """
    writer = PageWriter(TextSource(np.random.default_rng([4, SEED])), fonts.faces(), height)
    wrong = total = 0
    for _ in range(count):
        page = writer.page()
        found = [np.stack([line[0], line[-1]]) for line in baselines(model, page.image)]
        truth = [np.array([a, b]) for a, b, _ in page.lines]
        missed = 0
        for line in truth:
            distance = [np.abs((line - other) / (0.02 * height, 0.01 * height)).max() for other in found]
            if distance and min(distance) < 1:
                found.pop(int(np.argmin(distance)))
            else:
                missed += 1
        print(f"  {len(truth)} lines, {missed} missed, {len(found)} without counterpart")
        wrong += missed + len(found)
        total += len(truth)
    return wrong / max(1, total)


def language_model_error(model: Any, count: int) -> float:
    """Returns the error rate with a language model; prints those of other decoders."""
    from kraken.lib.ctc_decoder import greedy_decoder
    from kraken.lib.decoders import BeamDecoder
    from kraken.lib.lm import Lexicon, NgramModel

    text = language.training_text(20_000)
    found = language.samples(model, count)
    if common := {sample.text for sample in found} & set(text):
        raise RuntimeError(f"The language model has seen lines that it is tested on: {sorted(common)}")
    lm = NgramModel.train(text)
    words = Lexicon(TextSource(np.random.default_rng(0)).words)
    codec = model.codec
    decoders = {
        "greedy": greedy_decoder,
        "beam 32": BeamDecoder(32),
        "beam 32, word list": BeamDecoder(32, lexicon=words).for_model(codec, 1),
        "beam 32, 5-grams, word list": BeamDecoder(32, lm, lexicon=words).for_model(codec, 1),
        "beam 32, 5-grams": BeamDecoder(32, lm).for_model(codec, 1),
    }
    score = 1.0
    for name, decoder in decoders.items():
        score = language.error(found, decoder, codec)
        print(f"  {name}: {score:.4f}")
    return score


def text_error(truth: Path, reading: Path) -> float:
    """Returns the character error rate of one text file against another, line by line in order."""
    expected, got = (
        [" ".join(x.split()) for x in p.read_text("utf-8").splitlines()] for p in (truth, reading)
    )
    return scoring.character_error_rate([("\n".join(filter(None, expected)), "\n".join(filter(None, got)))])


def annotated_error(
    models: list[Any], data: Path, sets: list[str] | None, *, held_out: bool, show: bool
) -> float:
    """Returns 1 - F1 of the baselines on annotated pages, and prints the scores of all sets."""
    table = layout.evaluate(
        layout.pipeline(models),
        data,
        sets,
        progress=lambda line: print(line, file=sys.stderr) if show else None,
        held_out=held_out,
    )
    print(table.markdown())
    for problem in table.problems:
        print(f"left out: {problem}")
    print(f"{table.seconds:.0f} s on the CPU for finding lines", file=sys.stderr)
    if not table.scores:
        raise SystemExit(f"No page with annotated baselines in {data}.")
    return 1 - table.total.f1


#: Tables on real documents: sub-command -> module with `main(arguments)`.
TABLES = {"recognition": "evaluation.recognition"}


def main() -> int:
    """Prints a score; returns 1 if it is worse than the limit."""
    if len(sys.argv) > 1 and sys.argv[1] in TABLES:
        return int(importlib.import_module(TABLES[sys.argv[1]]).main(sys.argv[2:]))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("lines", "pages", "lm", "text", "layout"))
    parser.add_argument("files", nargs="+", type=Path, help="a model, or two text files")
    parser.add_argument("--count", type=int, default=100, help="lines or pages to draw (default 100)")
    parser.add_argument("--limit", type=float, default=1.0, help="worst score allowed (default 1, anything)")
    parser.add_argument("--show", action="store_true", help="print the lines misread, or each page's score")
    parser.add_argument("--data", type=Path, help="folder with a folder of annotated pages per set")
    parser.add_argument("--sets", nargs="+", help="folders of the data to use (default all)")
    parser.add_argument("--validation", action="store_true", help="documents of common/documents.tsv only")
    args = parser.parse_args()
    if len(args.files) != (2 if args.what == "text" else 1):
        parser.error("'text' takes the truth and a reading; the others take one model")
    if args.what == "layout" and (args.data is None or not args.data.is_dir()):
        parser.error("'layout' needs a folder: --data")
    if args.what == "text":
        score = text_error(*args.files)
    else:
        from kraken.models import load_models

        loaded = load_models(args.files[0])
        model = loaded[0].eval()
        with torch.inference_mode():
            if args.what == "layout":
                score = annotated_error(
                    loaded, args.data, args.sets, held_out=args.validation, show=args.show
                )
            elif args.what == "lines":
                score = recognition_error(model, args.count, args.show)
            elif args.what == "lm":
                score = language_model_error(model, args.count)
            else:
                score = layout_error(model, args.count)
    print(f"{args.what}: error rate {score:.4f}")
    return int(score > args.limit)


if __name__ == "__main__":
    sys.exit(main())
