"""Checks that a wheel isn't larger than it may be, and holds the models with their cards.

python tools/check_wheel.py dist/kraken-*.whl --largest 20
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path


def faults(wheel: Path, largest: float) -> list[str]:
    """What is wrong with a wheel.

    Args:
        wheel: The file.
        largest: Its largest size in MB.
    """
    size = wheel.stat().st_size / 1e6
    found = [] if size <= largest else [f"{wheel.name} has {size:.1f} MB, more than {largest:g}"]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    models = {name for name in names if name.startswith("kraken/assets/") and name.endswith(".safetensors")}
    if not models:
        found.append(f"{wheel.name} holds no model")
    found += [
        f"{name} has no model card" for name in sorted(models) if f"{name.rpartition('.')[0]}.md" not in names
    ]
    return found


def main() -> int:
    """Prints sizes and faults; returns 1 if there are any."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--largest", type=float, default=20.0, help="MB")
    args = parser.parse_args()
    found = []
    for wheel in args.wheels:
        sys.stdout.write(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB\n")
        found += faults(wheel, args.largest)
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
