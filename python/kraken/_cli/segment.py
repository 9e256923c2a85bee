"""``kraken segment``: find regions and lines, or lines as boxes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from kraken._cli.console import Progress
from kraken._cli.deprecated import old_global_options
from kraken._cli.errors import CommandError
from kraken._cli.model_search import default_path, find_model, load_task
from kraken._cli.options import Settings
from kraken._cli.pages import Page
from kraken._cli.regions import RegionSource
from kraken.configs import SegmentationInferenceConfig
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.segmentation import column_reading_order

if TYPE_CHECKING:
    from PIL import Image

_DEFAULTS = SegmentationInferenceConfig()
_DIRECTIONS = ("horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl")


class SegmentStep:
    """Finds baselines and regions with a layout network."""

    name = "segment"
    reads_lines = False

    def __init__(
        self,
        task: Any,
        config: SegmentationInferenceConfig,
        model_name: str,
        regions: RegionSource | None = None,
        mask: Image.Image | None = None,
    ) -> None:
        self._task = task
        self._config = config
        self._model_name = model_name
        self._regions = regions
        self._mask = mask

    def run(self, page: Page, progress: Progress) -> None:
        """Segments the page."""
        config = self._config
        if self._regions is not None:
            config = copy.copy(config)
            config.regions = self._regions.of(page.source)
        with progress.step(f"Segmenting {page.source.name}"):
            page.segmentation = self._task.predict(page.image, config, self._mask)
        settings = {"model": self._model_name, "text_direction": page.segmentation.text_direction}
        if self._regions is not None:
            settings["regions_from"] = self._regions.path.name
        page.record_step("processing", "Baseline and region segmentation", settings)


class BoxStep:
    """Finds lines as boxes by image processing."""

    name = "segment"
    reads_lines = False

    def __init__(self, parameters: dict[str, Any], order: str, mask: Image.Image | None = None) -> None:
        self._parameters = parameters
        self._order = order
        self._mask = mask

    def run(self, page: Page, progress: Progress) -> None:
        """Segments the page, which has to be black and white."""
        from kraken.pageseg import segment as find_boxes

        with progress.step(f"Segmenting {page.source.name}"):
            chosen: dict[str, Any] = (
                {"reading_order_fn": column_reading_order} if self._order == "columns" else {}
            )
            page.segmentation = find_boxes(page.image, **self._parameters, **chosen, mask=self._mask)
        settings = {**self._parameters, "order": self._order}
        page.record_step("processing", "bounding box segmentation", settings)


def load_layout(names: tuple[str, ...], settings: Settings) -> tuple[Any, str]:
    """The task model of the named layout models, and the names of their files.

    Raises:
        CommandError: If a model doesn't exist or doesn't fit.
    """
    paths = [] if names else [default_path("segmentation")]
    for name in names:
        path = find_model(name)
        if path is None:
            raise CommandError(f"No model for {name} found: give the path of a model file with -i.")
        paths.append(path)
    # torch is loaded here, after everything that can be wrong with the command line.
    from kraken.models import load_models
    from kraken.tasks import SegmentationTaskModel

    settings.check_device()
    if len(paths) == 1:
        return load_task(SegmentationTaskModel.load_model, paths[0], "segmentation"), paths[0].name
    models = []
    for path in paths:
        loaded = load_task(load_models, path, "segmentation")
        kinds = {kind for model in loaded for kind in model.model_type}
        if not kinds & {"segmentation", "reading_order"}:
            raise CommandError(
                f"{path} can't be used as a model for segmentation: it is one for {', '.join(sorted(kinds))}."
            )
        models.extend(loaded)
    try:
        return SegmentationTaskModel(models), ", ".join(path.name for path in paths)
    except ValueError as error:
        raise CommandError(f"{', '.join(map(str, paths))} don't fit together: {error}") from error


def _open_mask(name: str | None) -> Image.Image | None:
    if name is None:
        return None
    # Pillow is only needed here for masks.
    from kraken.lib.util import is_bitonal, open_image

    try:
        mask = open_image(name)
    except KrakenInputException as error:
        raise CommandError(f"--mask: {error}") from error
    if not is_bitonal(mask):
        raise CommandError(f"--mask {name} has other colours than black and white: reduce it to these two.")
    return mask


@click.command("segment")
@click.option(
    "-i",
    "--model",
    "model_names",
    multiple=True,
    metavar="MODEL",
    help="Layout model: a file, or a name that `kraken list --installed` shows; by default the bundled one. "
    "Results of several are joined; a model of reading order may be among them.",
)
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
    "--scale",
    type=click.FloatRange(1, 1000),
    help="Size of the script in pixels (boxes only; estimated if not given).",
)
@click.option(
    "-m",
    "--maxcolseps",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Column separators to look for at most (boxes only).",
)
@click.option(
    "-b/-w",
    "--black-colseps/--white_colseps",
    " /--white-colseps",
    "black_colseps",
    default=False,
    show_default=True,
    help="Look for black lines between columns too (boxes only).",
)
@click.option(
    "-r/-l",
    "--remove-hlines/--hlines",
    "no_hlines",
    default=True,
    show_default=True,
    help="Ignore long horizontal lines (boxes only).",
)
@click.option(
    "-p",
    "--pad",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Pixels to extend lines by at both ends (boxes only).",
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
@click.option(
    "--regions-from",
    type=click.Path(path_type=Path),
    help="Take the regions from this ALTO, PAGE or native JSON file, or from the page's file (same name) in "
    "this folder, and find lines only in them.",
)
@click.option(
    "--keep-outside",
    is_flag=True,
    help="With --regions-from: keep the lines outside of the regions, too.",
)
@click.option("--split-at-regions", is_flag=True, help="Split lines where they enter or leave a region.")
@click.option(
    "--join-gap",
    type=click.FloatRange(min=0),
    default=_DEFAULTS.join_gap,
    show_default=True,
    help="Join fragments of a line that are at most so many line distances apart; 0 leaves them.",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    help="Leave out lines that the network is less sure of; 0 keeps all. By default what the model states, "
    "with a doubtful line let pass for each 25 sure ones.",
)
@click.option(
    "--mask",
    "mask_name",
    type=click.Path(exists=True, dir_okay=False),
    help="Black and white image of the pages' size: what is black there is ignored.",
)
@old_global_options
@click.pass_context
def segment(
    ctx: click.Context,
    /,
    model_names: tuple[str, ...],
    mask_name: str | None,
    boxes: bool,
    text_direction: Any,
    input_pad: int,
    regions_from: Path | None,
    keep_outside: bool,
    split_at_regions: bool,
    join_gap: float,
    min_confidence: float | None,
    order: str,
    **parameters: Any,
) -> SegmentStep | BoxStep:
    """Find the regions, lines and reading order of pages."""
    settings: Settings = ctx.obj
    mask = _open_mask(mask_name)
    if model_names and boxes:
        click.echo("Warning: a layout model was named, so baselines are found, not boxes.", err=True)
    elif boxes:
        if regions_from is not None or split_at_regions or join_gap or min_confidence is not None:
            raise CommandError(
                "--regions-from, --split-at-regions, --join-gap and --min-confidence are about baselines: "
                "use -bl."
            )
        _ = settings.jobs
        return BoxStep({"text_direction": text_direction, **parameters}, order, mask)
    if keep_outside and regions_from is None:
        raise CommandError("--keep-outside is about lines outside of given regions: add --regions-from.")
    regions = RegionSource.open(regions_from) if regions_from is not None else None
    _ = settings.jobs  # what's wrong with the inputs is said before a model is loaded
    task, file_name = load_layout(model_names, settings)
    options = {
        "input_padding": input_pad,
        "join_gap": join_gap,
        "split_at_regions": split_at_regions,
        "keep_outside": keep_outside,
        "min_confidence": min_confidence,
        **settings.config_options(),
    }
    if ctx.get_parameter_source("text_direction") is not ParameterSource.DEFAULT:
        options["text_direction"] = text_direction
    config = SegmentationInferenceConfig(**options)
    if order == "columns":
        config.baseline_ro_fn = column_reading_order
    return SegmentStep(task, config, file_name, regions, mask)
