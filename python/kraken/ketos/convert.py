"""``ketos convert``: checkpoints and model files to one weights file (spec chapter cli-ketos)."""

from __future__ import annotations

from pathlib import Path

import click

from kraken.registry import registry

__all__ = ["convert"]


def _check_format(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """The name of a writer, which a plug-in may have added."""
    known = registry.names("kraken.writers")
    if value not in known:
        raise click.BadParameter(f"No writer for format {value} found. Known are {', '.join(known)}.")
    return value


@click.command("convert")
@click.option(
    "-o", "--output", default="model.safetensors", show_default=True, help="File to write the models to."
)
@click.option(
    "--weights-format",
    default="safetensors",
    show_default=True,
    callback=_check_format,
    help="Format of the file: safetensors, or coreml for a single network.",
)
@click.argument("checkpoints", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def convert(output: str, weights_format: str, checkpoints: tuple[Path, ...]) -> None:
    """Turn checkpoints (or weights files of another format) into one weights file."""
    if not checkpoints:
        raise click.UsageError("No checkpoints to convert were provided.")
    # Needs torch: loaded after everything that can be wrong with the command line.
    from kraken.models import convert_models

    try:
        written = convert_models(checkpoints, output, weights_format=weights_format)
    except (ValueError, RuntimeError, OSError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(f"Output file written to {written}")
