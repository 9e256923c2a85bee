"""``kraken ocr``: recognise the text of lines."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from kraken._cli.console import Progress
from kraken._cli.decoding import decoder_options, take_decoder
from kraken._cli.deprecated import old_global_options
from kraken._cli.errors import CommandError
from kraken._cli.model_search import default_path, find_model, load_task
from kraken._cli.options import Settings
from kraken._cli.pages import Page
from kraken.configs import RecognitionInferenceConfig
from kraken.containers import BBoxLine, Segmentation
from kraken.lib.exceptions import KrakenInputException

_DEFAULTS = RecognitionInferenceConfig()
_WRITING_MODES = ("horizontal-tb", "vertical-lr", "vertical-rl")


class RecognitionStep:
    """Recognises the lines of a segmentation."""

    name = "ocr"
    reads_lines = True

    def __init__(
        self, task: Any, config: RecognitionInferenceConfig, model_name: str, whole_image: bool
    ) -> None:
        self._task = task
        self._config = config
        self._model_name = model_name
        self._whole_image = whole_image
        self.linetype: str | None = config.linetype or task.seg_type

    def _bounds(self, page: Page) -> Segmentation:
        """The lines to read."""
        if page.segmentation is not None:
            if self._whole_image:
                click.echo("Warning: -s is ignored, since the lines are known.", err=True)
            return page.segmentation
        if not self._whole_image:
            raise KrakenInputException(
                "no line segmentation given: add one with the input, run `segment` first, "
                "or give `ocr -s` if the image is a single line"
            )
        mode = self._config.text_direction
        direction: Any = "horizontal-lr" if mode == "horizontal-tb" else mode
        line = BBoxLine(id="line_0", bbox=(0, 0, *page.image.size), text_direction=direction)
        return Segmentation(
            type="bbox",
            imagename=str(page.image_path),
            text_direction=direction,
            script_detection=False,
            lines=[line],
        )

    def _page_config(self, bounds: Segmentation) -> RecognitionInferenceConfig:
        """The configuration, with the base direction that the input states for all of its lines."""
        stated = {line.base_dir for line in bounds.lines or []}
        direction = next(iter(stated), None)
        if self._config.bidi_reordering is not True or len(stated) != 1 or direction is None:
            return self._config
        click.echo(f"Base direction {direction} is taken from the input.", err=True)
        config = copy.copy(self._config)
        config.bidi_reordering = direction
        return config

    def run(self, page: Page, progress: Progress) -> None:
        """Recognises every line of the page."""
        bounds = self._bounds(page)
        config = self._page_config(bounds)
        records = []
        with progress.step(f"Reading {page.source.name}", len(bounds.lines or [])) as bar:
            for record in self._task.predict(page.image, bounds, config):
                records.append(record)
                bar.advance()
        page.segmentation = dataclasses.replace(bounds, lines=records)
        page.recognised = True
        page.writing_mode = self._config.text_direction
        settings = {
            "text_direction": self._config.text_direction,
            "models": self._model_name,
            "pad": self._config.padding,
            "linetype": self.linetype,
            "bidi_reordering": config.bidi_reordering,
        }
        page.record_step("processing", "Text line recognition", settings)


def _find(name: str) -> tuple[str, Path | None]:
    """Line type and file of ``MODEL`` or ``TYPE:MODEL``; no file for ``TYPE:ignore``."""
    path = find_model(name)
    kind, colon, rest = name.partition(":")
    if path is None and colon:
        path = find_model(rest)
        if path is not None or rest == "ignore":
            return kind, path
    if path is None:
        raise CommandError(f"No model path for {name} found: give the path of a model file with -m.")
    return "default", path


def load_reader(names: tuple[str, ...], settings: Settings) -> tuple[Any, str]:
    """The task model of the named recognition models, and the names of their files.

    Raises:
        CommandError: If a model doesn't exist or doesn't fit.
    """
    found = [_find(name) for name in names] or [("default", default_path("recognition"))]
    paths = dict(found)
    if len(paths) < len(found):
        raise CommandError("Several models for one line type: give each as -m TYPE:MODEL.")
    if not any(paths.values()):
        raise CommandError("No recognition model: all line types are ignored.")
    # torch is loaded here, after everything that can be wrong with the command line.
    from kraken.tasks import RecognitionTaskModel, TaggedRecognitionTaskModel

    settings.check_device()
    tasks = {
        kind: path and load_task(RecognitionTaskModel.load_model, path, "recognition")
        for kind, path in paths.items()
    }
    if set(paths) == {"default"}:
        return tasks["default"], found[0][1].name  # type: ignore[union-attr]
    listed = ", ".join(f"{kind}:{path.name if path else 'ignore'}" for kind, path in found)
    return TaggedRecognitionTaskModel({kind: task and task.net for kind, task in tasks.items()}), listed


def _directions(ctx: click.Context, task: Any, reorder: bool, base_dir: str) -> dict[str, Any]:
    """Base direction and writing mode: as given on the command line, else as the model states them."""

    def given(name: str) -> bool:
        return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT

    # True leaves the base direction to the model.
    order = base_dir if given("base_dir") else True
    options: dict[str, Any] = {"bidi_reordering": order if reorder else False}
    return options if given("text_direction") else {**options, **stated_direction(task)}


def stated_direction(task: Any) -> dict[str, Any]:
    """The writing mode that a model states, as an option of the configuration."""
    stated = getattr(getattr(task, "net", None), "text_direction", None)
    if stated is None:
        return {}
    return {"text_direction": stated if stated in _WRITING_MODES else "horizontal-tb"}


@click.command("ocr")
@click.option(
    "-m",
    "--model",
    "model_names",
    multiple=True,
    metavar="[TYPE:]MODEL",
    help="Recognition model: a file, or a name that `kraken list --installed` shows; by default the bundled "
    "one. Several, each for a type of line, are possible; TYPE:ignore leaves lines of a type empty.",
)
@click.option(
    "-B",
    "--batch-size",
    type=click.IntRange(min=1),
    default=_DEFAULTS.batch_size,
    show_default=True,
    help="Lines in one pass of the network.",
)
@click.option(
    "-p",
    "--pad",
    type=click.IntRange(min=0),
    default=_DEFAULTS.padding,
    show_default=True,
    help="White pixels before and after each line.",
)
@click.option(
    "-t",
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    default=_DEFAULTS.temperature,
    show_default=True,
    help="Divides the network's output; above 1 lowers confidences.",
)
@click.option(
    "--num-line-workers",
    type=click.IntRange(min=0),
    default=_DEFAULTS.num_line_workers,
    show_default=True,
    help="Threads that prepare lines; 0 for none. At most --threads.",
)
@click.option(
    "-n/ ",
    "--reorder/--no-reorder",
    "reorder",
    default=bool(_DEFAULTS.bidi_reordering),
    show_default=True,
    help="Put text in logical (reading) order.",
)
@click.option(
    "--base-dir",
    type=click.Choice(("L", "R", "auto")),
    default="auto",
    show_default=True,
    help="Base direction of the text for reordering; if not given, what the input or the model states.",
)
@click.option(
    "-s", "--no-segmentation", is_flag=True, help="The image is a single line; don't ask for a segmentation."
)
@click.option(
    "-d",
    "--text-direction",
    type=click.Choice(_WRITING_MODES),
    default=_DEFAULTS.text_direction,
    show_default=True,
    help="Writing mode of the page; if not given, what the model states.",
)
@decoder_options
@old_global_options
@click.option("--no-legacy-polygons", is_flag=True, help="Never use the slow line extractor of old models.")
@click.option(
    "--linetype", type=click.Choice(("baselines", "bbox")), help="Kind of lines to read from XML inputs."
)
@click.pass_context
def ocr(
    ctx: click.Context,
    /,
    model_names: tuple[str, ...],
    reorder: bool,
    base_dir: str,
    no_segmentation: bool,
    linetype: str | None,
    **options: Any,
) -> RecognitionStep:
    """Recognise the text of lines."""
    settings: Settings = ctx.obj
    if no_segmentation and settings.input_format != "image":
        raise CommandError("no_segmentation mode is incompatible with page/alto inputs")
    if no_segmentation and not model_names:
        raise CommandError(
            "The default model reads lines that were found on pages. For images of single lines (-s) "
            "name one with -m; `kraken list --installed` shows those that are there."
        )
    _ = settings.jobs  # what's wrong with the inputs is said before a model is loaded
    decoder = take_decoder(options)
    task, file_name = load_reader(model_names, settings)
    if linetype and task.seg_type and linetype != task.seg_type:
        click.echo(f"Warning: {file_name} was trained on {task.seg_type} lines, not {linetype}.", err=True)
    options.update(_directions(ctx, task, reorder, base_dir))
    config = RecognitionInferenceConfig(
        padding=options.pop("pad"),
        linetype=linetype,
        **decoder,
        **options,
        **settings.config_options(),
    )
    return RecognitionStep(task, config, file_name, no_segmentation)
