"""Trains the default layout model: baselines and text regions of printed and handwritten pages.

    sh models/fonts.sh
    python models/layout/train.py --data FOLDER -o python/kraken/assets/layout.safetensors

FOLDER holds `pages/SET/` with pictures and ALTO or PageXML (see `common/documents.tsv` for the documents that
are kept for validation). Without --data the model learns from drawn pages only. The second stage shows more
whole and more real pages, some of them beside parts of others, at lower rates: what isn't a line of the page
only shows in its surroundings. A run that was interrupted continues from its last checkpoint when the same
command is given again.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import targets, training
from common.typefaces import Typefaces

from layout.draw import draw_sheet
from layout.real import Sheet, beside, collect
from layout.view import View, view

HEIGHT = 1440
#: A small U-net: half, a quarter, an eighth and a sixteenth of the page, and back to half.
SPEC = (
    f"[1,{HEIGHT},0,1 Cr5,5,16,2,2 Gn4 Cr3,3,32,2,2 Gn8 Cr3,3,32 Gn8 "
    "(I [Cr3,3,64,2,2 Gn8 Cr3,3,64 Gn8 "
    "(I [Cr3,3,96,2,2 Gn8 Cr3,3,96 Gn8 Cr3,3,96,1,1,2,2 Gn8 Cr3,3,96,1,1,4,4 Gn8 CTr3,3,64,2,2]) "
    "Gn8 Cr3,3,64 Gn8 CTr3,3,32,2,2]) Gn8 Cr3,3,32 Gn8 CTr4,4,16,2,2 Gn4 O2l4]"
)
KEPT_HEIGHT = 1800  # of pages in memory
AREA = 1_500_000  # pixels of a view
#: Mean confidence from which on a found line counts, by the F1 on the validation documents.
MIN_CONFIDENCE = 0.7
#: Part of the weights that training starts from (``--start``) in those at its end.
KEPT = 0.5
#: Weights of separators, baselines and regions in the loss.
WEIGHTS = (1.0, 1.0, 2.0, 0.7)


@dataclass(frozen=True)
class Mix:
    """What a stage shows; pairs are for its first and its second half.

    Attributes:
        drawn: Views of drawn pages.
        whole: Views of whole pages.
        beside: Views of real pages beside a strip of another page.
        dense: Whether newspapers, advertisements and tables with short entries are drawn, too.
    """

    drawn: tuple[float, float]
    whole: tuple[float, float]
    beside: float
    dense: bool = False


FIRST = Mix(drawn=(0.5, 0.25), whole=(0.3, 0.6), beside=0.0)
SECOND = Mix(drawn=(0.35, 0.25), whole=(0.7, 0.85), beside=0.2)
THIRD = Mix(drawn=(0.35, 0.25), whole=(0.8, 0.9), beside=0.2, dense=True)
#: Of each stage: end of its checkpoint's name, part of the rate, what it shows.
STAGES = (("", 1.0, FIRST), ("_second", 0.4, SECOND), ("_third", 0.4, THIRD))


class Views(Dataset[View]):
    """View i follows from the seed and i alone."""

    def __init__(self, count: int, seed: int, real: list[Sheet], drawn: range, area: int, mix: Mix) -> None:
        self.count, self.seed, self.real, self.drawn, self.area = count, seed, real, drawn, area
        self.mix = mix
        self._typefaces: Typefaces | None = None
        self._sheets: dict[int, Sheet] = {}
        sets = [sheet.source.split("/")[0] for sheet in real]
        # the root evens out sets of ten pages and of one
        odds = np.array([sets.count(name) ** -0.5 for name in sets])
        self._odds = odds / odds.sum() if len(odds) else odds

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> View:
        rng = np.random.default_rng([self.seed, i])
        late = i >= self.count // 2
        if not self.real or rng.random() < self.mix.drawn[late]:
            sheet = self._drawn_sheet(int(rng.choice(self.drawn)))
        else:
            sheet = self._real_sheet(rng)
            if rng.random() < self.mix.beside:
                sheet = beside(sheet, self._real_sheet(rng), rng)
        return view(sheet, rng, HEIGHT, self.area, whole=bool(rng.random() < self.mix.whole[late]))

    def _real_sheet(self, rng: np.random.Generator) -> Sheet:
        return self.real[int(rng.choice(len(self.real), p=self._odds))]

    def _drawn_sheet(self, number: int) -> Sheet:
        if self._typefaces is None:
            self._typefaces = Typefaces()
        if number not in self._sheets:
            self._sheets[number] = draw_sheet(number, self._typefaces, HEIGHT, dense=self.mix.dense)
        return self._sheets[number]


def loss_of(logits: Tensor, maps: Tensor, known: Tensor) -> Tensor:
    """Cross entropy plus soft Dice over the known maps, so that thin separators count like wide blocks."""
    logits = logits[:, :, : maps.shape[2], : maps.shape[3]]
    maps = maps[:, :, : logits.shape[2], : logits.shape[3]]
    entropy = functional.binary_cross_entropy_with_logits(logits, maps, reduction="none").mean((0, 2, 3))
    p = logits.sigmoid()
    both = (p * maps).sum((0, 2, 3))
    overlap = (2 * both + 20) / ((p.square() + maps.square()).sum((0, 2, 3)) + 20)
    weights = torch.tensor(WEIGHTS) * known
    return ((5 * entropy + 1 - overlap) * weights).sum() / weights.sum().clamp(min=1)


def _real_sheets(data: Path | None) -> list[Sheet]:
    if data is None:
        return []
    cache = training.cache_for("layout_real", data, Path(__file__).with_name("real.py"))
    if not cache.is_file():
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_bytes(pickle.dumps(list(collect(data, KEPT_HEIGHT, validation=False))))
    sheets: list[Sheet] = pickle.loads(cache.read_bytes())
    return sheets


def main() -> None:
    """Trains and writes the model."""
    parser = training.parser(__doc__, steps=5000, rate=2e-3)
    parser.add_argument("--drawn", type=int, default=400, help="different drawn pages a stage (default 400)")
    parser.add_argument("--more-steps", type=int, default=4500, help="of the second stage (default 4500)")
    parser.add_argument("--last-steps", type=int, default=4000, help="of the third stage (default 4000)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    from kraken.lib.vgsl import TorchVGSLModel

    if args.short:
        args.steps, args.more_steps, args.last_steps, args.drawn, args.data = 60, 0, 0, 8, None
    real = _real_sheets(args.data)
    print(f"{len(real)} real pages, {sum(len(s.lines) for s in real)} lines", flush=True)
    torch.manual_seed(args.seed)
    steps = (args.steps, args.more_steps, args.last_steps)
    names = ("steps", "more_steps", "last_steps")
    model = TorchVGSLModel(
        vgsl=SPEC,
        model_type=["segmentation"],
        one_channel_mode="L",
        class_mapping=targets.CLASS_MAPPING,
        bounding_regions=[],
        topline=False,
        min_confidence=MIN_CONFIDENCE,
        hyper_params={**dict(zip(names, steps, strict=True)), "seed": args.seed},
    )
    if args.start:
        training.start_from(args.start, model)
        steps = (0, 0, args.last_steps)
    name, area = ("layout_short", AREA // 5) if args.short else ("layout", AREA)
    if args.short:
        (training.WORK / f"{name}.ckpt").unlink(missing_ok=True)
    before = training.weights_of(model)
    for number, (count, (suffix, slower, mix)) in enumerate(zip(steps, STAGES, strict=True)):
        if not count:
            continue
        seed = args.seed + number
        checkpoint = training.WORK / f"{name}{suffix}.ckpt"
        plan = training.Plan(count, slower * args.rate, seed, checkpoint, average=0.998)
        drawn = range(number * args.drawn, (number + 1) * args.drawn)
        losses = _stage(model, plan, Views(count, seed, real, drawn, area, mix), half=not args.float32)
        if args.short:
            training.check_falls(losses)
    if args.start:
        training.keep_part(model, before, KEPT)
    training.write_half(model, args.output)


def _stage(model: torch.nn.Module, plan: training.Plan, views: Views, *, half: bool) -> list[float]:
    source: Iterator[View] | None = None

    def loss_at(step: int) -> Tensor:
        nonlocal source
        if source is None:
            left = range(step, plan.steps)
            source = iter(DataLoader(views, batch_size=None, sampler=left, num_workers=1, prefetch_factor=8))
        sample = next(source)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            logits = model(sample.image)[0]
        return loss_of(logits.float(), sample.maps, sample.known)

    return training.fit(model, plan, loss_at)


if __name__ == "__main__":
    main()
