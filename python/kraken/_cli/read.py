"""``kraken read``: from pages to text with one command."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from kraken._cli.chain import run_jobs
from kraken._cli.decoding import decoder_options, take_decoder
from kraken._cli.errors import CommandError, interruptible
from kraken._cli.files import FileCommand
from kraken._cli.inputs import Job
from kraken._cli.ocr import RecognitionStep, load_reader, stated_direction
from kraken._cli.options import Settings
from kraken._cli.page_files import PageFile, find_files, make_jobs, with_targets
from kraken._cli.pages import Page, Step, open_page
from kraken._cli.results import (
    FORMATS,
    STDOUT,
    OneDocument,
    Results,
    SeparateFiles,
    check_document,
    check_pdf_package,
    choose_format,
    is_file_name,
)
from kraken._cli.segment import SegmentStep, load_layout
from kraken.configs import RecognitionInferenceConfig, SegmentationInferenceConfig

#: Lines in one pass of the network.
_BATCH_SIZE = 8


def _place_results(
    files: Sequence[PageFile], kind: str, output: Path | None, settings: Settings
) -> tuple[list[Job], Results]:
    """The pages with the places of their results."""
    if kind == "pdf":
        check_pdf_package()
    jobs = make_jobs(files)
    if output is not None and output != STDOUT and not is_file_name(output, kind):
        jobs = with_targets(jobs, files, output, FORMATS[kind][1][0])
        return jobs, SeparateFiles(kind, settings)
    target = output or STDOUT
    check_document(kind, target, jobs)
    if target == STDOUT and settings.json_summary:
        raise CommandError(
            "--json and results would be mixed on standard output: name a file or folder with -o."
        )
    return jobs, OneDocument(kind, target, settings)


def _steps(
    layout: tuple[str, ...], reader: tuple[str, ...], options: dict[str, Any], settings: Settings
) -> list[Step]:
    """Layout analysis and recognition, with their models loaded."""
    decoder = take_decoder(options)
    finder, finder_name = load_layout(layout, settings)
    task, reader_name = load_reader(reader, settings)
    common = settings.config_options()
    config = RecognitionInferenceConfig(**decoder, **options, **stated_direction(task), **common)
    return [
        SegmentStep(finder, SegmentationInferenceConfig(**common), finder_name),
        RecognitionStep(task, config, reader_name, whole_image=False),
    ]


@contextmanager
def _opened_ahead(jobs: Sequence[Job], threads: int) -> Iterator[Callable[[Job], Page]]:
    """A function that opens pages; with more than one thread the next page is decoded meanwhile."""

    def opened(job: Job) -> Page:
        return open_page(job, "image")

    if threads < 2 or len(jobs) < 2:
        yield opened
        return
    following = dict(pairwise(jobs))
    with ThreadPoolExecutor(1) as pool:
        pending: dict[Job, Future[Page]] = {}

        def take(job: Job) -> Page:
            current = pending.pop(job, None) or pool.submit(opened, job)
            if job in following:
                pending[following[job]] = pool.submit(opened, following[job])
            return current.result()

        try:
            yield take
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@click.command("read", cls=FileCommand)
@click.argument("inputs", nargs=-1, type=click.Path(), metavar="INPUT...")
@click.option(
    "-f",
    "--format",
    "kind",
    type=click.Choice(tuple(FORMATS)),
    help="Format of the results.  [default: what the name after -o stands for, else text]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for a file for each page, or a file for all pages (text, JSON, PDF; a single page in any "
    "format).  [default: standard output]",
)
@click.option("-r", "--recursive", is_flag=True, help="Read the folders in folders, too.")
@click.option(
    "-i", "--layout", "layout", multiple=True, metavar="MODEL", help="Layout model, see `kraken segment`."
)
@click.option(
    "-m",
    "--model",
    "reader",
    multiple=True,
    metavar="[TYPE:]MODEL",
    help="Recognition model, see `kraken ocr`.",
)
@click.option(
    "-B",
    "--batch-size",
    type=click.IntRange(min=1),
    default=_BATCH_SIZE,
    show_default=True,
    help="Lines in one pass of the network.",
)
@decoder_options
@click.pass_context
def read(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    kind: str | None,
    output: Path | None,
    recursive: bool,
    layout: tuple[str, ...],
    reader: tuple[str, ...],
    **options: Any,
) -> None:
    """Read pages: find their lines and recognise the text.

    INPUT is an image, a PDF or TIFF file of several pages, a pattern, a folder, or `-` for standard input.
    Text is printed, with a form feed between pages; JSON has a line for each page. Without -i and -m the
    models that come with kraken are used.
    """
    settings: Settings = ctx.obj
    if settings.input_format != "image":
        raise CommandError("-f before `read` has no effect: images and PDF files are told apart anyway.")
    kind = choose_format(kind, output)
    with interruptible(), tempfile.TemporaryDirectory(prefix="kraken-") as scratch:
        files = find_files(inputs, recursive, Path(scratch))
        jobs, results = _place_results(files, kind, output, settings)
        steps = _steps(layout, reader, options, settings)
        with results, _opened_ahead(jobs, settings.threads) as opened:
            failures = run_jobs(
                jobs,
                steps,
                settings,
                read=opened,
                finish=results.add,
                failed=results.skip,
                # Results on the screen show how far it is.
                quiet=output in (None, STDOUT) and sys.stdout.isatty(),
            )
            results.finish()
        code = failures.finish()
    ctx.exit(code)
