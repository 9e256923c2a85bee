"""Commands that take documents as arguments and treat them one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kraken._cli.console import progress
from kraken._cli.errors import CommandError, Failures, interruptible
from kraken._cli.inputs import check_place, matching_files
from kraken._cli.options import Settings

#: The argument of these commands.
files_argument = click.argument("files", nargs=-1, type=click.Path(), metavar="FILES...")

#: Where the image of a document is a page of a PDF.
page_option = click.option(
    "--page",
    "page_number",
    type=click.IntRange(min=1),
    help="Page of the PDF or TIFF file that the files were made of, from 1 on (default: what the file or its "
    "name says).",
)


class FileCommand(click.Command):
    """A command that stands alone, and whose options may follow its arguments.

    Neither is so for the subcommands of a group that chains them.
    """

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parses the command line."""
        extra.update(allow_interspersed_args=True, allow_extra_args=False)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command, unless it is part of a chain."""
        settings: Settings = ctx.obj
        if settings.pairs or settings.patterns:
            raise CommandError(
                f"`{self.name}` isn't a step for -i or -I: call it on its own, with the files at its end."
            )
        given = {
            "-o": settings.suffix,
            "--pdf": settings.pdf,
            "-t": settings.template,
            f"--{settings.output_format}": settings.output_format != "native",
        }
        for option, value in given.items():
            if value:
                raise CommandError(
                    f"{option} before `{self.name}` has no effect: see `kraken {self.name} --help`."
                )
        super().invoke(ctx)
        # The group has no chain to run.
        ctx.exit(0)


def find_files(names: Sequence[str], command: str) -> list[Path]:
    """The files that arguments name; patterns are resolved where no shell did it.

    Raises:
        CommandError: If a name or pattern matches nothing, or there are none.
    """
    if not names:
        raise CommandError(f"No input: name files, as in `kraken {command} FILE...`.")
    files: dict[Path, None] = {}
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            raise CommandError(f"Input {path} is a folder: name the files in it, e.g. {path}/*.xml.")
        files.update(dict.fromkeys([path] if path.is_file() else matching_files(name)))
    return list(files)


def output_folder(folder: str | None) -> Path:
    """The folder for outputs, which is made if it doesn't exist.

    Raises:
        CommandError: If it can't be made.
    """
    path = Path(folder or ".")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"Folder {path} can't be made: {error.strerror}. Choose another with -o."
        ) from error
    return path


def check_outputs(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    """Finds outputs that collide or can't be written before any work is done.

    Raises:
        CommandError: If so.
    """
    counts = Counter(target.resolve() for target in targets)
    inputs = {source.resolve() for source in sources}
    for target in targets:
        if counts[target.resolve()] > 1:
            raise CommandError(f"Several inputs would be written to {target}: treat them one at a time.")
        if target.resolve() in inputs:
            raise CommandError(f"Output {target} is an input: choose another folder with -o.")
        check_place(target)


def run_files(
    ctx: click.Context, sources: Sequence[Path], stage: str, work: Callable[[Path], list[Path]]
) -> None:
    """Does some work on each of the files, and ends the command with its exit code.

    A failed file doesn't keep the others from being done, unless ``--fail-fast`` is given.

    Args:
        ctx: Context of the command.
        sources: The files.
        stage: What is done, for messages.
        work: Does it for one file and returns the outputs.
    """
    settings: Settings = ctx.obj
    failures = Failures(len(sources), verbose=settings.verbose > 0, as_json=settings.json_summary)
    with interruptible(), progress() as bars:
        bars.start_pages(len(sources))
        for source in sources:
            try:
                failures.succeeded(str(source), work(source))
            except Exception as error:
                failures.add(str(source), stage, error)
                if settings.fail_fast:
                    break
            finally:
                bars.page_done()
    ctx.exit(failures.finish())
