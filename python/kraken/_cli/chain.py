"""Runs every input through the chain of steps."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kraken._cli.collection import Collection
from kraken._cli.console import Progress, progress
from kraken._cli.errors import CommandError, Failures, interruptible
from kraken._cli.inputs import Job
from kraken._cli.options import Settings
from kraken._cli.pages import Step, check_image_target, open_page, write_page
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
    job: Job, steps: Sequence[Step], settings: Settings, bars: Progress, collection: Collection
) -> tuple[str, Exception] | None:
    """One input; returns the step that failed and why, or None."""
    stage = "read"
    try:
        linetype = getattr(steps[0], "linetype", None)
        page = open_page(job, settings.input_format, linetype, reads_lines=steps[0].reads_lines)
        for step in steps:
            if page.content is not None:
                raise KrakenInputException(f"{stage} made a file that `{step.name}` can't go on with")
            stage = step.name
            step.run(page, bars)
        stage = "write"
        write_page(page, job.target, settings)
        collection.add(page)
    except Exception as error:
        return stage, error
    return None


def run_chain(jobs: Sequence[Job], steps: Sequence[Step], settings: Settings) -> int:
    """Processes the inputs one after the other.

    A failed input leaves no output and doesn't keep the others from being done,
    unless ``settings.fail_fast`` is set.

    Returns:
        The exit code: 0 if all went well, 1 if an input failed.
    """
    failures = Failures(len(jobs), verbose=settings.verbose > 0, as_json=settings.json_summary)
    with interruptible(), progress() as bars, Collection(settings.pdf) as collection:
        bars.start_pages(len(jobs))
        for job in jobs:
            failed = _process(job, steps, settings, bars, collection)
            bars.page_done()
            if failed is not None:
                failures.add(str(job), *failed)
                if settings.fail_fast:
                    break
            else:
                failures.succeeded(str(job), [job.target])
        if not failures.lines:
            collection.write()
        elif settings.pdf is not None:
            click.echo(f"{settings.pdf} isn't written, since not all of its pages are there.", err=True)
    return failures.finish()
