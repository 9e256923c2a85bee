"""How much a model forgets when it learns new letters.

    python benches/quality/finetuning.py python/kraken/assets/tiny_recognition.safetensors -- -q fixed -N 20
    python benches/quality/finetuning.py MODEL --page page.xml --page-val other.xml -- -q fixed -N 20

Draws a page of lines with letters that the model doesn't know (or takes real pages), goes on with the
model on them by ``ketos train -i MODEL --resize union`` and what stands after ``--``, and prints the
character error rate before and after: on the old lines (drawn as those that the model was made with), and on
new ones that weren't trained on. Ends with status 1 if the error rate on the old lines rises by a fifth or
more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models"))

from common import fonts
from common.lines import draw_line
from common.text import TextSource

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.ketos import cli
from kraken.lib.arrow_dataset import build_binary_dataset
from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel

#: letters of the model and those that take their place in the new lines
NEW = {"a": "äàâ", "e": "éèê", "i": "îï", "o": "öô", "u": "üùû", "c": "ç", "n": "ñ", "s": "ß"}
SHARE = 0.25
LIMIT = 1.2


class Accented(TextSource):
    """Text in which a share of the letters has marks that the model has never seen."""

    def line(self, length: int) -> str:
        """A line of at most `length` characters."""
        return "".join(self._changed(char) for char in super().line(length))

    def _changed(self, char: str) -> str:
        found = NEW.get(char)
        if found is None or self.rng.random() >= SHARE:
            return char
        return found[int(self.rng.integers(len(found)))]


def draw(folder: Path, name: str, source: TextSource, count: int) -> Path:
    """Compiles drawn lines; they are cut out as lines with baselines are."""
    available = fonts.faces()
    files = []
    for number in range(count):
        line = draw_line(source, available, int(source.rng.integers(20, 60)))
        files.append(folder / f"{name}{number:03}.png")
        line.image.save(files[-1])
        files[-1].with_suffix(".gt.txt").write_text(line.text, encoding="utf-8")
    compiled = folder / f"{name}.arrow"
    build_binary_dataset(files, compiled, format_type="path", force_type="kraken_recognition_baseline")
    return compiled


def error_rate(model: str | Path, data: Path) -> float:
    """Character error rate of a model on a compiled set."""
    config = VGSLRecognitionTrainingConfig(batch_size=8)
    module = VGSLRecognitionModel.load_from_weights(model, config)
    lines = VGSLRecognitionDataModule(
        VGSLRecognitionTrainingDataConfig(test_data=[data], format_type="binary", num_workers=0)
    )
    trainer = KrakenTrainer(
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    found = trainer.test(module, lines, verbose=False)
    return 1 - float(found.cer)


def prepare(args: argparse.Namespace, folder: Path) -> tuple[Path, Path, Path]:
    """Old lines, new ones to train on, new ones to test on."""

    def generator(number: int) -> np.random.Generator:
        return np.random.default_rng([args.seed, number])

    old = draw(folder, "old", TextSource(generator(1)), args.old)
    if not args.page:
        return (
            old,
            draw(folder, "new", Accented(generator(2)), args.lines),
            draw(folder, "unseen", Accented(generator(3)), args.old),
        )
    made = []
    for name, pages in (("new", args.page), ("unseen", args.page_val or args.page)):
        made.append(folder / f"{name}.arrow")
        build_binary_dataset(pages, made[-1], format_type="xml")
    return old, made[0], made[1]


def main() -> int:
    """Runs the experiment."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="weights of a recognition model")
    parser.add_argument("--page", action="append", help="real page instead of drawn lines; repeatable")
    parser.add_argument("--page-val", action="append", help="real page to test on; repeatable")
    parser.add_argument("--lines", type=int, default=40, help="drawn lines to train on (default 40)")
    parser.add_argument("--old", type=int, default=200, help="old lines to test on (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:cut])
    options = words[cut + 1 :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old, new, unseen = prepare(args, folder)
        before = error_rate(args.model, old), error_rate(args.model, unseen)
        manifest = folder / "unseen.txt"
        manifest.write_text(f"{unseen}\n", encoding="utf-8")
        start = time.process_time()
        command = [
            "-s",
            str(args.seed),
            "--workers",
            "0",
            "-v",
            "train",
            "-i",
            args.model,
            "--resize",
            "union",
        ]
        command += ["-f", "binary", "-e", str(manifest), "-o", str(folder / "out"), *options, str(new)]
        cli(command, standalone_mode=False)
        seconds = time.process_time() - start
        (best,) = (folder / "out").glob("best_*.safetensors")
        after = error_rate(best, old), error_rate(best, unseen)
    print(
        f"old lines: CER {100 * before[0]:.2f} % -> {100 * after[0]:.2f} % ({after[0] / before[0]:.2f} times)"
    )
    print(f"new lines: CER {100 * before[1]:.2f} % -> {100 * after[1]:.2f} %")
    print(f"{seconds:.0f} s of CPU time for training")
    return int(after[0] > LIMIT * before[0])


if __name__ == "__main__":
    sys.exit(main())
