"""``ketos rotrain`` and ``ketos roadd``: train reading-order models, add them to layout models."""

from __future__ import annotations

from typing import Any

import click

from kraken.configs import ROTrainingConfig, ROTrainingDataConfig
from kraken.ketos._mappings import class_mapping_option
from kraken.ketos._options import field_defaults, training_options

_FIELDS = field_defaults(ROTrainingConfig, ROTrainingDataConfig)
_FIELDS["batch_size"] = dict(ROTrainingDataConfig._defaults)["batch_size"]
_PATH = click.Path(exists=True, dir_okay=False)


@click.command("rotrain")
@click.option(
    "-B",
    "--batch-size",
    type=click.IntRange(min=1),
    default=_FIELDS["batch_size"],
    show_default=True,
    help="Pairs of elements in a batch.",
)
@training_options(ROTrainingConfig, ROTrainingDataConfig, spec=False)
@click.option(
    "-f",
    "--format-type",
    type=click.Choice(("xml", "alto", "page")),
    default=_FIELDS["format_type"],
    show_default=True,
    help="Kind of the ground truth.",
)
@click.option(
    "--level",
    type=click.Choice(("baselines", "regions")),
    default=_FIELDS["level"],
    show_default=True,
    help="What is put in order.",
)
@click.option(
    "--reading-order",
    default=_FIELDS["reading_order"],
    help="Name of the order to learn; by default that of the document.",
)
@class_mapping_option("class_mapping")
@click.option(
    "--class-mapping-from-ckpt", type=_PATH, help="Checkpoint of a layout model whose classes to use."
)
@click.argument("ground_truth", nargs=-1, type=click.Path())
@click.pass_context
def rotrain(ctx: click.Context, /, **options: Any) -> None:
    """Train a reading-order model on the files (or patterns) GROUND_TRUTH."""
    from kraken.ketos._ro import run_rotrain  # torch is loaded once the options are read

    run_rotrain(ctx, options)


@click.command("roadd")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="combined_seg.mlmodel",
    show_default=True,
    help="File to write; its suffix (.mlmodel, .safetensors) chooses the format.",
)
@click.option(
    "-r", "--ro-model", type=_PATH, required=True, help="Reading-order model: weights or checkpoint."
)
@click.option("-i", "--seg-model", type=_PATH, required=True, help="Layout model: weights or checkpoint.")
@click.pass_context
def roadd(ctx: click.Context, /, **options: Any) -> None:
    """Add a reading-order model to a layout model."""
    from kraken.ketos._ro import run_roadd  # torch is loaded once the options are read

    run_roadd(ctx, options)
