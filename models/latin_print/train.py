"""Trains the default recognition model: print in Latin script of five centuries, line by line.

    sh models/fonts.sh
    python models/latin_print/train.py --data FOLDER -o python/kraken/assets/latin_print.safetensors

FOLDER holds `pages/SET/*.xml` with pictures and `lines/SET/*.gt.txt` (see `common/documents.tsv` for the
documents that are kept for validation). Without --data the model learns from drawn lines only. A run that was
interrupted continues from its last checkpoint when the same command is given again.
"""

from __future__ import annotations

import argparse
import logging
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import scoring, training
from common.corpus import Corpus
from common.growth import grow
from common.losses import ctc_loss, placed_loss
from common.typefaces import Typefaces

from latin_print.alphabet import ALPHABET
from latin_print.draw import EARLY, FIRST, HARD, HEIGHT, LAST, THIRD, Style, draw_line
from latin_print.real import RealLine, augmented, collect

SPEC = (
    f"[1,{HEIGHT},0,1 Cr5,5,24,2,2 Gn6 Cr3,3,48,2,1 Gn6 Cr3,3,64,1,2 Gn8 Cr3,3,80,2,1 Gn8 Cr3,3,96,2,1 Gn8 "
    "S1(1x0)1,3 Lbx{units} Do0.1 Lbx{units} Do0.1 "
    f"O1c{len(ALPHABET) + 1}]"
)
#: Units of the recurrent layers, in each direction: of the first three stages, and from the fourth on.
NARROW, WIDE = 160, 256
#: Part of the weights before each wide stage in those after it.
KEPT = 0.25
BATCH = 16
PER_CHUNK = 16  # batches that are drawn at once, so that lines of like width share a batch
WIDEST = 1500
#: Part of the steps in which drawn lines teach the places of letters; the rest is CTC.
PLACED = 0.08
#: Part of real lines before and after half of the steps.
REAL = (0.15, 0.35)
#: Of each stage: its name, steps, part of the learning rate, what is drawn. The wide network begins with the
#: fourth, which grows out of the narrow one.
STAGES = (
    ("steps", 14400, 1.0, FIRST),
    ("hard", 4800, 0.4, HARD),
    ("third", 8000, 0.4, THIRD),
    ("last", 9000, 0.4, LAST),
    ("early", 9500, 0.4, EARLY),
)
LABELS = {char: label for label, char in enumerate(ALPHABET, 1)}


class Sample:
    """A line as the network gets it: image (uint8, ink high), labels, middles of letters if known."""

    __slots__ = ("image", "labels", "middles")

    def __init__(self, image: np.ndarray, text: str, middles: np.ndarray | None) -> None:
        self.image = image
        self.labels = [LABELS[c] for c in text if c in LABELS]
        self.middles = middles


class Chunks(Dataset[list[list[Sample]]]):
    """Chunk i: `PER_CHUNK` batches that follow from the seed and i alone.

    Args:
        count: Number of chunks.
        seed: Seed of all randomness.
        real: Real lines to mix in.
        placed: Number of chunks at the start whose lines have places for their letters.
        style: What is drawn.
    """

    def __init__(self, count: int, seed: int, real: list[RealLine], placed: int, style: Style) -> None:
        self.count, self.seed, self.real, self.placed, self.style = count, seed, real, placed, style
        self._tools: tuple[Corpus, Typefaces] | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> list[list[Sample]]:
        if self._tools is None:  # made in the worker, once
            # seams that find no room between drawn lines are nothing to report
            logging.getLogger("kraken").setLevel(logging.ERROR)
            texts = [line.text for line in self.real if "�" not in line.text]
            self._tools = (Corpus(np.random.default_rng(), ALPHABET, texts, 0.2), Typefaces())
        corpus, typefaces = self._tools
        rng = corpus.rng = np.random.default_rng([self.seed, i])
        late = self.style is not FIRST or i >= self.count // 2
        part = 0.0 if i < self.placed or not self.real else REAL[late]
        samples: list[Sample] = []
        while len(samples) < PER_CHUNK * BATCH:
            if rng.random() < part:
                line = self.real[int(rng.integers(len(self.real)))]
                sample = Sample(augmented(line, rng), line.text, None)
            else:
                length = int(rng.integers(2, 78) if rng.random() < 0.5 else rng.integers(35, 70))
                drawn = draw_line(corpus, typefaces, length, self.style)
                if drawn is None:
                    continue
                sample = Sample(drawn.image, drawn.text, drawn.middles)
            if sample.labels and 5 * len(sample.labels) < sample.image.shape[1] <= WIDEST:
                samples.append(sample)
        samples.sort(key=lambda s: s.image.shape[1])
        batches = [samples[k : k + BATCH] for k in range(0, len(samples), BATCH)]
        return [batches[k] for k in rng.permutation(len(batches))]


