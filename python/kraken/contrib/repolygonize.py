"""New polygons for the lines of ALTO and PageXML files: ``NAME_rewrite.xml``."""

from __future__ import annotations

from pathlib import Path

import click

from kraken._cli.files import check_outputs
from kraken._cli.repolygonize import TOPLINES, topline_options, write_polygons
from kraken.contrib._runner import document_formats, files_argument, open_document, run_files


@click.command("repolygonize")
@files_argument
@click.option(
    "-f",
    "--format-type",
    "kind_of_file",
    type=click.Choice(document_formats),
    default="xml",
    show_default=True,
    help="Format of the files; xml is either.",
)
@topline_options
@click.option(
    "-s",
    "--scale",
    type=click.IntRange(min=100, max=20_000),
    default=1800,
    show_default=True,
    help="Height in pixels at which polygons are looked for.",
)
def cli(files: tuple[str, ...], kind_of_file: str, kind: str, scale: int) -> None:
    """Find the polygons of lines anew, from their baselines.

    Nothing else in the documents is changed; lines whose polygon isn't found keep theirs.
    """

    def rewrite(source: Path) -> list[Path]:
        target = Path(f"{source.stem}_rewrite.xml")
        check_outputs([source], [target])
        write_polygons(open_document(source, kind_of_file, "baselines"), target, TOPLINES[kind], scale)
        return [target]

    run_files(files, "repolygonize", rewrite)


if __name__ == "__main__":
    cli()
