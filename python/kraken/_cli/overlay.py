"""``kraken overlay``: pictures of results, to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kraken._cli.documents import Document, LineType, read_document
from kraken._cli.files import (
    FileCommand,
    check_outputs,
    files_argument,
    find_files,
    output_folder,
    page_option,
    run_files,
)
from kraken.lib.atomic import atomic_output, write_text

if TYPE_CHECKING:
    from kraken.serialization.overlay import Layers


@click.command("overlay", cls=FileCommand)
@files_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    help="Folder for the pictures (default: the current one).",
)
@click.option(
    "-f",
    "--format",
    "kind",
    type=click.Choice(("png", "html")),
    default="png",
    show_default=True,
    help="A picture, or a page for the browser that holds everything and shows text under the pointer.",
)
@click.option(
    "--linetype", type=click.Choice(("baselines", "bbox")), help="Kind of lines to read from XML files."
)
@click.option(
    "--height",
    type=click.IntRange(min=50, max=20_000),
    default=1800,
    show_default=True,
    help="Height of the pictures in pixels at most.",
)
@click.option("--regions/--no-regions", default=True, show_default=True, help="Draw regions.")
@click.option(
    "--lines/--no-lines", default=True, show_default=True, help="Draw the polygons or boxes of lines."
)
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="Draw baselines.")
@click.option(
    "--numbers/--no-numbers", default=True, show_default=True, help="Number lines in reading order."
)
@page_option
@click.pass_context
def overlay(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    output: str | None,
    kind: str,
    linetype: LineType | None,
    height: int,
    page_number: int | None,
    **layers: bool,
) -> None:
    """Draw results (ALTO, PageXML, hOCR, JSON) over their pages.

    Shows regions, lines, baselines and reading order. Lines are red and green in turn,
    or coloured from red to green by confidence where the file states it.
    """
    sources = find_files(files, "overlay")
    folder = output_folder(output)
    targets = {source: folder / f"{source.stem}.overlay.{kind}" for source in sources}
    check_outputs(sources, [targets[source] for source in sources])
    # Drawing is only loaded where something is drawn.
    from kraken.serialization.overlay import Layers

    chosen = Layers(**layers)

    def draw(source: Path) -> list[Path]:
        _draw(read_document(source, linetype, page_number), targets[source], kind, height, chosen)
        return [targets[source]]

    run_files(ctx, sources, "overlay", draw)


def _draw(document: Document, target: Path, kind: str, height: int, layers: Layers) -> None:
    from kraken._cli.documents import line_confidence
    from kraken.serialization import overlay as drawing

    confidences: dict[str, Any] = {
        line_id: line_confidence(words) for line_id, words in document.words.items()
    }
    image = document.open_image()
    if kind == "html":
        write_text(target, drawing.to_html(image, document.segmentation, confidences, height, layers))
        return
    picture = drawing.to_image(image, document.segmentation, confidences, height, layers)
    with atomic_output(target) as temporary:
        picture.save(temporary, "PNG", optimize=True)
