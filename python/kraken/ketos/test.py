"""``ketos test``: evaluate recognition models."""

from __future__ import annotations

from typing import Any

import click

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.ketos._options import field_defaults, manifests

_FIELDS = field_defaults(VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig)


@click.command("test")
@click.option(
    "--arch",
    default="vgsl",
    show_default=True,
    metavar="NAME",
    help="Kind of network (entry-point group kraken.archs.recognition); the model decides it.",
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
    "-m",
    "--model",
    type=click.Path(exists=True, dir_okay=False),
    help="Model to evaluate: weights or checkpoint.",
)
@click.option(
    "--compare",
    "others",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="MODEL",
    help="Further model to evaluate on the same lines. Repeatable.",
)
@manifests("-e", "--test-data", "test_data", help="List of test files, a path per line. Repeatable.")
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
    help="Kind of the lines; by default what the model was trained on.",
)
@click.option(
    "--pad",
    "padding",
    type=click.IntRange(min=0),
    default=_FIELDS["padding"],
    show_default=True,
    help="White pixels before and after each line.",
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
@click.option(
    "--no-legacy-polygons",
    is_flag=True,
    default=False,
    help="Cut lines out the new way whatever the model was trained with.",
)
@click.option("--json", "json_file", type=click.Path(), help="Write the results as JSON to a file.")
@click.option("--html", "html_file", type=click.Path(), help="Write the report as a web page to a file.")
@click.argument("test_set", nargs=-1, type=click.Path())
@click.pass_context
def test(ctx: click.Context, /, **options: Any) -> None:
    """Evaluate a recognition model on the files (or patterns) TEST_SET."""
    from kraken.ketos._evaluation import run_test  # torch is loaded once the options are read

    run_test(ctx, options)
