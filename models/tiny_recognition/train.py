"""Trains the tiny recognition model: reads clean print in Latin letters, line by line.

    python models/tiny_recognition/train.py -o python/kraken/assets/tiny_recognition.safetensors

Drawn lines come with the place of each letter. The first part of the training uses it: every column of
the output learns which letter has its middle there. That saves CTC the long time in which it only learns to
answer "blank"; the rest of the training is plain CTC.
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

from common import fonts, lines, scoring, training
from common.losses import ctc_loss, placed_loss
from common.text import CHARSET, TextSource

HEIGHT = 40
LABELS = "".join(sorted(CHARSET))
SPEC = (
    f"[1,{HEIGHT},0,1 Cr3,5,16,2,2 Gn4 Cr3,5,32 Gn4 Mp2,2 Cr3,3,64 Gn8 Mp2,1 S1(1x0)1,3 "
    f"Lbx96 Do0.1 O1c{len(LABELS) + 1}]"
)
LINES_PER_SEED = 250
LONGEST = 900
WARM_UP = 0.3
BATCH = 16


def draw(seed: int) -> list[dict[str, Any]]:
    """Draws lines as network inputs (uint8, ink high) with text and letter middles in input pixels."""
    available = fonts.faces()
    source = TextSource(np.random.default_rng([2, seed]))
    samples: list[dict[str, Any]] = []
    while len(samples) < LINES_PER_SEED:
        line = lines.draw_line(source, available, int(source.rng.integers(3, 50)))
        image = lines.network_input(line.image, HEIGHT)
        # too long for a quick batch, or too narrow for CTC to place all letters
        if image.shape[1] > LONGEST or image.shape[1] < 5 * len(line.text):
            continue
        middles = 16 + line.centres * (image.shape[1] - 32) / line.image.width
        samples.append(
            {
                "image": (image * 255).astype(np.uint8),
                "text": line.text,
                "middles": middles.astype(np.float32),
            }
        )
    return samples


def schedule(samples: list[dict[str, Any]], epochs: int, seed: int) -> list[np.ndarray]:
    """Returns the sample numbers of every batch: batches hold lines of like width, in random order."""
    widths = np.array([s["image"].shape[1] for s in samples])
    batches: list[np.ndarray] = []
    for epoch in range(epochs):
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(samples))
        groups = [order[i : i + 16 * BATCH] for i in range(0, len(order), 16 * BATCH)]
        ordered = [group[np.argsort(widths[group], kind="stable")] for group in groups]
        parts = [group[i : i + BATCH] for group in ordered for i in range(0, len(group), BATCH)]
        batches += [parts[i] for i in rng.permutation(len(parts))]
    return batches


def collate(samples: list[dict[str, Any]]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Returns the worn batch of images, labels per line, middles per line in batch pixels."""
    width = max(s["image"].shape[1] for s in samples)
    images = torch.zeros(len(samples), 1, HEIGHT, width)
    for row, sample in zip(images, samples, strict=True):
        row[0, :, : sample["image"].shape[1]] = sample["image"].float() / 255
    stretched = int(width * (0.9 + 0.2 * torch.rand(1).item()))
    images = functional.interpolate(images, (HEIGHT, stretched), mode="bilinear")
    # few different widths: torch prepares its kernels anew for every shape
    images = functional.pad(images, (0, -stretched % 64))
    images = images * (0.8 + 0.3 * torch.rand(len(samples), 1, 1, 1)) + 0.02 * torch.randn_like(images)
    labels = [torch.tensor([LABELS.index(c) + 1 for c in s["text"]]) for s in samples]
    return images, labels, [s["middles"] * stretched / width for s in samples]


def error_rate(model: torch.nn.Module, samples: list[dict[str, Any]]) -> float:
    """Returns the character error rate of the model on drawn lines."""
    model.eval()
    with torch.inference_mode():
        pairs = [
            (
                s["text"],
                scoring.greedy(model(s["image"][None, None].float() / 255)[0][0, :, 0].numpy(), LABELS),
            )
            for s in samples
        ]
    return scoring.character_error_rate(pairs)


def main() -> None:
    """Draws the lines, trains, writes the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="model file to write")
    parser.add_argument("--lines", type=int, default=10000, help="lines to draw (default 10000)")
    parser.add_argument("--epochs", type=int, default=3, help="times each line is seen (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and order (default 1)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default 2)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for package in fonts.missing_packages():
        print(f"note: fonts of the Debian package {package} are missing, training goes on without them")

    from kraken.lib.vgsl import TorchVGSLModel

    chunks = args.lines // LINES_PER_SEED
    # the last chunk is kept for the final score
    samples = training.rendered(
        draw, range(chunks + 1), training.WORK / f"tiny_recognition_{args.lines}.data"
    )
    samples, held_out = samples[:-LINES_PER_SEED], samples[-LINES_PER_SEED:]
    torch.manual_seed(args.seed)
    model = TorchVGSLModel(
        vgsl=SPEC,
        model_type=["recognition"],
        one_channel_mode="L",
        seg_type="baselines",
        legacy_polygons=False,
        codec={char: [label] for label, char in enumerate(LABELS, 1)},
        hyper_params={"lines": args.lines, "epochs": args.epochs, "seed": args.seed},
    )
    batches = schedule(samples, args.epochs, args.seed)

    def loss_at(step: int) -> Tensor:
        images, labels, middles = collate([samples[i] for i in batches[step]])
        logits = model(images)[0].squeeze(2)
        if step < WARM_UP * len(batches):
            return placed_loss(logits, labels, middles, images.shape[3])
        return ctc_loss(logits, labels)

    plan = training.Plan(len(batches), 8e-3, args.seed, training.WORK / "tiny_recognition.ckpt")
    training.fit(model, plan, loss_at)
    print(f"character error rate on {len(held_out)} held-out lines: {error_rate(model, held_out):.4f}")
    training.write_half(model, args.output)


if __name__ == "__main__":
    main()
