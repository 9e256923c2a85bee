"""Draws the learning curve of a recipe from what it printed.

    python models/latin_print/train.py … | tee run.log
    python models/curve.py run.log -o curve.svg

Steps of a second stage are counted on from the first. Of a run that was interrupted the later of two lines
for a step counts. Where the recipe measures error rates on validation documents, their mean is drawn, too.
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from kraken.train.progress import render_curve

_LOSS = re.compile(r"step (\d+)/(\d+)  loss (\S+)")
_ERRORS = re.compile(r"step (\d+) validation all (\S+)")


def points(lines: list[str]) -> list[tuple[int, float | None, float]]:
    """Step, loss and error rate (NaN where it wasn't measured) of a log."""
    found: dict[int, tuple[float | None, float]] = {}
    done = total = last = 0
    for line in lines:
        if match := _LOSS.match(line):
            step, steps = int(match[1]), int(match[2])
            if total and steps != total and last == total:
                done += total
            total, last = steps, step
            # a measurement comes before the loss of its step
            found[done + step] = (float(match[3]), found.get(done + step, (None, math.nan))[1])
        elif match := _ERRORS.match(line):
            step = done + int(match[1])
            found[step] = (found.get(step, (None, math.nan))[0], float(match[2]))
    return [(step, *values) for step, values in sorted(found.items())]


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="SVG file to write")
    args = parser.parse_args()
    found = points(args.log.read_text(encoding="utf-8").splitlines())
    if not found:
        parser.error(f"{args.log} holds no line of a recipe's progress")
    args.output.write_text(render_curve(found, "character error rate"), encoding="utf-8")


if __name__ == "__main__":
    main()
