"""Images of lines with their texts: ``PAGE.NUMBER.jpg`` and ``PAGE.NUMBER.gt.txt``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kraken._cli.documents import Document
from kraken._cli.errors import CommandError
from kraken._cli.lines import cut_lines, write_lines
from kraken.contrib._runner import (
    document_formats,
    files_argument,
    load_model,
    model_option,
    open_document,
    run_files,
)

if TYPE_CHECKING:
    from kraken.tasks import SegmentationTaskModel


@click.command("extract_lines")
@files_argument
@click.option(
    "-f",
    "--format-type",
    type=click.Choice((*document_formats, "binary")),
    default="xml",
    show_default=True,
    help="Format of the files: documents, or data sets that `ketos compile` made.",
)
@model_option("Layout model that finds the lines; FILES are images then.")
@click.option("--legacy-polygons", is_flag=True, help="Use the line extractor of old models.")
def cli(files: tuple[str, ...], format_type: str, model_name: str | None, legacy_polygons: bool) -> None:
    """Cut lines out of pages, or take them out of compiled data sets."""
    if format_type == "binary":
        if model_name is not None or legacy_polygons:
            raise CommandError("Lines of compiled data sets are cut out: leave out -i and --legacy-polygons.")
        run_files(files, "extract_lines", _unpack)
    task = None
    if model_name is not None:
        from kraken.tasks import SegmentationTaskModel  # torch is loaded once it is needed

        task = load_model(model_name, SegmentationTaskModel.load_model, "segmentation")

    def cut(source: Path) -> list[Path]:
        document = open_document(source, format_type) if task is None else _segmented(source, task)
        return write_lines(cut_lines(document, legacy_polygons), Path(source.stem), "jpg")

    run_files(files, "extract_lines", cut)


def _segmented(source: Path, task: SegmentationTaskModel) -> Document:
    from kraken.configs import SegmentationInferenceConfig
    from kraken.lib.util import open_image

    found = task.predict(open_image(source), SegmentationInferenceConfig())
    return Document(source, found, source)


def _unpack(source: Path) -> list[Path]:
    """The lines of a compiled data set, which names no pages: the file's name stands for them."""
    from kraken.lib.dataset.arrow import ArrowIPCRecognitionDataset  # takes torch and pyarrow

    lines = ArrowIPCRecognitionDataset(skip_empty_lines=False)
    lines.add(source)
    found = [
        (number, lines.image_of(number).convert("RGB"), lines.text_of(number)) for number in range(len(lines))
    ]
    return write_lines(found, Path(source.stem), "jpg")


if __name__ == "__main__":
    cli()
