"""``kraken ocr``: recognise the text of lines."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from kraken._cli.console import Progress
from kraken._cli.decoding import decoder_options, make_decoder
from kraken._cli.errors import CommandError
from kraken._cli.model_search import bundled_names, find_model, load_task
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

    def run(self, page: Page, progress: Progress) -> None:
        """Recognises every line of the page."""
        bounds = self._bounds(page)
        records = []
        with progress.step(f"Reading {page.source.name}", len(bounds.lines or [])) as bar:
            for record in self._task.predict(page.image, bounds, self._config):
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
            "bidi_reordering": self._config.bidi_reordering,
        }
        page.record_step("processing", "Text line recognition", settings)


def _load(model_name: str | None, settings: Settings) -> tuple[Any, str]:
    """The task model of a named recognition model and its file name."""
    if model_name is None:
        raise CommandError(
            "No recognition model: name one with `ocr -m MODEL` "
            f"(bundled for a first try: {bundled_names('recognition')})."
        )
    path = find_model(model_name)
    if path is None:
        raise CommandError(f"No model path for {model_name} found: give the path of a model file with -m.")
    # torch is loaded here, after everything that can be wrong with the command line.
    from kraken.tasks import RecognitionTaskModel

    settings.check_device()
    return load_task(RecognitionTaskModel.load_model, path, "recognition"), path.name


@click.command("ocr")
@click.option("-m", "--model", "model_name", help="Recognition model: a file, or the name of a bundled one.")
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
    help="Base direction of the text for reordering.",
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
    help="Writing mode of the page.",
)
@decoder_options
@click.option("--no-legacy-polygons", is_flag=True, help="Never use the slow line extractor of old models.")
@click.option(
    "--linetype", type=click.Choice(("baselines", "bbox")), help="Kind of lines to read from XML inputs."
)
@click.pass_context
def ocr(
    ctx: click.Context,
    /,
    model_name: str | None,
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
    _ = settings.jobs  # what's wrong with the inputs is said before a model is loaded
    decoder = make_decoder(options)
    task, file_name = _load(model_name, settings)
    if linetype and task.seg_type and linetype != task.seg_type:
        click.echo(f"Warning: {file_name} was trained on {task.seg_type} lines, not {linetype}.", err=True)
    config = RecognitionInferenceConfig(
        padding=options.pop("pad"),
        bidi_reordering=(base_dir if base_dir in ("L", "R") else True) if reorder else False,
        linetype=linetype,
        decoder=decoder,
        **options,
        **settings.config_options(),
    )
    return RecognitionStep(task, config, file_name, no_segmentation)
