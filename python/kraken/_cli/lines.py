"""``kraken lines``: images of lines with their texts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kraken._cli.documents import Document, LineType, read_document
from kraken._cli.errors import CommandError
from kraken._cli.files import (
    FileCommand,
    check_outputs,
    files_argument,
    find_files,
    output_folder,
    page_option,
    run_files,
)
from kraken._cli.options import Settings
from kraken.lib.atomic import atomic_output, write_text
from kraken.lib.exceptions import KrakenInputException

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger("kraken")

_QUALITY = 95


@click.command("lines", cls=FileCommand)
@files_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    help="Folder for the lines (default: the current one).",
)
@click.option(
    "-f",
    "--format",
    "suffix",
    type=click.Choice(("jpg", "png")),
    default="jpg",
    show_default=True,
    help="Format of the images.",
)
@click.option(
    "--linetype", type=click.Choice(("baselines", "bbox")), help="Kind of lines to read from XML files."
)
@click.option("--legacy-polygons", is_flag=True, help="Use the line extractor of old models.")
@click.option(
    "--skip-empty-lines/--keep-empty-lines",
    default=False,
    help="Leave out lines without text (default: keep).",
)
@page_option
@click.pass_context
def lines(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    output: str | None,
    suffix: str,
    linetype: LineType | None,
    legacy_polygons: bool,
    skip_empty_lines: bool,
    page_number: int | None,
) -> None:
    """Cut the lines of pages (ALTO, PageXML, hOCR, JSON) out, for training line by line.

    Writes PAGE.NUMBER.jpg and its text, PAGE.NUMBER.gt.txt, for each line, numbered from 0 on
    in reading order.
    """
    settings: Settings = ctx.obj
    sources = find_files(files, "lines")
    folder = output_folder(output)
    stems = {source: source.stem for source in sources}
    if len(set(stems.values())) < len(stems):
        raise CommandError(
            "Several inputs have one name: cut their lines into folders of their own, with -o."
        )
    check_outputs(sources, [folder / f"{stem}.0.{suffix}" for stem in stems.values()])

    def cut(source: Path) -> list[Path]:
        found = cut_lines(
            read_document(source, linetype, page_number), legacy_polygons, skip_empty_lines, settings.threads
        )
        return write_lines(found, folder / stems[source], suffix)

    run_files(ctx, sources, "lines", cut)


def cut_lines(
    document: Document, legacy: bool, skip_empty: bool = False, threads: int = 1
) -> list[tuple[int, Image.Image, str]]:
    """Number, image and text of each line of a page."""
    # Kernels that only this needs.
    from PIL import Image

    from kraken.lib.segmentation.extraction import extract_lines

    segmentation = document.segmentation
    chosen = [
        (number, line)
        for number, line in enumerate(segmentation.lines or ())
        if (line.text or "").strip() or not skip_empty
    ]
    images = extract_lines(
        document.open_image(),
        [line for _, line in chosen],
        type=segmentation.type,
        text_direction=segmentation.text_direction,
        legacy=legacy,
        num_threads=threads,
    )
    found, reasons = [], []
    for (number, line), image in zip(chosen, images, strict=True):
        if isinstance(image, str):
            reasons.append(image)
        else:
            found.append((number, Image.fromarray(image), line.text or ""))
    if reasons and not found:
        raise KrakenInputException(f"none of its {len(reasons)} lines can be cut out: {reasons[0]}")
    for reason in reasons:
        logger.warning("%s: a line is left out: %s", document.source, reason)
    return found


def write_lines(found: list[tuple[int, Image.Image, str]], stem: Path, suffix: str) -> list[Path]:
    """Writes the lines of a page; if one can't be written, none stays."""
    written: list[Path] = []
    try:
        for number, image, text in found:
            picture = stem.with_name(f"{stem.name}.{number}.{suffix}")
            with atomic_output(picture) as temporary:
                image.save(temporary, "JPEG" if suffix == "jpg" else "PNG", quality=_QUALITY)
            written.append(picture)
            transcript = stem.with_name(f"{stem.name}.{number}.gt.txt")
            write_text(transcript, text)
            written.append(transcript)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written
