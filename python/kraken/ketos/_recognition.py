"""What ``ketos train``, ``pretrain`` and ``test`` do once their options are read."""

from __future__ import annotations

from typing import Any

import click

from kraken.ketos._options import explicit_options
from kraken.ketos._training import TrainingRun, collect_data
from kraken.registry import registry

__all__ = ["find_trainer", "reordering", "run_pretrain", "run_train"]

_GROUP = "kraken.archs.recognition"


def reordering(options: dict[str, Any]) -> None:
    """Merges ``--base-dir`` into the choice of reordering."""
    base_dir = options.pop("base_dir", "auto")
    if options["bidi_reordering"] and base_dir != "auto":
        options["bidi_reordering"] = base_dir


def find_trainer(ctx: click.Context, options: dict[str, Any], path: str | None) -> Any:
    """Trainer class of an architecture; that of a model file wins over the default.

    Args:
        ctx: Context of the command.
        options: Its parameters; `arch` is read.
        path: Model or checkpoint to go on with or to test.

    Raises:
        click.UsageError: There is no such architecture, or it isn't that of the file.
    """
    from kraken.models import find_checkpoint_module, find_weights_archs  # needs torch

    known = registry.names(_GROUP)
    arch = options["arch"]
    if arch not in known:
        raise click.UsageError(f"Unknown architecture {arch!r}: use one of {', '.join(known)}.", ctx)
    found: set[str] = set()
    if path is not None and str(path).endswith("ckpt"):
        found = {find_checkpoint_module(path)._arch}
    elif path is not None:
        found = find_weights_archs(path, "recognition") or set()
    found &= set(known)
    if found and arch not in found:
        if "arch" in explicit_options(ctx):
            raise click.UsageError(f"{path} is of architecture {', '.join(sorted(found))}, not {arch}.", ctx)
        arch = min(found)
    return registry.load(_GROUP, arch)


def run_train(ctx: click.Context, options: dict[str, Any]) -> None:
    """Trains a recognition model as the options say."""
    collect_data(ctx, options)
    from kraken.train.recognition import AlphabetMismatch  # loaded once it is needed

    reordering(options)
    trainer_class = find_trainer(ctx, options, options.get("load") or options.get("resume"))
    run = TrainingRun(ctx, options, trainer_class)
    try:
        run.fit()
    except AlphabetMismatch as error:
        characters = ", ".join(map(repr, error.missing))
        raise click.UsageError(
            f"Mismatched training data for loaded model: it lacks {characters}. "
            "Set option `--resize` to `new` or `union`.",
            ctx,
        ) from error


def run_pretrain(ctx: click.Context, options: dict[str, Any]) -> None:
    """Pre-trains a recognition model as the options say."""
    from kraken.lib.pretrain import RecognitionPretrainModel  # loaded once it is needed

    collect_data(ctx, options)
    run = TrainingRun(ctx, options, RecognitionPretrainModel)
    run.fit()
    if best := run.checkpoint.best_model_path:
        run.settings.message(f"Best model checkpoint: {best}")
