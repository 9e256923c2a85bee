"""A quick look for commands of other packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def are_installed(group: str) -> bool:
    """Whether any other package may have entry points in a group.

    Reading the metadata of all packages would take most of the time of ``kraken --help``.
    """
    mark = f"[{group}]".encode()
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
