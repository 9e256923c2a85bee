"""Runs every input through the chain of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from kraken._cli.collection import Collection
from kraken._cli.console import Progress, progress
from kraken._cli.errors import CommandError, Failures, interruptible
from kraken._cli.inputs import Job
from kraken._cli.options import Settings
from kraken._cli.pages import Page, Step, check_image_target, open_page, write_page
from kraken.lib.exceptions import KrakenInputException


def check_chain(steps: Sequence[Step], settings: Settings) -> None:
    """Finds orders of steps that can't work, and outputs that the last one can't write.

    Raises:
        CommandError: If a step occurs twice, binarisation isn't the first or recognition not the
            last one, or
            an image can't be written under the name of an output.
    """
    names = [step.name for step in steps]
    for name in names:
        if names.count(name) > 1:
            raise CommandError(f"`{name}` can only be given once.")
    if "binarize" in names[1:]:
        raise CommandError("Binarization has to be the initial process.")
    if "ocr" in names and names[-1] != "ocr":
        raise CommandError(f"`ocr` has to be the last step; `{names[-1]}` comes after it.")
    if names == ["binarize"] and settings.native:
        for job in settings.jobs:
            check_image_target(job.target)


def _process(
    job: Job,
    steps: Sequence[Step],
    bars: Progress,
    read: Callable[[Job], Page],
    finish: Callable[[Page, Job], list[Path]],
) -> list[Path] | tuple[str, Exception]:
    """One input; returns its outputs, or the step that failed and why."""
    stage = "read"
    try:
        page = read(job)
        for step in steps:
            if page.content is not None:
                raise KrakenInputException(f"{stage} made a file that `{step.name}` can't go on with")
            stage = step.name
            step.run(page, bars)
        stage = "write"
        return finish(page, job)
    except BrokenPipeError:
        # Whoever read standard output has gone: there is nobody to work for.
        raise
    except Exception as error:
        return stage, error


def run_jobs(
    jobs: Sequence[Job],
    steps: Sequence[Step],
    settings: Settings,
    *,
    read: Callable[[Job], Page],
    finish: Callable[[Page, Job], list[Path]],
    failed: Callable[[Job], None] = lambda job: None,
    quiet: bool = False,
) -> Failures:
    """Processes inputs one after the other.

    A failed input doesn't keep the others from being done, unless ``settings.fail_fast`` is set.

    Args:
        jobs: The inputs.
        steps: What to do with each.
        settings: Options of the command.
        read: Opens an input.
        finish: Writes what the steps made of a page, and returns the outputs.
        failed: Called for an input that failed, after it was reported.
        quiet: Whether to show no progress.

    Returns:
        What became of the inputs.
    """
    failures = Failures(len(jobs), verbose=settings.verbose > 0, as_json=settings.json_summary)
    with progress(quiet) as bars:
        bars.start_pages(len(jobs))
        for job in jobs:
            done = _process(job, steps, bars, read, finish)
            bars.page_done()
            if isinstance(done, list):
                failures.succeeded(str(job), done)
                continue
            failures.add(str(job), *done)
            failed(job)
            if settings.fail_fast:
                break
    return failures


def run_chain(jobs: Sequence[Job], steps: Sequence[Step], settings: Settings) -> int:
    """Processes the inputs one after the other, each with an output of its own.

    Returns:
        The exit code: 0 if all went well, 1 if an input failed.
    """

    def read(job: Job) -> Page:
        linetype = getattr(steps[0], "linetype", None)
        return open_page(job, settings.input_format, linetype, reads_lines=steps[0].reads_lines)

    with interruptible(), Collection(settings.pdf) as collection:

        def finish(page: Page, job: Job) -> list[Path]:
            write_page(page, job.target, settings)
            collection.add(page)
            return [job.target]

        failures = run_jobs(jobs, steps, settings, read=read, finish=finish)
        if not failures.lines:
            collection.write()
        elif settings.pdf is not None:
            click.echo(f"{settings.pdf} isn't written, since not all of its pages are there.", err=True)
    return failures.finish()
