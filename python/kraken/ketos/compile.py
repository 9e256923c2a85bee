"""``ketos compile``: cut out the lines of pages and store them in one file."""

from __future__ import annotations

from typing import Any

import click

from kraken.ketos._options import manifests, read_manifests
from kraken.ketos._settings import KetosError, Settings


@click.command("compile")
@click.option(
    "-o", "--output", type=click.Path(), default="dataset.arrow", show_default=True, help="File to write."
)
@click.option(
    "-f",
    "--format-type",
    type=click.Choice(("path", "xml", "alto", "page")),
    default="xml",
    show_default=True,
    help="Kind of the ground truth.",
)
@manifests("-F", "--files", "files", help="List of files, a path per line. Repeatable.")
@click.option("--linetype", type=click.Choice(("baselines", "bbox")), default=None, help="Kind of the lines.")
@click.option(
    "--force-type",
    type=click.Choice(("bbox", "baseline")),
    default=None,
    help="Kind of lines that the file claims to hold.",
)
@click.option(
    "--skip-empty-lines/--keep-empty-lines",
    default=True,
    show_default=True,
    help="Leave out lines without text; pre-training needs none.",
)
@click.option(
    "--recordbatch-size",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Lines that are written together.",
)
@click.option("--legacy-polygons", is_flag=True, default=False, help="Cut lines out the old way.")
@click.argument("ground_truth", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.pass_context
def compile(ctx: click.Context, /, **options: Any) -> None:
    """Compile the files GROUND_TRUTH into one that training reads quickly."""
    from kraken.lib.arrow_dataset import build_binary_dataset  # loaded once the options are read

    files = list(dict.fromkeys([*read_manifests(options["files"]), *options["ground_truth"]]))
    if not files:
        raise click.UsageError(
            "No data was provided to the compile command. Use `-F` or the `ground_truth` argument.", ctx
        )
    settings: Settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
    forced = options["force_type"]
    with _progress(settings) as advance:
        report = build_binary_dataset(
            files,
            options["output"],
            options["format_type"],
            num_workers=settings.num_workers,
            linetype=options["linetype"],
            force_type=f"kraken_recognition_{forced}" if forced else None,
            recordbatch_size=options["recordbatch_size"],
            skip_empty_lines=options["skip_empty_lines"],
            callback=advance,
            legacy_polygons=options["legacy_polygons"],
        )
    if report.skipped:
        click.echo(f"{len(report.skipped)} faulty files or lines were skipped:", err=True)
        for entry in report.skipped:
            click.echo(f"  {entry}", err=True)
    settings.message(f"Output file written to {options['output']}")
    if not report.lines:
        raise KetosError(f"No usable line was found: {options['output']} is empty.")


class _progress:
    """Progress bar on a terminal, nothing elsewhere."""

    def __init__(self, settings: Settings) -> None:
        import sys

        self._bar: Any = None
        self._task: Any = None
        if not settings.verbose and sys.stderr.isatty():
            # rich takes a noticeable part of the start-up time
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            self._bar = Progress(
                "Cutting lines",
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )

    def __enter__(self) -> Any:
        if self._bar is not None:
            self._bar.start()
        return self._advance

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _advance(self, advance: int, total: int) -> None:
        if self._bar is None:
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=total)
        self._bar.advance(self._task, advance)
