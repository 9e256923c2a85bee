"""A quick look for commands of other packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

GROUP = "kraken.cli"


def are_installed() -> bool:
    """Whether any other package may add commands: a look at the names of files, not at their contents.

    Reading the metadata of all packages would take most of the time of ``kraken --help``.
    """
    mark = f"[{GROUP}]".encode()
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.startswith("kraken-"):
                continue
            try:
                found = mark in (Path(folder) / name / "entry_points.txt").read_bytes()
            except OSError:
                continue
            if found:
                return True
    return False
