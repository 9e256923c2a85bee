"""``kraken segment``: find regions and lines."""

from __future__ import annotations

from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from kraken._cli.console import Progress
from kraken._cli.errors import CommandError
from kraken._cli.model_search import bundled_names, find_model, load_task
from kraken._cli.options import Settings
from kraken._cli.pages import Page
from kraken.configs import SegmentationInferenceConfig
from kraken.lib.segmentation import column_reading_order

_DEFAULTS = SegmentationInferenceConfig()
_DIRECTIONS = ("horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl")


class SegmentStep:
    """Finds baselines and regions with a layout network."""

    name = "segment"
    reads_lines = False

    def __init__(self, task: Any, config: SegmentationInferenceConfig, model_name: str) -> None:
        self._task = task
        self._config = config
        self._model_name = model_name

    def run(self, page: Page, progress: Progress) -> None:
        """Segments the page."""
        with progress.step(f"Segmenting {page.source.name}"):
            page.segmentation = self._task.predict(page.image, self._config)
        settings = {"model": self._model_name, "text_direction": page.segmentation.text_direction}
        page.record_step("processing", "Baseline and region segmentation", settings)


@click.command("segment")
@click.option("-i", "--model", "model_name", help="Layout model: a file, or the name of a bundled one.")
@click.option(
    "-x/-bl",
    "--boxes/--baseline",
    "boxes",
    default=True,
    show_default=True,
    help="Find boxes by image processing, or baselines with a network.",
)
@click.option(
    "-d",
    "--text-direction",
    type=click.Choice(_DIRECTIONS),
    default=_DEFAULTS.text_direction,
    show_default=True,
    help="Orientation of lines and order of columns; if not given, what the model states.",
)
@click.option(
    "--input-pad",
    type=click.IntRange(min=0),
    default=_DEFAULTS.input_padding,
    show_default=True,
    help="White pixels around the page before it enters the network.",
)
@click.option(
    "--order",
    type=click.Choice(["recorded", "columns"]),
    default="recorded",
    show_default=True,
    help="How lines are ordered: by the rule of earlier versions, or column by column.",
)
@click.pass_context
def segment(
    ctx: click.Context, model_name: str | None, boxes: bool, text_direction: Any, input_pad: int, order: str
) -> SegmentStep:
    """Find the regions, lines and reading order of pages."""
    settings: Settings = ctx.obj
    if model_name is not None and boxes:
        click.echo("Warning: a layout model was named, so baselines are found, not boxes.", err=True)
    elif boxes:
        raise CommandError(
            "The box segmenter isn't part of this version: add -bl and name a layout model with -i."
        )
    if model_name is None:
        raise CommandError(
            "No layout model: name one with `segment -bl -i MODEL` "
            f"(bundled for a first try: {bundled_names('segmentation')})."
        )
    _ = settings.jobs  # what's wrong with the inputs is said before a model is loaded
    path = find_model(model_name)
    if path is None:
        raise CommandError(f"No model for {model_name} found: give the path of a model file with -i.")
    # torch is loaded here, after everything that can be wrong with the command line.
    from kraken.tasks import SegmentationTaskModel

    settings.check_device()
    task = load_task(SegmentationTaskModel.load_model, path, "segmentation")
    options = {"input_padding": input_pad, **settings.config_options()}
    if ctx.get_parameter_source("text_direction") is not ParameterSource.DEFAULT:
        options["text_direction"] = text_direction
    config = SegmentationInferenceConfig(**options)
    if order == "columns":
        vertical = config.text_direction.startswith("vertical")
        config.baseline_ro_fn = partial(column_reading_order, vertical=vertical)
        config.bbox_ro_fn = config.baseline_ro_fn
    return SegmentStep(task, config, path.name)