def collate(samples: list[Sample]) -> tuple[Tensor, list[Tensor], list[np.ndarray] | None]:
    """Returns the batch of images, and per line its labels and, if all are known, middles in pixels."""
    width = max(s.image.shape[1] for s in samples)
    images = torch.zeros(len(samples), 1, HEIGHT, width)
    for row, sample in zip(images, samples, strict=True):
        row[0, :, : sample.image.shape[1]] = torch.from_numpy(sample.image).float() / 255
    stretched = int(width * (0.92 + 0.16 * torch.rand(1).item()))
    images = functional.interpolate(images, (HEIGHT, stretched), mode="bilinear")
    images = functional.pad(
        images, (0, -stretched % 64)
    )  # few different widths: kernels are prepared for each
    images = images * (0.75 + 0.3 * torch.rand(len(samples), 1, 1, 1)) + 0.02 * torch.randn_like(images)
    labels = [torch.tensor(s.labels) for s in samples]
    if any(s.middles is None for s in samples):
        return images, labels, None
    return images, labels, [s.middles * stretched / width for s in samples if s.middles is not None]


def error_rates(model: torch.nn.Module, lines: list[RealLine]) -> dict[str, float]:
    """Returns the character error rate on unchanged real lines, by set and over all."""
    model.eval()
    pairs: dict[str, list[tuple[str, str]]] = {}
    with torch.inference_mode():
        for line in lines:
            logits = model(torch.from_numpy(_plain(line.image))[None, None])[0]
            read = scoring.greedy(logits[0, :, 0].numpy(), ALPHABET)
            for name in (line.source.split("/")[0], "all"):
                pairs.setdefault(name, []).append((line.text, read))
    model.train()
    return {name: scoring.character_error_rate(found) for name, found in sorted(pairs.items())}


def _plain(image: np.ndarray) -> np.ndarray:
    from common.lines import network_input
    from PIL import Image

    return network_input(Image.fromarray(image), HEIGHT)


def _real_lines(data: Path | None) -> tuple[list[RealLine], list[RealLine]]:
    if data is None:
        return [], []
    cache = training.cache_for("latin_print_real", data, Path(__file__).with_name("real.py"))
    if not cache.is_file():
        cache.parent.mkdir(parents=True, exist_ok=True)
        both = [list(collect(data, validation=v)) for v in (False, True)]
        cache.write_bytes(pickle.dumps(both))
    train, validation = pickle.loads(cache.read_bytes())
    return train, validation


def _stage(
    model: torch.nn.Module,
    plan: training.Plan,
    chunks: Chunks,
    placed: int,
    *,
    half: bool,
    check: Callable[[int], None],
) -> list[float]:
    """Trains one stage; `check` is called every 1200 steps with the number of the step."""
    batches: Iterator[list[Sample]] | None = None

    def loss_at(step: int) -> Tensor:
        nonlocal batches
        if batches is None:
            batches = _batches(chunks, step)
        if step and step % 1200 == 0:
            check(step)
        images, labels, middles = collate(next(batches))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            logits = model(images)[0].squeeze(2)
        logits = logits.float()
        if step < placed and middles is not None:
            return placed_loss(logits, labels, middles, images.shape[3])
        return ctc_loss(logits, labels)

    return training.fit(model, plan, loss_at)


