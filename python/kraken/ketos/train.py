"""``ketos train``: train a recognition model."""

from __future__ import annotations

from typing import Any

import click

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.ketos._options import CodecParam, field_defaults, training_options

_FIELDS = field_defaults(VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig)


@click.command("train")
@click.option(
    "--arch",
    default="vgsl",
    show_default=True,
    metavar="NAME",
    help="Kind of network (entry-point group kraken.archs.recognition); --load and --resume decide it.",
)
@click.option(
    "-B",
    "--batch-size",
    type=click.IntRange(min=1),
    default=_FIELDS["batch_size"],
    show_default=True,
    help="Lines in a batch.",
)
@click.option(
    "--pad",
    "padding",
    type=click.IntRange(min=0),
    default=_FIELDS["padding"],
    show_default=True,
    help="White pixels before and after each line.",
)
@training_options(VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig)
@click.option(
    "--freeze-backbone",
    type=int,
    default=_FIELDS["freeze_backbone"],
    show_default=True,
    help="Steps during which only the output layer learns.",
)
@click.option(
    "-u",
    "--normalization",
    type=click.Choice(("NFD", "NFKD", "NFC", "NFKC")),
    default=_FIELDS["normalization"],
    help="Unicode normalisation of the text.",
)
@click.option(
    "-n",
    "--normalize-whitespace/--no-normalize-whitespace",
    default=_FIELDS["normalize_whitespace"],
    show_default=True,
    help="Make every kind of blank a space and strip lines.",
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
    "--reorder/--no-reorder",
    "bidi_reordering",
    default=_FIELDS["bidi_reordering"],
    show_default=True,
    help="Put text in display order.",
)
@click.option(
    "--base-dir",
    type=click.Choice(("L", "R", "auto")),
    default="auto",
    show_default=True,
    help="Base direction of the text for reordering.",
)
@click.option(
    "-f",
    "--format-type",
    type=click.Choice(("path", "xml", "alto", "page", "binary")),
    default=_FIELDS["format_type"],
    show_default=True,
    help="Kind of the ground truth.",
)
@click.option(
    "--linetype",
    type=click.Choice(("baselines", "bbox")),
    default=_FIELDS["linetype"],
    help="Kind of the lines.",
)
@click.option(
    "--augment/--no-augment",
    default=_FIELDS["augment"],
    show_default=True,
    help="Distort images at random.",
)
@click.option(
    "--legacy-polygons", is_flag=True, default=_FIELDS["legacy_polygons"], help="Cut lines out the old way."
)
@click.option(
    "--ema-decay",
    type=click.FloatRange(0, 1, max_open=True),
    default=VGSLRecognitionTrainingConfig.ema_decay,
    show_default=True,
    help="Evaluate and save a moving average of the weights with this decay, such as 0.999; 0 for none.",
)
@click.option(
    "--pixel-budget",
    type=click.IntRange(min=0),
    default=VGSLRecognitionTrainingDataConfig.pixel_budget,
    show_default=True,
    help="Put as many lines of similar width in a batch as have this many pixels; 0 for --batch-size.",
)
@click.argument("ground_truth", nargs=-1, type=click.Path())
@click.pass_context
def train(ctx: click.Context, /, **options: Any) -> None:
    """Train a recognition model on the files (or patterns) GROUND_TRUTH."""
    from kraken.ketos._recognition import run_train  # torch is loaded once the options are read

    run_train(ctx, options)
