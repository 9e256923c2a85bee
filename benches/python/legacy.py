"""Prints how fast pages become black and white, how fast boxes are found, and what starting costs.

    python benches/python/legacy.py [PAGE...]

Times are the least processor time of some calls of one thread, so that other work on the
machine matters little. Binarisation is compared with the version in ``tests/reference``, which is
written with SciPy's filters; box segmentation, whose reference there is in parts, with nothing.
Without pages, ``../shared/bench`` and ``../shared/data/pages`` give some, or one is drawn.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from kraken.binarization import nlbin  # noqa: E402
from kraken.lib.image_modes import to_grey  # noqa: E402
from kraken.lib.util import open_image  # noqa: E402
from kraken.pageseg import segment  # noqa: E402
from tests.reference.nlbin import nlbin as slow_nlbin  # noqa: E402
from tests.robustness.images import page as drawn_page  # noqa: E402

SHARED = ROOT.parent / "shared"
PAGES = (
    "bench/page-33-lines.webp",
    "data/pages/print-lat-16c-alto/00018.jpg",
    "data/pages/hand-fr-register-alto/DAFANCH96_048MIC07649_L-1.jpg",
)
COMMANDS = {
    "kraken": ("--version", "--help", "segment --help", "ocr --help"),
    "ketos": ("--help", "train --help"),
}


def least(call: Callable[[], Any], times: int = 3) -> float:
    """Least processor time of a call in seconds."""
    found = []
    for _ in range(times):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def start_up(program: str, arguments: str) -> tuple[float, float]:
    """Least processor time of a command in seconds, its memory in MB."""
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = f"import sys; sys.argv[0] = {program!r}; from kraken.{program} import cli; cli()"
        subprocess.run([sys.executable, "-c", code, *arguments.split()], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found), after.ru_maxrss / 1024


def pages(names: list[str]) -> dict[str, Image.Image]:
    """Pages by their names."""
    paths = [Path(name) for name in names] or [SHARED / name for name in PAGES]
    found = {path.name: open_image(path) for path in paths if path.is_file()}
    return found or {"drawn": drawn_page((2000, 2600))}


def main(names: list[str]) -> None:
    """Prints the tables."""
    print("| page | pixels | nlbin | with SciPy's filters | boxes | lines |\n|---|---|---|---|---|---|")
    for name, image in pages(names).items():
        grey = to_grey(image)
        ours = least(lambda im=grey: nlbin(im))
        # on larger pages this takes minutes
        small = image.width * image.height < 3_000_000
        theirs = least(lambda im=grey: slow_nlbin(np.asarray(im).astype(float)), 1) if small else None
        black = nlbin(grey)
        found = segment(black)
        boxes = least(lambda im=black: segment(im))
        lines = len(found.lines or ())
        size = f"{image.width}x{image.height}"
        print(
            f"| {name} | {size} | {ours:.2f} s | {theirs and round(theirs, 2)} s | {boxes:.2f} s | {lines} |"
        )
    print("\n| command | processor time | memory of the largest so far |\n|---|---|---|")
    for program, all_arguments in COMMANDS.items():
        for arguments in all_arguments:
            seconds, memory = start_up(program, arguments)
            print(f"| {program} {arguments} | {seconds:.2f} s | {memory:.0f} MB |")


if __name__ == "__main__":
    main(sys.argv[1:])
