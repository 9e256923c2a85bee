"""``ketos test``: evaluate recognition models."""

from __future__ import annotations

from typing import Any

import click

from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
from kraken.ketos._options import field_defaults, line_options, manifests

_FIELDS = field_defaults(VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig)


@click.command("test")
@line_options(_FIELDS, arch="the model decides it.", linetype="; by default what the model was trained on")
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
