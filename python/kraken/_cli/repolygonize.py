"""``kraken repolygonize``: new polygons for the lines of documents."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from kraken._cli.documents import Document, read_document
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
from kraken.containers import BaselineLine
from kraken.lib.atomic import atomic_output

logger = logging.getLogger("kraken")

#: Where baselines run -> argument of the polygoniser
TOPLINES: dict[str, bool | None] = {"baseline": False, "topline": True, "centerline": None}

F = TypeVar("F", bound=Callable[..., Any])


def topline_options(command: F) -> F:
    """Adds the options that say where baselines run; the parameter ``kind`` is a key of :data:`TOPLINES`."""
    places = {"baseline": "foot of the text (default)", "centerline": "middle of it", "topline": "head of it"}
    for name, place in places.items():
        command = click.option(
            f"-{name[0]}l",
            f"--{name}",
            "kind",
            flag_value=name,
            default="baseline" if name == "baseline" else None,
            help=f"Baselines run along the {place}.",
        )(command)
    return command


@click.command("repolygonize", cls=FileCommand)
@files_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    help="Folder for the documents (default: the current one).",
)
@topline_options
@click.option(
    "--scale",
    type=click.IntRange(min=100, max=20_000),
    default=1800,
    show_default=True,
    help="Height in pixels at which polygons are looked for.",
)
@page_option
@click.pass_context
def repolygonize(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    output: str | None,
    kind: str,
    scale: int,
    page_number: int | None,
) -> None:
    """Find the polygons of the lines of ALTO and PageXML files anew, from their baselines.

    Writes NAME_rewrite.xml, in which nothing else is changed; lines whose polygon isn't found keep theirs.
    """
    settings: Settings = ctx.obj
    sources = find_files(files, "repolygonize")
    folder = output_folder(output)
    targets = {source: folder / f"{source.stem}_rewrite.xml" for source in sources}
    check_outputs(sources, [targets[source] for source in sources])

    def rewrite(source: Path) -> list[Path]:
        document = read_document(source, "baselines", page_number)
        write_polygons(document, targets[source], TOPLINES[kind], scale, settings.threads)
        return [targets[source]]

    run_files(ctx, sources, "repolygonize", rewrite)


def write_polygons(
    document: Document, target: Path, topline: bool | None, scale: int, threads: int = 1
) -> None:
    """Writes a document with new polygons.

    Raises:
        ValueError: It is neither ALTO nor PageXML.
    """
    if document.kind not in ("alto", "page"):
        raise ValueError(
            f"it is {document.kind}, and only ALTO and PageXML can be rewritten: "
            "turn it into one with `kraken convert`"
        )
    rings = find_polygons(document, topline, scale, threads)
    # Takes lxml, which reading the document has loaded.
    from kraken.lib.xml.rewrite import with_polygons

    with atomic_output(target) as temporary:
        temporary.write_bytes(with_polygons(document.source, rings))


def find_polygons(
    document: Document, topline: bool | None, scale: int, threads: int = 1
) -> dict[str, list[Any]]:
    """New polygons by the ids of their lines; lines whose polygon isn't found have none."""
    # Kernels that only this needs.
    from kraken.lib.segmentation import calculate_polygonal_environment

    lines = [
        line
        for line in document.segmentation.lines or ()
        if isinstance(line, BaselineLine) and line.baseline is not None and len(line.baseline) > 1
    ]
    if not lines:
        return {}
    rings = calculate_polygonal_environment(
        document.open_image(),
        [line.baseline for line in lines if line.baseline is not None],
        scale=(scale, 0),
        topline=topline,
        num_threads=threads,
    )
    found = {line.id: list(ring) for line, ring in zip(lines, rings, strict=True) if ring is not None}
    if len(found) < len(lines):
        logger.warning("%s: %d lines keep their polygons", document.source, len(lines) - len(found))
    return found
