"""``ketos lint``: look for faults in training data."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kraken.ketos._options import expand_inputs, manifests, read_manifests


@click.command("lint")
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
    "-u",
    "--normalization",
    type=click.Choice(("NFD", "NFKD", "NFC", "NFKC")),
    default="NFC",
    show_default=True,
    help="Unicode normalisation that texts should have.",
)
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.argument("ground_truth", nargs=-1, type=click.Path())
@click.pass_context
def lint(ctx: click.Context, /, **options: Any) -> None:
    """Check the files (or patterns) GROUND_TRUTH; exit code 1 if something can't be used."""
    from kraken.lib.dataset.lint import ERROR  # loaded once the options are read
    from kraken.lib.dataset.lint import lint as check

    files = read_manifests(options["files"]) + expand_inputs(options["ground_truth"])
    if not files:
        raise click.UsageError(
            "No data was provided to the lint command. Use `-F` or the `ground_truth` argument.", ctx
        )
    found = check(
        list(dict.fromkeys(files)), options["format_type"], options["linetype"], options["normalization"]
    )
    if options["as_json"]:
        click.echo(json.dumps([asdict(entry) for entry in found], ensure_ascii=False, indent=1))
    else:
        _print(found)
    errors = sum(entry.level == ERROR for entry in found)
    summary = ", ".join(f"{count} × {name}" for name, count in Counter(e.check for e in found).most_common())
    click.echo(
        f"{len(files)} files: {errors} errors, {len(found) - errors} warnings"
        + (f" ({summary})" if summary else ""),
        err=True,
    )
    ctx.exit(1 if errors or (options["strict"] and found) else 0)


def _print(found: list[Any]) -> None:
    """The findings as a table."""
    rows = [(e.level, Path(e.file).name, e.line, e.check, e.message) for e in found]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    for row in rows:
        head = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        click.echo(f"{head}  {row[4]}")
