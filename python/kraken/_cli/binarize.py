"""``kraken binarize``: make pages black and white."""

from __future__ import annotations

from typing import Any

import click

from kraken._cli.console import Progress
from kraken._cli.errors import CommandError
from kraken._cli.options import Settings
from kraken._cli.pages import Page


class BinarizationStep:
    """Makes the image black and white; coordinates stay what they are."""

    name = "binarize"
    reads_lines = False

    def __init__(self, parameters: dict[str, Any], threads: int) -> None:
        self._parameters = parameters
        self._threads = threads

    def run(self, page: Page, progress: Progress) -> None:
        """Binarises the page."""
        # The kernels are only loaded where they are used.
        from kraken.binarization import nlbin
        from kraken.lib.image_modes import to_black_and_white

        with progress.step(f"Binarizing {page.source.name}"):
            # an image of two colours comes back as it is, in whatever mode
            image = to_black_and_white(nlbin(page.image, **self._parameters, threads=self._threads))
            image.filename = str(page.source)  # type: ignore[attr-defined]
            page.image = image
        page.binarised = True
        page.record_step("preprocessing", "Image binarization", self._parameters)


_PERCENT = click.IntRange(1, 100)


@click.command("binarize")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.5,
    show_default=True,
    help="Brightness above which a pixel becomes white.",
)
@click.option(
    "--zoom",
    type=click.FloatRange(0, 4, min_open=True),
    default=0.5,
    show_default=True,
    help="Scale at which the background is estimated.",
)
@click.option(
    "--escale",
    type=click.FloatRange(0, 100, min_open=True),
    default=1.0,
    show_default=True,
    help="Scale of the masks for the estimate of black and white.",
)
@click.option(
    "--border",
    type=click.FloatRange(0, 0.5, max_open=True),
    default=0.1,
    show_default=True,
    help="Share of each side that this estimate ignores.",
)
@click.option(
    "--perc", type=_PERCENT, default=80, show_default=True, help="Percentile of the background filters."
)
@click.option(
    "--range",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Length of their windows in pixels.",
)
@click.option("--low", type=_PERCENT, default=5, show_default=True, help="Percentile that becomes black.")
@click.option("--high", type=_PERCENT, default=90, show_default=True, help="Percentile that becomes white.")
@click.pass_context
def binarize(ctx: click.Context, /, **parameters: Any) -> BinarizationStep:
    """Make pages black and white."""
    settings: Settings = ctx.obj
    if parameters["low"] >= parameters["high"]:
        raise CommandError(f"--low {parameters['low']} has to be less than --high {parameters['high']}.")
    _ = settings.jobs  # what's wrong with the inputs is said first
    return BinarizationStep(parameters, settings.threads)
