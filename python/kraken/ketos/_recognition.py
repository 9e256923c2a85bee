"""What ``ketos train`` and ``ketos test`` do once their options are read."""

from __future__ import annotations

from typing import Any

import click

from kraken.ketos._training import TrainingRun, collect_data

__all__ = ["run_train"]


def reordering(options: dict[str, Any]) -> None:
    """Merges ``--base-dir`` into the choice of reordering."""
    base_dir = options.pop("base_dir", "auto")
    if options["bidi_reordering"] and base_dir != "auto":
        options["bidi_reordering"] = base_dir


def run_train(ctx: click.Context, options: dict[str, Any]) -> None:
    """Trains a recognition model as the options say."""
    from kraken.train.recognition import AlphabetMismatch, VGSLRecognitionModel  # loaded once needed

    collect_data(ctx, options)
    reordering(options)
    run = TrainingRun(ctx, options, VGSLRecognitionModel)
    try:
        run.fit()
    except AlphabetMismatch as error:
        characters = ", ".join(map(repr, error.missing))
        raise click.UsageError(
            f"Mismatched training data for loaded model: it lacks {characters}. "
            "Set option `--resize` to `new` or `union`.",
            ctx,
        ) from error
