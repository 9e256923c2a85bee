"""``ketos segtrain`` and ``ketos segtest``: train and evaluate layout models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kraken.configs import (
    BLLASegmentationTestDataConfig,
    BLLASegmentationTrainingConfig,
    BLLASegmentationTrainingDataConfig,
)
from kraken.ketos._mappings import class_mapping_option, class_selection_options
from kraken.ketos._options import field_defaults, manifests, training_options
from kraken.ketos._training import ask_for_huge_pages

_FIELDS = field_defaults(BLLASegmentationTrainingConfig, BLLASegmentationTrainingDataConfig)
_TEST_FIELDS = field_defaults(BLLASegmentationTrainingConfig, BLLASegmentationTestDataConfig)

Command = TypeVar("Command", bound=Callable[..., Any])

_TOPLINES = {"topline": True, "centerline": None, "baseline": False}


def _topline(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Value of the configuration; experiment files may give it themselves."""
    return _TOPLINES.get(value, value) if isinstance(value, str) else value


def _bl_tol(command: Command) -> Command:
    return click.option(
        "--bl-tol",
        type=click.FloatRange(min=0, min_open=True),
        default=_FIELDS["bl_tol"],
        show_default=True,
        help="Distance in pixels of the network's output up to which a baseline is right.",
    )(command)


def _format_type(command: Command) -> Command:
    return click.option(
        "-f",
        "--format-type",
        type=click.Choice(("xml", "alto", "page")),
        default=_FIELDS["format_type"],
        show_default=True,
        help="Kind of the ground truth.",
    )(command)


@click.command("segtrain")
@training_options(BLLASegmentationTrainingConfig, BLLASegmentationTrainingDataConfig)
@click.option(
    "--line-width",
    type=click.IntRange(min=1),
    default=_FIELDS["line_width"],
    show_default=True,
    help="Width of drawn baselines in pixels of the scaled page.",
)
@_bl_tol
@click.option(
    "--pad",
    "padding",
    type=click.IntRange(min=0),
    nargs=2,
    default=_FIELDS["padding"],
    show_default=True,
    help="White pixels left and right of, and above and below the scaled page.",
)
@_format_type
@click.option(
    "--augment/--no-augment",
    default=_FIELDS["augment"],
    show_default=True,
    help="Distort pages at random, image and geometry together.",
)
@click.option(
    "--resize",
    type=click.Choice(("add", "union", "both", "new", "fail")),
    default=_FIELDS["resize"],
    show_default=True,
    help="If a loaded model has other classes: fail, add the data's (union) or learn these only (new).",
)
@click.option(
    "-tl",
    "--topline",
    "topline",
    flag_value="topline",
    callback=_topline,
    help="Lines are at the top of text.",
)
@click.option(
    "-cl",
    "--centerline",
    "topline",
    flag_value="centerline",
    callback=_topline,
    help="Lines run through the middle of text.",
)
@click.option(
    "-bl",
    "--baseline",
    "topline",
    flag_value="baseline",
    default="baseline",
    callback=_topline,
    help="Lines are at the foot of text (default).",
)
@click.option(
    "--dice-weight",
    type=click.FloatRange(min=0),
    default=_FIELDS["dice_weight"],
    show_default=True,
    help="Weight of the Dice loss, 0 = none.",
)
@click.option(
    "--overlays",
    type=click.IntRange(min=0),
    default=BLLASegmentationTrainingConfig.overlays,
    show_default=True,
    metavar="N",
    help="Draw what is found on the first N evaluation pages, over the ground truth, at each evaluation.",
)
@class_selection_options
@class_mapping_option("line_class_mapping")
@class_mapping_option("region_class_mapping")
@click.argument("ground_truth", nargs=-1, type=click.Path())
@click.pass_context
def segtrain(ctx: click.Context, /, **options: Any) -> None:
    """Train a layout model on the files (or patterns) GROUND_TRUTH."""
    ask_for_huge_pages()
    from kraken.ketos._segmentation import run_segtrain  # torch is loaded once the options are read

    run_segtrain(ctx, options)


@click.command("segtest")
@click.option(
    "-m",
    "--model",
    type=click.Path(exists=True, dir_okay=False),
    help="Model to evaluate: weights or checkpoint.",
)
@manifests("-e", "--test-data", "test_data", help="List of test files, a path per line. Repeatable.")
@_format_type
@_bl_tol
@click.option(
    "--test-class-mapping-mode",
    type=click.Choice(("full", "canonical", "custom")),
    default=_TEST_FIELDS["test_class_mapping_mode"],
    show_default=True,
    help="Classes of the test: the model's with all names or the first of each, or those of --config.",
)
@class_mapping_option("line_class_mapping")
@class_mapping_option("region_class_mapping")
@click.argument("test_set", nargs=-1, type=click.Path())
@click.pass_context
def segtest(ctx: click.Context, /, **options: Any) -> None:
    """Evaluate a layout model on the files (or patterns) TEST_SET."""
    from kraken.ketos._segmentation import run_segtest  # torch is loaded once the options are read

    run_segtest(ctx, options)
