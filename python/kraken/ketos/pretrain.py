"""``ketos pretrain``: train a recognition network on lines without text."""

from __future__ import annotations

from typing import Any

import click

from kraken.configs import VGSLPreTrainingConfig, VGSLPreTrainingDataConfig
from kraken.ketos._options import field_defaults, line_data_options, line_training_options, training_options

_FIELDS = field_defaults(VGSLPreTrainingConfig, VGSLPreTrainingDataConfig)


@click.command("pretrain")
@line_data_options(_FIELDS)
@training_options(VGSLPreTrainingConfig, VGSLPreTrainingDataConfig, warmup=float)
@click.option(
    "-mw",
    "--mask-width",
    type=click.IntRange(min=1),
    default=_FIELDS["mask_width"],
    show_default=True,
    help="Columns of a masked span, counted where the recurrent layers begin.",
)
@click.option(
    "-mp",
    "--mask-probability",
    "mask_prob",
    type=click.FloatRange(0, 1),
    default=_FIELDS["mask_prob"],
    show_default=True,
    help="Share of the columns to mask.",
)
@click.option(
    "-nn",
    "--num-negatives",
    type=click.IntRange(min=1),
    default=_FIELDS["num_negatives"],
    show_default=True,
    help="Other columns from which the network has to tell each masked one.",
)
@click.option(
    "-lt",
    "--logit-temp",
    type=click.FloatRange(0, min_open=True),
    default=_FIELDS["logit_temp"],
    show_default=True,
    help="Divisor of the similarities: the smaller, the more a near miss counts.",
)
@line_training_options(_FIELDS, pixel_budget=VGSLPreTrainingDataConfig.pixel_budget)
@click.argument("ground_truth", nargs=-1, type=click.Path())
@click.pass_context
def pretrain(ctx: click.Context, /, **options: Any) -> None:
    """Train a recognition network on the lines of files (or patterns) GROUND_TRUTH; texts aren't needed.

    The result reads nothing yet: `ketos train --load RESULT --resize new` goes on from it with texts.
    """
    from kraken.ketos._recognition import run_pretrain  # torch is loaded once the options are read

    run_pretrain(ctx, options)
