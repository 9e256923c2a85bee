"""Trains a small layout network on a few pages until it knows them, kills the run and resumes it.

    python benches/quality/overfit_layout.py PAGE.xml PAGE.xml PAGE.xml

Runs `ketos segtrain` twice with the same seed: once to the end, once until it is killed (SIGKILL) midway;
that one is resumed from its newest checkpoint. Prints the baselines' F1 of the finished network on its pages,
by the figures of training and after the whole pipeline, the time it took, whether all checkpoints of the
killed run can be read, and the largest difference between the learning curves. Ends with status 1 if F1 is
below 0.95, a checkpoint can't be read, or the curves differ by more than 2 %.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from kraken.lib.baseline_score import mean_score, score_baselines
from kraken.lib.util import open_image
from kraken.lib.xml import XMLPage
from kraken.models import load_checkpoint_config, load_models

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from models.common.layout import pipeline

SPEC = (
    "[1,800,0,1 Cr5,5,32,2,2 Gn8 Cr3,3,64,2,2 Gn8 Cr3,3,64 Gn8 Cr3,3,64,1,1,2,2 Gn8 Cr3,3,64,1,1,4,4 Gn8 "
    "Cr3,3,64,1,1,8,8 Gn8]"
)


def command(args: argparse.Namespace, folder: Path) -> list[str]:
    """The run that is the same in all cases but for its folder."""
    return [
        *(sys.executable, "-m", "kraken.ketos", "--workers", "0", "--seed", str(args.seed)),
        *("--threads", str(args.threads), "-d", "cpu", "segtrain", "-o", str(folder), "-s", args.spec),
        *("-q", "fixed", "-N", str(args.epochs), "-F", str(max(2, args.epochs // 8)), "-r", "0.003"),
        *("--schedule", "cosine", "--cos-max", str(args.epochs), "--cos-min-lr", "0.0003"),
        *(
            "--suppress-regions",
            "--merge-baselines",
            "default=*",
            "--line-width",
            "5",
            "--bl-tol",
            "2.5",
            "-e",
            str(folder.parent / "pages.txt"),
        ),
        *map(str, args.pages),
    ]


def curve(folder: Path) -> list[list[float]]:
    """Loss and figure of the evaluations so far."""
    path = folder / "learning_curve.tsv"
    rows = path.read_text().splitlines()[1:] if path.exists() else []
    return [[float(value or "nan") for value in row.split("\t")[1:]] for row in rows]


def kill_in_the_middle(args: argparse.Namespace, folder: Path) -> int:
    """Runs until three evaluations are done and kills; returns the number of checkpoints, all readable."""
    run = subprocess.Popen(command(args, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while len(curve(folder)) < 3 and run.poll() is None:
            time.sleep(0.05)
        # somewhere in the steps after the evaluation
        time.sleep(0.7)
    finally:
        run.kill()
        run.wait()
    checkpoints = sorted(folder.glob("checkpoint_*.ckpt"))
    for checkpoint in checkpoints:
        load_checkpoint_config(checkpoint)
    return len(checkpoints)


def newest(folder: Path) -> Path:
    """The checkpoint that was written last."""
    return max(folder.glob("checkpoint_*.ckpt"), key=lambda path: path.stat().st_mtime_ns)


def pipeline_f1(weights: Path, pages: list[Path]) -> float:
    """F1 after the whole pipeline, with tolerances by the distance between lines."""
    find = pipeline(load_models(weights))
    scores = []
    for path in pages:
        page = XMLPage(path)
        image = open_image(page.imagename)
        lines = [line.baseline for line in page.lines.values() if line.baseline]
        scores.append(score_baselines(find(image), lines, image.height / 30))
    return mean_score(scores).f1


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--spec", default=SPEC)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "pages.txt").write_text("".join(f"{os.fspath(page)}\n" for page in args.pages))
        start = time.perf_counter()
        subprocess.run(command(args, root / "whole"), check=True, stderr=subprocess.DEVNULL)
        wall = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        expected = curve(root / "whole")
        (weights,) = (root / "whole").glob("best_*.safetensors")
        figures = load_models(weights)[0].user_metadata["metrics"][-1][1]
        f1 = pipeline_f1(weights, args.pages)
        print(f"{args.epochs} epochs in {wall:.0f} s, {used.ru_utime + used.ru_stime:.0f} s on the CPU")
        print(f"F1 of the last evaluation {figures['val_bl_f1']:.3f}, after the whole pipeline {f1:.3f}")
        written = kill_in_the_middle(args, root / "cut")
        resumed = [*command(args, root / "cut"), "--resume", str(newest(root / "cut"))]
        resumed = [part for part in resumed if part not in map(str, args.pages)]
        subprocess.run(resumed, check=True, stderr=subprocess.DEVNULL)
        found = curve(root / "cut")
    print(f"{written} checkpoints of the killed run, all readable")
    same = len(found) == len(expected)
    difference = float(np.abs(np.array(found) - np.array(expected)).max()) if same else 1.0
    print(f"{len(expected)} and {len(found)} evaluations, largest difference of the curves {difference:.2g}")
    return int(f1 < 0.95 or not written or difference > 0.02)


if __name__ == "__main__":
    sys.exit(main())
