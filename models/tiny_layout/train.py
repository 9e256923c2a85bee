"""Trains the tiny layout model: finds baselines and text blocks on clean printed pages.

python models/tiny_layout/train.py -o python/kraken/assets/tiny_layout.safetensors
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import fonts, targets, training
from common.pages import PageWriter
from common.text import TextSource

HEIGHT = 800
SPEC = (
    f"[1,{HEIGHT},0,1 Cr5,5,16,2,2 Gn4 Cr3,3,32,2,2 Gn8 Cr3,3,32 Gn8 Cr3,3,32,1,1,2,2 Gn8 "
    "Cr3,3,32,1,1,4,4 Gn8 Cr3,3,32,1,1,8,8 Gn8 Cr1,1,32 Gn8 O2l4]"
)
REDUCTION = 4
PAGES_PER_SEED = 10


def draw(seed: int) -> list[dict[str, Any]]:
    """Draws pages as network inputs (uint8, ink high) with maps at the resolution of the output."""
    source = TextSource(np.random.default_rng([1, seed]))
    writer = PageWriter(source, fonts.faces(), HEIGHT)
    samples = []
    for _ in range(PAGES_PER_SEED):
        page = writer.page()
        grey = np.asarray(page.image)
        maps = torch.from_numpy(targets.draw_targets(page)).float()
        size = [-(-n // REDUCTION) for n in grey.shape]
        # the engine compares with maps at full size and an output enlarged by repetition: to the loss
        # that is the same as the mean of each cell
        cells = functional.interpolate(maps[None], size=size, mode="area")[0]
        samples.append({"image": grey.max() - grey, "maps": (cells * 255).byte().numpy()})
    return samples


def loss_of(logits: Tensor, maps: Tensor) -> Tensor:
    """Cross entropy plus soft Dice, so that thin separators count as much as wide text blocks."""
    entropy = functional.binary_cross_entropy_with_logits(logits, maps)
    p = logits.sigmoid()
    overlap = (2 * (p * maps).sum((2, 3)) + 1) / (p.sum((2, 3)) + maps.sum((2, 3)) + 1)
    return entropy + 0.5 * (1 - overlap.mean())


def main() -> None:
    """Draws the pages, trains, writes the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="model file to write")
    parser.add_argument("--pages", type=int, default=400, help="pages to draw (default 400)")
    parser.add_argument("--epochs", type=int, default=3, help="times each page is seen (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and order (default 1)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default 2)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for package in fonts.missing_packages():
        print(f"note: fonts of the Debian package {package} are missing, training goes on without them")

    from kraken.lib.vgsl import TorchVGSLModel

    samples = training.rendered(
        draw, range(args.pages // PAGES_PER_SEED), training.WORK / f"tiny_layout_{args.pages}.data"
    )
    torch.manual_seed(args.seed)
    model = TorchVGSLModel(
        vgsl=SPEC,
        model_type=["segmentation"],
        one_channel_mode="L",
        class_mapping=targets.CLASS_MAPPING,
        bounding_regions=[],
        topline=False,
        hyper_params={"line_width": 6, "epochs": args.epochs, "pages": args.pages, "seed": args.seed},
    )
    steps = args.epochs * len(samples)
    order = np.concatenate(
        [np.random.default_rng([args.seed, e]).permutation(len(samples)) for e in range(args.epochs)]
    )

    def loss_at(step: int) -> Tensor:
        sample = samples[order[step]]
        image = sample["image"].float()[None, None] / 255
        image = image * (0.7 + 0.3 * torch.rand(1)) + 0.02 * torch.rand(1) * torch.randn_like(image)
        return loss_of(model(image)[0], sample["maps"].float()[None] / 255)

    plan = training.Plan(steps, 4e-3, args.seed, training.WORK / "tiny_layout.ckpt")
    training.fit(model, plan, loss_at)
    training.write_half(model, args.output)


if __name__ == "__main__":
    main()
