"""Prints how fast layout networks are trained and how much memory that takes, as a table in Markdown.

    python benches/python/layout_training.py [--threads 1 2] [--workers 1 0] [--steps 4] [--width 1245]

The default network and configuration of ``ketos segtrain`` learn ``../shared/bench/page-33-lines`` (or
a drawn one), set on a sheet that is 1245 pixels wide at the network's 1800: the conditions that the
reference engine's figures were noted under (two cores, one loader process, ``32-true``). Each row is a
process of its own. The first step isn't counted; memory is the most that the training process held, without
loader processes. Figures are noted on the clock and by the processor time of the training process; on a busy
machine only the latter means something.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benches" / "python")]

#: pages/s of the reference engine by threads, and its peak memory in MB
REFERENCE = {1: 0.0685, 2: 0.13}
REFERENCE_MEMORY = 3700
HEIGHT = 1800


def sheet(folder: Path, width: int) -> Any:
    """The page in the middle of a sheet of the wanted width at HEIGHT, with its lines and a region."""
    from table import load  # beside this file

    from kraken.containers import BaselineLine, Region, Segmentation

    page, lines, _ = load()
    sides = (round(page.height * width / HEIGHT), page.height)
    left = (sides[0] - page.width) // 2
    whole = Image.new("RGB", sides, (236, 230, 220))
    whole.paste(page, (left, 0))
    name = folder / "page.png"
    whole.save(name)
    baselines = [[(x + left, y) for x, y in line.baseline] for line in lines]
    xs, ys = zip(*(point for line in baselines for point in line), strict=True)
    outline = [(min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys))]
    return Segmentation(
        type="baselines",
        imagename=str(name),
        text_direction="horizontal-lr",
        script_detection=False,
        lines=[BaselineLine(id=str(i), baseline=line) for i, line in enumerate(baselines)],
        regions={"text": [Region(id="region", boundary=outline)]},
    )


def train(threads: int, workers: int, steps: int, width: int) -> dict[str, float]:
    """Trains in this process; seconds per step on the clock and of the processor, and memory in MB."""
    from kraken.ketos._training import ask_for_huge_pages, import_compiler

    ask_for_huge_pages()  # as the command does it
    import torch

    import_compiler()
    from lightning.pytorch.callbacks import Callback
    from training import quiet_trainer  # beside this file

    from kraken.configs import BLLASegmentationTrainingConfig, BLLASegmentationTrainingDataConfig
    from kraken.train import BLLASegmentationDataModule, BLLASegmentationModel

    class Clock(Callback):
        def __init__(self) -> None:
            self.marks: list[tuple[float, float]] = []

        def on_train_batch_end(self, *_: Any) -> None:
            self.marks.append((time.perf_counter(), time.process_time()))

    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(threads)
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        page = {"doc": sheet(Path(name), width)}
        config = BLLASegmentationTrainingConfig(quit="fixed", epochs=1, checkpoint_path=name)
        data = BLLASegmentationTrainingDataConfig(
            format_type=None,
            training_data=[page] * (steps + 1),
            evaluation_data=[page],
            num_workers=workers,
        )
        trainer = quiet_trainer(clock)
        trainer.fit(BLLASegmentationModel(config), BLLASegmentationDataModule(data))
    (wall, cpu), (last_wall, last_cpu) = clock.marks[0], clock.marks[-1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": (last_wall - wall) / steps, "cpu": (last_cpu - cpu) / steps, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 0])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--width", type=int, default=1245)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(train(options.threads[0], options.workers[0], options.steps, options.width)))
        return
    print("| threads | loaders | s a step | of one core | pages/s | reference | ratio | MB | ratio |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for threads in options.threads:
        for workers in options.workers:
            chosen = ["--threads", str(threads), "--workers", str(workers), "--steps", str(options.steps)]
            command = [sys.executable, __file__, "--one", *chosen, "--width", str(options.width)]
            output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
            found = json.loads(output.splitlines()[-1])
            rate, known = 1 / found["wall"], REFERENCE[threads]
            times = f"{found['wall']:.2f} | {found['cpu']:.2f}"
            print(
                f"| {threads} | {workers} | {times} | {rate:.3f} | {known} | "
                f"{rate / known:.2f} | {found['memory']:.0f} | "
                f"{found['memory'] / REFERENCE_MEMORY:.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
