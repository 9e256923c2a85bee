"""Averages the weights of models that were trained from the same one.

    python models/mean.py first.safetensors second.safetensors -o mean.safetensors
    python models/mean.py new.safetensors old.safetensors --parts 3 1 -o mean.safetensors

Runs with other seeds that begin with the same weights stay close enough for their mean to be a network that
errs less than each (Wortsman et al., "Model soups", 2022). It takes the time of one run where each has a core
of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from common.training import keep_part, shapes_of, write_half

from kraken.models import load_models


def mean(paths: Sequence[Path], parts: Sequence[float]) -> torch.nn.Module:
    """The first model with the weighted mean of all weights, in 32 bits.

    Args:
        paths: Model files.
        parts: How much each counts, of any sum.

    Raises:
        SystemExit: The files hold different networks, or there aren't as many parts as files.
    """
    if len(parts) != len(paths) or min(parts) < 0 or not sum(parts):
        raise SystemExit(f"{len(paths)} models need as many parts, none of them negative: got {list(parts)}.")
    model = load_models(paths[0])[0].float()
    total = parts[0]
    for path, part in zip(paths[1:], parts[1:], strict=True):
        other = load_models(path)[0].float()
        if shapes_of(other) != shapes_of(model):
            raise SystemExit(f"{path} holds another network than {paths[0]}.")
        total += part
        if part:
            keep_part(model, other.state_dict(), part / total)
    return model


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the mean of the models that are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path, help="model files")
    parser.add_argument("--parts", nargs="+", type=float, help="how much each counts (default: the same)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="model file to write")
    args = parser.parse_args(arguments)
    write_half(mean(args.models, args.parts or [1.0] * len(args.models)), args.output)


if __name__ == "__main__":
    main()
