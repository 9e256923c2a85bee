"""Trains the default layout model: baselines and text regions of printed and handwritten pages.

    sh models/fonts.sh
    python models/layout/train.py --data FOLDER -o python/kraken/assets/layout.safetensors

FOLDER holds `pages/SET/` with pictures and ALTO or PageXML (see `common/documents.tsv` for the documents that
are kept for validation). Without --data the model learns from drawn pages only. A run that was interrupted
continues from its last checkpoint when the same command is given again.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections.abc import Iterator
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
from layout.real import Sheet, collect
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
#: Part of views that show drawn pages, in the first and in the second half of the steps.
DRAWN = (0.5, 0.25)
#: Part of views that show a whole page.
WHOLE = (0.3, 0.6)
#: Weights of separators, baselines and regions in the loss.
WEIGHTS = (1.0, 1.0, 2.0, 0.7)


class Views(Dataset[View]):
    """View i follows from the seed and i alone."""

    def __init__(self, count: int, seed: int, real: list[Sheet], drawn: int, area: int) -> None:
        self.count, self.seed, self.real, self.drawn, self.area = count, seed, real, drawn, area
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
        if not self.real or rng.random() < DRAWN[late]:
            sheet = self._drawn_sheet(int(rng.integers(self.drawn)))
        else:
            sheet = self.real[int(rng.choice(len(self.real), p=self._odds))]
        return view(sheet, rng, HEIGHT, self.area, whole=bool(rng.random() < WHOLE[late]))

    def _drawn_sheet(self, number: int) -> Sheet:
        if self._typefaces is None:
            self._typefaces = Typefaces()
        if number not in self._sheets:
            self._sheets[number] = draw_sheet(number, self._typefaces, HEIGHT)
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
    cache = training.WORK / "layout_real.pickle"
    if not cache.is_file():
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_bytes(pickle.dumps(list(collect(data, KEPT_HEIGHT, validation=False))))
    sheets: list[Sheet] = pickle.loads(cache.read_bytes())
    return sheets


def main() -> None:
    """Trains and writes the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="model file to write")
    parser.add_argument("--data", type=Path, help="folder with pages/ of real pages")
    parser.add_argument("--steps", type=int, default=5000, help="steps of one view (default 5000)")
    parser.add_argument("--drawn", type=int, default=400, help="different drawn pages (default 400)")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=1, help="seed of all randomness (default 1)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default 2)")
    parser.add_argument("--short", action="store_true", help="trial of a minute: the loss must fall")
    parser.add_argument(
        "--float32", action="store_true", help="train in 32 bits (default: bfloat16 where torch can)"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    from kraken.lib.vgsl import TorchVGSLModel

    if args.short:
        args.steps, args.drawn, args.data = 60, 8, None
    real = _real_sheets(args.data)
    print(f"{len(real)} real pages, {sum(len(s.lines) for s in real)} lines", flush=True)
    torch.manual_seed(args.seed)
    model = TorchVGSLModel(
        vgsl=SPEC,
        model_type=["segmentation"],
        one_channel_mode="L",
        class_mapping=targets.CLASS_MAPPING,
        bounding_regions=[],
        topline=False,
        hyper_params={"steps": args.steps, "seed": args.seed},
    )
    views = Views(args.steps, args.seed, real, args.drawn, AREA // 5 if args.short else AREA)
    source: Iterator[View] | None = None

    def loss_at(step: int) -> Tensor:
        nonlocal source
        if source is None:
            source = iter(
                DataLoader(
                    views, batch_size=None, sampler=range(step, args.steps), num_workers=1, prefetch_factor=8
                )
            )
        sample = next(source)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not args.float32):
            logits = model(sample.image)[0]
        return loss_of(logits.float(), sample.maps, sample.known)

    checkpoint = training.WORK / ("layout_short.ckpt" if args.short else "layout.ckpt")
    if args.short:
        checkpoint.unlink(missing_ok=True)
    plan = training.Plan(args.steps, args.rate, args.seed, checkpoint, average=0.998)
    losses = training.fit(model, plan, loss_at)
    if args.short:
        training.check_falls(losses)
    training.write_half(model, args.output)


if __name__ == "__main__":
    main()
