"""Compares a trained reading order with the rules, on documents that it hasn't seen.

    python benches/quality/reading_order.py ../shared/data/pages --seed 1

FOLDER holds one folder of ALTO or PAGE files per set. The order of the lines in the files is taken for the
right one. Files of one set whose names begin with the same word are taken for one document. The documents are
divided into folds; for each, a network is trained on the pages of all other documents but those of the next
fold, which decide which state is kept, and orders the pages of its own. Prints a table in Markdown of
Spearman's rank correlation, the share of lines whose successor is right, and that of pages without mistake.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kraken.configs import ROTrainingConfig, ROTrainingDataConfig
from kraken.lib.ro import RODataModule, ROModel
from kraken.lib.segmentation import neural_reading_order, polygonal_reading_order
from kraken.lib.segmentation.reading_order import column_reading_order
from kraken.lib.xml import XMLPage
from kraken.models import load_from_checkpoint
from kraken.train import KrakenTrainer

#: Share of lines beside another one from which on a page counts as one of several columns.
COLUMNS = 0.3
METHODS = ("recorded rules", "recorded, regions", "columns", "columns, regions", "network")


@dataclass
class Page:
    """A page whose lines are in the right order.

    Attributes:
        path: Its file.
        document: What it is a page of.
        lines: Lines with a baseline.
        regions: All regions.
        size: Width and height in pixels.
    """

    path: Path
    document: str
    lines: list[Any]
    regions: list[Any]
    size: tuple[int, int]

    @property
    def beside(self) -> float:
        """Share of lines that stand beside another one."""
        boxes = [np.r_[np.min(line.baseline, axis=0), np.max(line.baseline, axis=0)] for line in self.lines]
        reach = self.size[1] / max(30, len(boxes))
        count = 0
        for x0, y0, x1, y1 in boxes:
            count += any(
                abs((y0 + y1) - (o[1] + o[3])) < 2 * reach
                and min(x1, o[2]) - max(x0, o[0]) < 0.2 * min(x1 - x0, o[2] - o[0])
                for o in boxes
            )
        return count / len(boxes)


def read(folder: Path) -> list[Page]:
    """Pages with two lines or more, each picture once."""
    pages, seen = [], set()
    for path in sorted(folder.rglob("*.xml")):
        parsed = XMLPage(path)
        lines = [line for line in parsed.get_sorted_lines("line_implicit") if line.baseline]
        image = Path(parsed.imagename).name
        group = path.relative_to(folder).parts[0]
        if len(lines) < 2 or (group, image) in seen:
            continue
        seen.add((group, image))
        word = re.search(r"[^\W\d_]{3,}", path.relative_to(folder / group).as_posix())
        regions = [region for found in parsed.regions.values() for region in found]
        name = f"{group}: {word.group() if word else ''}"
        pages.append(Page(path, name, lines, regions, tuple(parsed.image_size)))
    return pages


def train(training: list[Page], validation: list[Page], epochs: int, folder: Path) -> Any:
    """Network that was best on the validation pages."""
    from lightning.pytorch.callbacks import ModelCheckpoint

    types: dict[str, int] = {}
    for page in training + validation:
        for line in page.lines:
            kinds = (line.tags or {}).get("type") or [{}]
            types[kinds[0].get("type", "default")] = 1
    data = RODataModule(
        ROTrainingDataConfig(
            training_data=[page.path for page in training],
            evaluation_data=[page.path for page in validation],
            class_mapping=types,
            num_workers=0,
        )
    )
    config = ROTrainingConfig(epochs=epochs, min_epochs=1, cos_t_max=epochs)
    best = ModelCheckpoint(folder, monitor="val_metric", mode="min")
    trainer = KrakenTrainer(
        enable_progress_bar=False,
        enable_summary=False,
        enable_model_summary=False,
        max_epochs=epochs,
        min_epochs=1,
        check_val_every_n_epoch=max(1, epochs // 20),
        accelerator="cpu",
        callbacks=[best],
        num_sanity_val_steps=0,
    )
    trainer.fit(ROModel(config), data)
    return load_from_checkpoint(best.best_model_path).net.eval()


def orders(page: Page, net: Any) -> dict[str, list[int]]:
    """Order of a page's lines by each method. The lines are given in an order that says nothing."""
    shuffled = np.random.default_rng(len(page.lines)).permutation(len(page.lines))
    lines = [page.lines[i] for i in shuffled]
    found: dict[str, Any] = {
        "recorded rules": polygonal_reading_order(lines),
        "recorded, regions": polygonal_reading_order(lines, regions=page.regions),
        "columns": column_reading_order(lines),
        "columns, regions": column_reading_order(lines, regions=page.regions),
        "network": neural_reading_order(
            lines, im_size=page.size, model=net, class_mapping=dict(net.class_mapping)
        ),
    }
    return {name: [int(shuffled[int(i)]) for i in order] for name, order in found.items()}


def scores(order: list[int]) -> tuple[float, float, float]:
    """Rank correlation, share of right successors, and whether all is right."""
    n = len(order)
    places = np.empty(n)
    places[order] = np.arange(n)
    difference = places - np.arange(n)
    correlation = 1 - 6 * float((difference**2).sum()) / (n * (n**2 - 1))
    successors = float(np.mean(np.diff(order) == 1))
    return correlation, successors, float(order == list(range(n)))


def _row(name: str, pages: int, values: dict[str, list[tuple[float, float, float]]]) -> str:
    cells = []
    for method in METHODS:
        means = np.mean(values[method], axis=0)
        cells.append(f"{means[0]:.3f} / {means[1]:.3f} / {means[2]:.2f}")
    return f"| {name} | {pages} | {' | '.join(cells)} |"


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=200)
    args = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    start = time.process_time()
    pages = read(args.folder)
    documents = sorted({page.document for page in pages})
    order = np.random.RandomState(args.seed).permutation(len(documents))
    fold_of = {documents[k]: i % args.folds for i, k in enumerate(order)}
    found: dict[str, dict[str, list[tuple[float, float, float]]]] = defaultdict(lambda: defaultdict(list))
    counts: dict[str, int] = defaultdict(int)
    for fold in range(args.folds):
        parts: dict[str, list[Page]] = {"test": [], "validation": [], "training": []}
        for page in pages:
            distance = (fold_of[page.document] - fold) % args.folds
            parts[{0: "test", 1: "validation"}.get(distance, "training")].append(page)
        torch.manual_seed(args.seed)
        np.random.seed(args.seed)
        with tempfile.TemporaryDirectory() as folder:
            net = train(parts["training"], parts["validation"], args.epochs, Path(folder))
        for page in parts["test"]:
            several = page.beside >= COLUMNS
            names = [f"{'several columns' if several else 'one column'}"]
            names += [page.document] if several else []
            for method, answer in orders(page, net).items():
                for name in names:
                    found[name][method].append(scores(answer))
            for name in names:
                counts[name] += 1
        print(f"fold {fold + 1}: {time.process_time() - start:.0f} s on the CPU", file=sys.stderr)
    print(f"| pages | number | {' | '.join(METHODS)} |\n|{'---|' * (len(METHODS) + 2)}")
    groups = ["one column", "several columns"]
    for name in (*groups, *sorted(set(found) - set(groups))):
        print(_row(name, counts[name], found[name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
