"""``kraken convert``: results from one format to another."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from kraken._cli.documents import Document, LineType, read_document, with_linetype
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
from kraken._cli.inputs import check_collection
from kraken._cli.records import with_records
from kraken.lib.atomic import write_text

#: Format -> suffix of its files.
_SUFFIXES = {
    "alto": ".xml",
    "pagexml": ".xml",
    "hocr": ".html",
    "abbyyxml": ".xml",
    "json": ".json",
    "text": ".txt",
    "pdf": ".pdf",
}


@click.command("convert", cls=FileCommand)
@files_argument
@click.option(
    "-t",
    "--to",
    "target_format",
    type=click.Choice(tuple(_SUFFIXES)),
    required=True,
    help="Format of the outputs.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    help="Folder for the outputs (default: the current one).",
)
@click.option(
    "-s", "--suffix", help="Suffix of the outputs' names, e.g. .alto.xml (default: that of the format)."
)
@click.option(
    "--linetype",
    type=click.Choice(("baselines", "bbox")),
    help="Kind of lines to write; baselines and boxes are made of each other.",
)
@page_option
@click.pass_context
def convert(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    target_format: str,
    output: str | None,
    suffix: str | None,
    linetype: LineType | None,
    page_number: int | None,
) -> None:
    """Turn ALTO, PageXML, hOCR and JSON into one another, AbbyyXML, text or PDF.

    Confidences and places of words and characters are kept as far as both formats have them.
    """
    if suffix is not None and not suffix.startswith("."):
        raise CommandError(f"--suffix {suffix!r} has to begin with a dot: give e.g. `--suffix .{suffix}`.")
    sources = find_files(files, "convert --to alto")
    folder = output_folder(output)
    ending = suffix or _SUFFIXES[target_format]
    targets = {source: folder / f"{source.stem}{ending}" for source in sources}
    check_outputs(sources, [targets[source] for source in sources])
    if target_format == "pdf":
        check_collection(next(iter(targets.values())), [])

    def write(source: Path) -> list[Path]:
        _convert(_read(source, linetype, page_number), targets[source], target_format)
        return [targets[source]]

    run_files(ctx, sources, "convert", write)


def _read(source: Path, linetype: LineType | None, page_number: int | None) -> Document:
    """The document with lines of the wanted kind, whichever kind it holds."""
    document = read_document(source, linetype, page_number)
    if linetype is not None and not document.segmentation.lines:
        # Lines of the other kind are all that it has.
        document = read_document(source, page_number=page_number)
        segmentation = with_linetype(document.segmentation, linetype)
        document = dataclasses.replace(document, segmentation=segmentation)
    return with_records(document)


def _convert(document: Document, target: Path, target_format: str) -> None:
    segmentation = document.segmentation
    if target_format == "pdf":
        # fpdf2 and fontTools take a while to load.
        from kraken.serialization import write_pdf

        write_pdf([(segmentation, document.open_image())], target)
    elif target_format == "json":
        write_text(target, json.dumps(dataclasses.asdict(segmentation), default=str))
    elif target_format == "text":
        write_text(target, "\n".join(line.text or "" for line in segmentation.lines or ()))
    else:
        from kraken.serialization import serialize

        size = document.size or document.open_image().size
        write_text(target, serialize(segmentation, image_size=size, template=target_format, clip=True))
