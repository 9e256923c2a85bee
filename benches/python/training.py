"""Prints how fast recognition is trained and data is compiled, as a table in Markdown.

    python benches/python/training.py [--threads 1 2] [--lines 40] [train] [compile] [start]

The lines are those of ``../shared/bench/page-33-lines`` (or of a drawn page), stretched to a mean width of
3756 pixels at the height of 120: the conditions that the reference engine's figures were noted under (two
cores, one loader process, the default network, ``32-true``). Figures are noted on the clock and by the
processor time of the training process; on a busy machine only the latter means something.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benches" / "python")]

#: lines/s of the reference engine by (batch size, threads)
REFERENCE = {(1, 1): 1.62, (1, 2): 2.39, (8, 1): 0.79, (8, 2): 1.35}
#: its marginal rate of compilation in lines/s with two workers, and its peak memory in MB
REFERENCE_COMPILE, REFERENCE_MEMORY = (320, 530), 556
MEAN_WIDTH, HEIGHT, LINES_PER_PAGE, PAGES = 3756, 120, 44, 40
TEXT = "Une ligne de texte assez longue pour qu'elle ressemble à une vraie"

_FIRST_STEP = """
import os, sys, threading, time
def watch():
    while "lightning" not in sys.modules or "torch.optim.optimizer" not in sys.modules:
        time.sleep(0.02)
    time.sleep(0.05)
    from torch.optim.optimizer import register_optimizer_step_post_hook
    def stepped(*_):
        print(f"{time.time() - start:.2f} {time.process_time():.2f}", flush=True)
        os._exit(0)
    register_optimizer_step_post_hook(stepped)