def _arguments() -> argparse.Namespace:
    """What was asked for; `stages` has the steps of each stage."""
    parser = training.parser(__doc__, steps=STAGES[0][1], rate=2.5e-3)
    for name, default, _, _ in STAGES[1:]:
        parser.add_argument(
            f"--{name}-steps",
            type=int,
            default=default,
            help=f"steps of the stage {name!r} (default {default})",
        )
    args = parser.parse_args()
    args.stages = [args.steps, *(getattr(args, f"{name}_steps") for name, *_ in STAGES[1:])]
    if args.short:
        args.stages, args.data = [96, 0, 0, 0, 0], None
    elif args.start:
        args.stages[:-1] = [0] * (len(STAGES) - 1)
    return args


def main() -> None:
    """Trains and writes the model."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    real, validation = _real_lines(args.data)
    print(f"{len(real)} real lines, {len(validation)} validation lines", flush=True)
    torch.manual_seed(args.seed)
    counts = {name: count for (name, *_), count in zip(STAGES, args.stages, strict=True)}
    model, wide = (_network(units, {**counts, "seed": args.seed}) for units in (NARROW, WIDE))

    def check(step: int) -> None:
        if validation:
            print(f"step {step} validation {_shown(error_rates(model, validation[::3]))}", flush=True)

    if args.start:
        model = training.start_from(args.start, model, wide)
    for number, (name, _, slower, style) in enumerate(STAGES):
        steps = args.stages[number]
        if not steps:
            continue
        if style in (LAST, EARLY) and model is not wide:
            grow(model, wide)
            model = wide
        before = training.weights_of(model)
        placed = 0 if number else steps if args.short else round(PLACED * steps)
        chunks = Chunks(-(-steps // PER_CHUNK), args.seed + number, real, -(-placed // PER_CHUNK), style)
        checkpoint = training.WORK / f"latin_print_{'short' if args.short else name}.ckpt"
        if args.short:
            checkpoint.unlink(missing_ok=True)
        plan = training.Plan(steps, slower * args.rate, args.seed + number, checkpoint, average=0.999)
        losses = _stage(model, plan, chunks, placed, half=not args.float32, check=check)
        check(steps)
        if model is wide:
            training.keep_part(model, before, KEPT)
        if args.short:
            training.check_falls(losses)
    if validation:
        print(f"character error rate by set: {_shown(error_rates(model, validation))}")
    training.write_half(model, args.output)


def _network(units: int, hyper_params: dict[str, int]) -> torch.nn.Module:
    from kraken.lib.vgsl import TorchVGSLModel

    return TorchVGSLModel(
        vgsl=SPEC.format(units=units),
        model_type=["recognition"],
        one_channel_mode="L",
        seg_type="baselines",
        legacy_polygons=False,
        codec={char: [label] for char, label in LABELS.items()},
        hyper_params=hyper_params,
    )


def _batches(chunks: Chunks, step: int) -> Iterator[list[Sample]]:
    """Yields the batches from step number `step` on."""
    first, skipped = divmod(step, PER_CHUNK)
    loader: DataLoader[list[list[Sample]]] = DataLoader(
        chunks, batch_size=None, sampler=range(first, len(chunks)), num_workers=1, prefetch_factor=2
    )
    for chunk in loader:
        yield from chunk[skipped:]
        skipped = 0


def _shown(rates: dict[str, float]) -> str:
    return "  ".join(f"{name} {rate:.4f}" for name, rate in rates.items())


if __name__ == "__main__":
    main()
