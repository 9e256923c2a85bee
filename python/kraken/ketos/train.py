"""``ketos train``: train a recognition model."""

from __future__ import annotations

from typing import Any

import click

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.ketos._options import (
    CodecParam,
    field_defaults,
    line_options,
    line_training_options,
    training_options,
)

_FIELDS = field_defaults(VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig)


@click.command("train")
@line_options(_FIELDS, arch="--load and --resume decide it.", linetype="")
@training_options(VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig)
@click.option(
    "--freeze-backbone",
    type=int,
    default=_FIELDS["freeze_backbone"],
    show_default=True,
    help="Steps during which only the output layer learns.",
)
@click.option("-c", "--codec", type=CodecParam(), default=_FIELDS["codec"], help="JSON file: text to labels.")
@click.option(
    "--resize",
    type=click.Choice(("add", "union", "both", "new", "fail")),
    default=_FIELDS["resize"],
    show_default=True,
    help="If a loaded model lacks characters: fail, add them (union) or learn the data's only (new).",
)
@click.option(
    "--keep-old",
    type=click.FloatRange(min=0),
    default=VGSLRecognitionTrainingConfig.keep_old,
    show_default=True,
    help="With --resize union: weight of the loss for reading old letters otherwise than before.",
)
@click.option(
    "--ema-decay",
    type=click.FloatRange(0, 1, max_open=True),
    default=VGSLRecognitionTrainingConfig.ema_decay,
    show_default=True,
    help="Evaluate and save a moving average of the weights with this decay, such as 0.999; 0 for none.",
)
@line_training_options(_FIELDS, pixel_budget=VGSLRecognitionTrainingDataConfig.pixel_budget)
@click.argument("ground_truth", nargs=-1, type=click.Path())
@click.pass_context
def train(ctx: click.Context, /, **options: Any) -> None:
    """Train a recognition model on the files (or patterns) GROUND_TRUTH."""
    from kraken.ketos._recognition import run_train  # torch is loaded once the options are read

    run_train(ctx, options)