start = time.time()
threading.Thread(target=watch, daemon=True).start()
from kraken.ketos.main import cli
cli(sys.argv[1:])
"""


def page_and_lines() -> tuple[Image.Image, list[Any]]:
    """The page and its lines."""
    from table import load  # beside this file

    page, lines, *_ = load()
    return page, lines


def write_line_images(folder: Path, count: int) -> list[str]:
    """Line images of a mean width of MEAN_WIDTH at HEIGHT, with texts."""
    from kraken.lib.segmentation.extraction import extract_lines

    page, lines = page_and_lines()
    images = [Image.fromarray(a) for a in extract_lines(page, lines) if not isinstance(a, str)]
    images = [im for im in images if im.width > 10 * im.height] or images
    chosen = [images[k % len(images)] for k in range(count)]
    mean = np.mean([im.width * HEIGHT / im.height for im in chosen])
    names = []
    for k, im in enumerate(chosen):
        width = round(im.width * HEIGHT / im.height * MEAN_WIDTH / mean)
        name = folder / f"{k:03d}.png"
        im.resize((width, HEIGHT)).save(name)
        name.with_suffix(".gt.txt").write_text(f"{TEXT} {k}", encoding="utf-8")
        names.append(str(name))
    return names


def quiet_trainer(clock: Any) -> Any:
    """A trainer of one epoch that only trains, with a callback that takes the time."""
    from kraken.train import KrakenTrainer

    return KrakenTrainer(
        accelerator="cpu",
        precision="32-true",
        max_epochs=1,
        min_epochs=1,
        callbacks=[clock],
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
    )


def train(files: list[str], threads: int, batch: int, budget: int = 0) -> tuple[float, float, float]:
    """Lines/s on the clock and by processor time after some steps of warm-up, and the memory."""
    import torch
    from lightning.pytorch.callbacks import Callback

    from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
    from kraken.train import VGSLRecognitionDataModule, VGSLRecognitionModel

    class Clock(Callback):
        def __init__(self) -> None:
            self.marks: list[tuple[float, float, int]] = []
            self.lines = 0

        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int) -> None:
            self.lines += len(batch["image"])
            self.marks.append((time.perf_counter(), time.process_time(), self.lines))

    clock = Clock()
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        config = VGSLRecognitionTrainingConfig(
            quit="fixed", epochs=1, batch_size=batch, checkpoint_path=folder
        )
        data = VGSLRecognitionTrainingDataConfig(
            format_type="path",
            training_data=files,
            evaluation_data=files[:1],
            num_workers=1,
            pixel_budget=budget,
        )
        trainer = quiet_trainer(clock)
        trainer.fit(VGSLRecognitionModel(config), VGSLRecognitionDataModule(data))
    warm = max(1, min(4, len(clock.marks) // 3))
    (wall, cpu, done), (last_wall, last_cpu, last_done) = clock.marks[warm - 1], clock.marks[-1]
    lines = last_done - done
    return lines / (last_wall - wall), lines / (last_cpu - cpu), resource_of(resource.RUSAGE_SELF)


def resource_of(who: int) -> float:
    """Largest memory so far in MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def training_rows(threads: list[int], count: int) -> Iterator[str]:
    """How many lines a second are trained."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_line_images(Path(folder), count)
        for number in threads:
            for batch, budget in ((1, 0), (8, 0), (1, 4 * MEAN_WIDTH * HEIGHT)):
                wall, cpu, memory = train(files, number, batch, budget)
                known = REFERENCE.get((batch, number))
                ratio = f"{wall / known:.2f}x" if known and not budget else ""
                name = f"pixel budget {budget}" if budget else f"batch {batch}"
                yield (
                    f"| train, {name}, {number} threads | {wall:.2f} | {cpu:.2f} | {known or ''} | {ratio} | "
                    f"{memory:.0f} |"
                )


def write_pages(folder: Path) -> list[str]:
    """PageXML files of PAGES pages with LINES_PER_PAGE lines each."""
    page, lines = page_and_lines()
    lines = (lines * LINES_PER_PAGE)[:LINES_PER_PAGE]

    def points(line: Any) -> str:
        return " ".join(f"{int(x)},{int(y)}" for x, y in line)

    names = []
    for number in range(PAGES):
        image = folder / f"{number:02d}.jpg"
        page.save(image, quality=92)
        body = "".join(
            f'<TextLine id="l{k}"><Coords points="{points(line.boundary)}"/>'
            f'<Baseline points="{points(line.baseline)}"/>'
            f"<TextEquiv><Unicode>{TEXT} {k}</Unicode></TextEquiv></TextLine>"
            for k, line in enumerate(lines)
        )
        frame = f"0,0 {page.width},0 {page.width},{page.height} 0,{page.height}"
        document = (
            '<?xml version="1.0" encoding="UTF-8"?><PcGts '
            'xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Metadata/>'
            f'<Page imageFilename="{image.name}" imageWidth="{page.width}" imageHeight="{page.height}">'
            f'<TextRegion id="r"><Coords points="{frame}"/>{body}</TextRegion></Page></PcGts>'
        )
        image.with_suffix(".xml").write_text(document, encoding="utf-8")
        names.append(str(image.with_suffix(".xml")))
    return names


def run(*arguments: str) -> SimpleNamespace:
    """Runs a program; times, memory and what it printed."""
    paths = os.pathsep.join([str(ROOT / "python"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return SimpleNamespace(
        wall=time.perf_counter() - start,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
        output=output,
    )


def compile_rows(folder: Path) -> Iterator[str]:
    """How many lines a second are compiled, not counting the start."""
    files = write_pages(folder)
    target = str(folder / "lines.arrow")
    for workers in (1, 2):
        options = ("-m", "kraken.ketos", "--workers", str(workers), "compile", "-o", target)
        one, all_ = run(*options, *files[:2]), run(*options, *files)
        lines = (PAGES - 2) * LINES_PER_PAGE
        wall, cpu = lines / (all_.wall - one.wall), lines / (all_.cpu - one.cpu)
        known = "–".join(map(str, REFERENCE_COMPILE)) if workers == 2 else "170–190"
        yield (
            f"| compile, {workers} workers | {wall:.0f} | {cpu:.0f} per core | {known} | "
            f"{wall / (REFERENCE_COMPILE[0] if workers == 2 else 170):.2f}x | {all_.memory:.0f} |"
        )
    yield f"| reference, compile, 2 workers | | | | | {REFERENCE_MEMORY} |"


def start_rows(folder: Path) -> Iterator[str]:
    """How long it takes until help is shown, and until the first step on compiled lines."""
    target = folder / "lines.arrow"
    if not target.exists():
        run("-m", "kraken.ketos", "compile", "-o", str(target), *write_pages(folder)[:23])
    shown = run("-m", "kraken.ketos", "train", "--help")
    yield f"| `ketos train --help`, s | {shown.wall:.2f} | {shown.cpu:.2f} | 1.5–1.9 | | {shown.memory:.0f} |"
    found = run("-c", _FIRST_STEP, "train", "-f", "binary", "-o", str(folder / "out"), str(target))
    wall, cpu = found.output.split()[-2:]
    yield f"| `ketos train` to the first step, s | {wall} | {cpu} | | | |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", choices=["train", "compile", "start", []], default=[])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--lines", type=int, default=40)
    options = parser.parse_args()
    parts = options.parts or ["train", "compile", "start"]
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    print("| training | lines/s on the clock | per second of one core | reference | ratio | peak MB |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if "compile" in parts:
            for row in compile_rows(Path(folder)):
                print(row, flush=True)
        if "start" in parts:
            for row in start_rows(Path(folder)):
                print(row, flush=True)
    if "train" in parts:
        for row in training_rows(options.threads, options.lines):
            print(row, flush=True)


if __name__ == "__main__":
    main()
