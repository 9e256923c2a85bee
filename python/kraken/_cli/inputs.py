"""Which files to read and where their results go."""

from __future__ import annotations

import glob
import os
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click

from kraken._cli.errors import CommandError
from kraken._cli.pdf_input import check_package, check_pattern, output_name, page_count


@dataclass(frozen=True)
class Job:
    """One input and the output it is for.

    Attributes:
        source: The input file.
        target: The file for its result.
        page: Index of the page if the input is a PDF, or a TIFF file of several pages.
        name: What messages and documents call the input if its path means nothing.
    """

    source: Path
    target: Path
    page: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        name = self.name or str(self.source)
        return name if self.page is None else f"{name}, page {self.page + 1}"


def collect_jobs(
    pairs: tuple[tuple[str, str], ...],
    patterns: tuple[str, ...],
    suffix: str,
    pdf_format: str | None = None,
) -> list[Job]:
    """Pairs of input and output from ``-i`` and ``-I``.

    Args:
        pairs: Inputs and outputs.
        patterns: Patterns of inputs.
        suffix: What the names of their outputs end in.
        pdf_format: If the inputs are PDF files, the names of the outputs of their pages.

    Raises:
        CommandError: If there is no input, a pattern matches nothing, the
            suffix is missing or malformed, or two inputs share an output.
    """
    jobs = [Job(Path(source), Path(target)) for source, target in pairs]
    if patterns and not suffix.startswith("."):
        raise CommandError("-I needs a suffix for its outputs that begins with a dot: add e.g. `-o .txt`.")
    for pattern in patterns:
        jobs.extend(Job(file, file.with_suffix(suffix)) for file in matching_files(pattern))
    for job in jobs:
        if not job.source.is_file():
            what = "is a folder" if job.source.is_dir() else "doesn't exist"
            raise CommandError(f"Input {job.source} {what}: name an image or XML file.")
    if not jobs:
        raise CommandError("No input: name a pair with `-i IN OUT`, or files with `-I PATTERN -o SUFFIX`.")
    if pdf_format is not None:
        if pairs:
            click.echo("Warning: outputs of PDF files are named by --pdf-format, not by -i.", err=True)
        jobs = _pdf_jobs([job.source for job in jobs], pdf_format, suffix)
    check_targets(jobs)
    return jobs


def _pdf_jobs(sources: list[Path], pdf_format: str, suffix: str) -> list[Job]:
    """One job for each page of PDF files."""
    check_package()
    check_pattern(pdf_format)
    return [
        Job(source, Path(output_name(pdf_format, source, index) + suffix), index)
        for source in sources
        for index in range(page_count(source))
    ]


def matching_files(pattern: str) -> list[Path]:
    """Files that match a pattern, sorted.

    Raises:
        CommandError: If there are none.
    """
    # `Path.glob` takes no absolute patterns.
    matches = sorted(glob.glob(str(Path(pattern).expanduser()), recursive=True))  # noqa: PTH207
    files = [Path(match) for match in matches if Path(match).is_file()]
    if not files:
        raise CommandError(f"No file matches {pattern!r}.")
    return files


def check_targets(jobs: list[Job]) -> None:
    """Finds outputs that can't be written before any work is done.

    Raises:
        CommandError: If outputs collide or a folder is missing or read-only.
    """
    counts = Counter(job.target.resolve() for job in jobs if str(job.target) != "-")
    for job in jobs:
        target = job.target
        if str(target) == "-":
            continue
        if counts[target.resolve()] > 1:
            raise CommandError(f"Several inputs would be written to {target}: give them names of their own.")
        if target.exists() and target.resolve() == job.source.resolve():
            raise CommandError(f"Output {target} is the input itself.")
        check_place(target)


def check_collection(target: Path, jobs: list[Job]) -> None:
    """Finds out that the file for all pages can't be written, before any work is done.

    Raises:
        CommandError: If it's an input or another output, its folder is missing or read-only, or
            the package that writes it isn't installed.
    """
    if any(target.resolve() in (job.source.resolve(), job.target.resolve()) for job in jobs):
        raise CommandError(f"{target} of --pdf is an input or output too: give it a name of its own.")
    check_place(target)
    if find_spec("fpdf") is None:
        raise CommandError("Writing PDF needs fpdf2: install it with `pip install 'kraken[pdf]'`.")


def check_place(target: Path) -> None:
    """Finds an output that can't be written.

    Raises:
        CommandError: If it is a folder, or its folder is missing or read-only.
    """
    if target.is_dir():
        raise CommandError(f"Output {target} is a folder; name a file in it.")
    if not target.parent.is_dir():
        raise CommandError(f"The folder {target.parent} for output {target.name} doesn't exist.")
    if not os.access(target.parent, os.W_OK):
        raise CommandError(f"The folder {target.parent} for output {target.name} isn't writable.")
