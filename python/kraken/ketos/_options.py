"""Options that the training commands share, and the types of values in them."""

from __future__ import annotations

import glob
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from kraken.configs._fields import declared
from kraken.registry import OPTIMIZERS, SCHEDULERS, STOPPERS

__all__ = [
    "CodecParam",
    "expand_inputs",
    "explicit_options",
    "field_defaults",
    "line_data_options",
    "line_options",
    "line_training_options",
    "manifests",
    "read_manifests",
    "training_options",
]

logger = logging.getLogger("kraken")

Command = TypeVar("Command", bound=Callable[..., Any])


def field_defaults(*classes: type) -> dict[str, Any]:
    """Defaults of the fields of configuration classes, the first class's first."""
    found: dict[str, Any] = {}
    for cls in classes:
        for name, value in declared(cls):
            found.setdefault(name, value)
    return found


def _together(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Decorator that adds options in this order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def line_data_options(fields: dict[str, Any], *, linetype: str = "") -> Callable[[Command], Command]:
    """Options about lines, whatever is done with them.

    Args:
        fields: Defaults by name of the field.
        linetype: End of the help for --linetype.
    """
    return _together(
        click.option(
            "-B",
            "--batch-size",
            type=click.IntRange(min=1),
            default=fields["batch_size"],
            show_default=True,
            help="Lines in a batch.",
        ),
        click.option(
            "--pad",
            "padding",
            type=click.IntRange(min=0),
            default=fields["padding"],
            show_default=True,
            help="White pixels before and after each line.",
        ),
        click.option(
            "-f",
            "--format-type",
            type=click.Choice(("path", "xml", "alto", "page", "binary")),
            default=fields["format_type"],
            show_default=True,
            help="Kind of the ground truth.",
        ),
        click.option(
            "--linetype",
            type=click.Choice(("baselines", "bbox")),
            default=fields["linetype"],
            help=f"Kind of the lines{linetype}.",
        ),
    )


def line_training_options(fields: dict[str, Any], *, pixel_budget: int) -> Callable[[Command], Command]:
    """Options about how training gets its lines, whatever it learns from them.

    Args:
        fields: Defaults by name of the field.
        pixel_budget: Default of --pixel-budget.
    """
    return _together(
        click.option(
            "--augment/--no-augment",
            default=fields["augment"],
            show_default=True,
            help="Distort images at random.",
        ),
        click.option(
            "--legacy-polygons",
            is_flag=True,
            default=fields["legacy_polygons"],
            help="Cut lines out the old way.",
        ),
        click.option(
            "--pixel-budget",
            type=click.IntRange(min=0),
            default=pixel_budget,
            show_default=True,
            help="Put lines of similar width in a batch up to this many pixels; 0 for --batch-size.",
        ),
    )


def line_options(fields: dict[str, Any], *, arch: str, linetype: str) -> Callable[[Command], Command]:
    """Options about networks for text lines and their data, which training and testing share.

    Args:
        fields: Defaults by name of the field.
        arch: End of the help for --arch.
        linetype: End of the help for --linetype.
    """
    return _together(
        click.option(
            "--arch",
            default="vgsl",
            show_default=True,
            metavar="NAME",
            help=f"Kind of network (entry-point group kraken.archs.recognition); {arch}",
        ),
        line_data_options(fields, linetype=linetype),
        click.option(
            "--reorder/--no-reorder",
            "bidi_reordering",
            default=fields["bidi_reordering"],
            show_default=True,
            help="Put text in display order.",
        ),
        click.option(
            "--base-dir",
            type=click.Choice(("L", "R", "auto")),
            default="auto",
            show_default=True,
            help="Base direction of the text for reordering.",
        ),
        click.option(
            "-u",
            "--normalization",
            type=click.Choice(("NFD", "NFKD", "NFC", "NFKC")),
            default=fields["normalization"],
            help="Unicode normalisation of the text.",
        ),
        click.option(
            "-n",
            "--normalize-whitespace/--no-normalize-whitespace",
            default=fields["normalize_whitespace"],
            show_default=True,
            help="Make every kind of blank a space and strip lines.",
        ),
    )


def manifests(*names: str, help: str) -> Callable[[Command], Command]:
    """Option that takes files with a path per line."""
    return click.option(
        *names, multiple=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE", help=help
    )


def read_manifests(paths: Iterable[str]) -> list[str]:
    """Paths in manifest files; those that aren't files are left out with a warning.

    Raises:
        click.BadParameter: A manifest isn't text.
    """
    found = []
    for path in paths:
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise click.BadParameter(f"{path} is no list of files: it isn't UTF-8 text ({error}).") from error
        for entry in (line.strip("\r\n") for line in lines):
            if Path(entry).is_file():
                found.append(entry)
            elif entry.strip():
                logger.warning('Invalid entry "%s" in %s', entry, path)
    return found


def expand_inputs(patterns: Sequence[str]) -> list[str]:
    """Files that patterns name, each once; a pattern without any is reported."""
    found: dict[str, None] = {}
    for pattern in patterns:
        # a file's name may hold characters that mean something in patterns
        names = [pattern] if Path(pattern).is_file() else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
        files = [name for name in names if Path(name).is_file()]
        if not files:
            logger.warning('No file matches "%s".', pattern)
        found.update(dict.fromkeys(files))
    return list(found)


def explicit_options(ctx: click.Context) -> set[str]:
    """Parameters that the command line, the environment or the experiment file sets."""
    sources = click.core.ParameterSource
    chosen = (sources.COMMANDLINE, sources.ENVIRONMENT, sources.DEFAULT_MAP)
    return {name for name in ctx.params if ctx.get_parameter_source(name) in chosen}


class CodecParam(click.ParamType):  # type: ignore[type-arg]
    """A codec: a JSON file on the command line, a mapping in an experiment file."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The mapping."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(Path(value).read_text(encoding="utf-8"))
        except OSError as error:
            self.fail(f"{value} can't be read: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(f"{value} isn't JSON: {error}", param, ctx)


def training_options(*classes: type, spec: bool = True, warmup: Any = int) -> Callable[[Command], Command]:
    """Decorator that adds the options of every training command.

    Args:
        *classes: Configuration classes; their fields are the options' defaults.
        spec: Whether the network is described by a VGSL text.
        warmup: Type of --warmup.
    """
    fields = field_defaults(*classes)
    fields.setdefault("pl_logger", None)
    path = click.Path(exists=True, dir_okay=False)
    options: list[Callable[[Any], Any]] = []

    def add(*names: str, field: str, type: Any, help: str, **kwargs: Any) -> None:
        default = fields.get(field)
        kwargs.setdefault("show_default", default is not None)
        options.append(click.option(*names, field, type=type, default=default, help=help, **kwargs))

    add(
        "-o",
        "--output",
        field="checkpoint_path",
        type=click.Path(),
        help="Folder of checkpoints and weights.",
    )
    add("--weights-format", field="weights_format", type=str, help="Format of the final weights.")
    if spec:
        add("-s", "--spec", field="spec", type=str, help="VGSL description of the network.")
    options.append(
        click.option("-i", "--load", type=path, help="Model or checkpoint whose weights to start with.")
    )
    options.append(
        click.option(
            "--resume",
            type=click.Path(exists=True),
            help="Checkpoint of a run to go on with, or folder: the latest one in it.",
        )
    )
    options.append(
        click.option(
            "--checkpoint-minutes",
            type=click.FloatRange(min=0),
            default=10.0,
            show_default=True,
            help="Minutes between rewrites of checkpoint_last.ckpt in the midst of epochs.",
        )
    )
    add(
        "-F",
        "--freq",
        field="freq",
        type=float,
        help="Epochs between evaluations; below 1 a part of an epoch.",
    )
    add("-q", "--quit", field="quit", type=click.Choice(STOPPERS), help="Stop early or after --epochs.")
    add("-N", "--epochs", field="epochs", type=int, help="Number of epochs for --quit fixed.")
    add("--min-epochs", field="min_epochs", type=int, help="Least number of epochs.")
    add("--lag", field="lag", type=int, help="Evaluations without progress before stopping early.")
    add("--min-delta", field="min_delta", type=float, help="Least improvement that counts as progress.")
    add("--optimizer", field="optimizer", type=click.Choice(OPTIMIZERS), help="Optimiser.")
    add("-r", "--lrate", field="lrate", type=float, help="Learning rate.")
    add("-m", "--momentum", field="momentum", type=float, help="Momentum (SGD, RMSprop).")
    add("-w", "--weight-decay", field="weight_decay", type=float, help="Weight decay.")
    add("--gradient-clip-val", field="gradient_clip_val", type=float, help="Largest norm of the gradient.")
    add("--accumulate-grad-batches", field="accumulate_grad_batches", type=int, help="Batches per step.")
    add("--warmup", field="warmup", type=warmup, help="Steps during which the learning rate grows from 0.")
    add("--schedule", field="schedule", type=click.Choice(SCHEDULERS), help="Course of the learning rate.")
    add("-g", "--gamma", field="gamma", type=float, help="Decay (exponential, step).")
    add("-ss", "--step-size", field="step_size", type=int, help="Epochs between decays (step).")
    add("--sched-patience", field="rop_patience", type=int, help="Epochs before a decay (reduceonplateau).")
    add("--cos-max", field="cos_t_max", type=int, help="Epochs to the minimum (cosine).")
    add("--cos-min-lr", field="cos_min_lr", type=float, help="Minimum (cosine).")
    add(
        "-p",
        "--partition",
        field="partition",
        type=click.FloatRange(0, 1),
        help="Share of the data to train on if there is no evaluation data.",
    )
    options.append(
        manifests(
            "-t",
            "--training-data",
            "training_data",
            help="List of training files, a path per line. Repeatable.",
        )
    )
    options.append(
        manifests(
            "-e",
            "--evaluation-data",
            "evaluation_data",
            help="List of evaluation files, a path per line. Repeatable.",
        )
    )
    add(
        "--logger",
        field="pl_logger",
        type=click.Choice(("tensorboard", "wandb")),
        help="Logger to send figures to.",
    )
    options.append(
        click.option(
            "--log-dir", type=click.Path(exists=True, file_okay=False), help="Folder of the logger's files."
        )
    )

    return _together(*options)
