"""The group ``ketos`` and its global options."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import click

from kraken._cli.lazy import LazyGroup
from kraken._version import version
from kraken.ketos._experiment import load_experiment
from kraken.ketos._settings import KetosError, Settings
from kraken.registry import PRECISIONS

__all__ = ["cli"]

#: Subcommand -> where it is defined, and its line in the help, so that listing
#: the subcommands imports none.
_COMMANDS = {
    "compile": ("kraken.ketos.compile:compile", "Cut out the lines of pages and store them in one file."),
    "convert": ("kraken.ketos.convert:convert", "Turn checkpoints into weights files."),
    "lint": ("kraken.ketos.lint:lint", "Look for faults in training data."),
    "lmtrain": ("kraken.ketos.lmtrain:lmtrain", "Train a language model on text."),
    "pretrain": ("kraken.ketos.pretrain:pretrain", "Pre-train a recognition network without text."),
    "publish": ("kraken.ketos.publish:publish", "Upload a model."),
    "roadd": ("kraken.ketos.ro:roadd", "Add a reading order model to a segmentation model."),
    "rotrain": ("kraken.ketos.ro:rotrain", "Train a reading order model."),
    "segtest": ("kraken.ketos.segmentation:segtest", "Evaluate a segmentation model."),
    "segtrain": ("kraken.ketos.segmentation:segtrain", "Train a segmentation model."),
    "test": ("kraken.ketos.test:test", "Evaluate recognition models."),
    "train": ("kraken.ketos.train:train", "Train a recognition model."),
}


class _Ketos(LazyGroup):
    """Reports what users can mend in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the subcommand.

        Raises:
            KetosError: Something about data, models or options is wrong.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if not _is_expected(error):
                raise
            settings = ctx.obj
            if isinstance(settings, Settings) and settings.verbose:
                click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
            raise KetosError(" ".join(str(error).split()) or type(error).__name__) from error


def _is_expected(error: BaseException) -> bool:
    """Whether an exception speaks of the user's files and options rather than of a bug."""
    if isinstance(error, ValueError | OSError):
        return True
    from kraken.lib import exceptions  # needed after a failure only

    expected = (
        exceptions.KrakenCodecException,
        exceptions.KrakenEncodeException,
        exceptions.KrakenInputException,
        exceptions.KrakenInvalidModelException,
    )
    return isinstance(error, expected)


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"ketos, version {version()}")
        ctx.exit()


@click.group(
    cls=_Ketos,
    table=_COMMANDS,
    entry_points="ketos.cli",
    context_settings={"help_option_names": ["--help"], "auto_envvar_prefix": "KETOS"},
)
@click.option(
    "--version",
    is_flag=True,
    default=False,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option("-v", "--verbose", count=True, help="Say more; twice for everything.")
@click.option(
    "-d", "--device", default="auto", show_default=True, help="cpu, cuda:0, cuda:0,cuda:1, … or auto."
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="32-true",
    show_default=True,
    help="Number format of the computation.",
)
@click.option(
    "--workers",
    "num_workers",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Processes that prepare data; 0 prepares it in the process that trains.",
)
@click.option(
    "--threads",
    "num_threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads of the computation.",
)
@click.option("-s", "--seed", type=int, default=None, help="Seed of all random numbers.")
@click.option(
    "-r",
    "--deterministic/--no-deterministic",
    default=False,
    show_default=True,
    help="Prefer repeatable algorithms; without a seed it is 42.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=load_experiment,
    help="Experiment file (YAML) with values for the options.",
)
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Train and test models, and prepare data for it."""
    from kraken._cli.console import set_up_logging
    from kraken._cli.options import parse_device

    accelerator, device = parse_device(options.pop("device"))
    ctx.obj = Settings(accelerator="gpu" if accelerator == "cuda" else accelerator, device=device, **options)
    set_up_logging(ctx.obj.verbose)
    logging.getLogger("kraken").propagate = False


if __name__ == "__main__":
    cli()
