"""The pages that ``kraken read`` is given: files, patterns, folders, standard input; images and PDF files."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kraken._cli.errors import CommandError
from kraken._cli.inputs import Job, check_targets, matching_files
from kraken._cli.pdf_input import check_package, is_pdf, page_count
from kraken.lib.image_files import count_pages

#: What is taken for a page in a folder. A file that is named may be called anything.
_PAGE = re.compile(
    r".*\.(avif|bmp|gif|j2k|jp2|jpe|jpe?g|pbm|pdf|pgm|png|pnm|ppm|tga|tiff?|webp)", re.IGNORECASE | re.DOTALL
)
#: Name of standard input in results.
STDIN_NAME = "stdin"
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class PageFile:
    """An input.

    Attributes:
        path: The file.
        folder: Where it lies in the folder that was named; empty for files that were named.
        name: What to call it if its path means nothing.
    """

    path: Path
    folder: Path = Path()
    name: str | None = None

    @property
    def stem(self) -> str:
        """Name for outputs."""
        return Path(self.name).stem if self.name else self.path.stem


def find_files(names: Sequence[str], recursive: bool, scratch: Path) -> list[PageFile]:
    """The files that arguments name.

    Args:
        names: Files, patterns, folders, or ``-`` for standard input.
        recursive: Whether folders in folders are read, too.
        scratch: Folder for what comes on standard input.

    Raises:
        CommandError: A name or pattern matches nothing, a folder holds no page, or there is no name.
    """
    if not names:
        raise CommandError("No input: name images, PDF files or folders, as in `kraken read page.jpg`.")
    if names.count("-") > 1:
        raise CommandError("Standard input (-) can only be read once.")
    found: dict[Path, PageFile] = {}
    for name in names:
        path = Path(name).expanduser()
        if name == "-":
            files = [_standard_input(scratch)]
        elif path.is_dir():
            files = list(_in_folder(path, recursive))
        else:
            files = [PageFile(file) for file in ([path] if path.is_file() else matching_files(name))]
        for file in files:
            found.setdefault(file.path, file)
    return list(found.values())


def _standard_input(scratch: Path) -> PageFile:
    content = b"" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read()
    if not content:
        raise CommandError("Nothing comes on standard input: pipe an image or PDF file to `kraken read -`.")
    path = scratch / STDIN_NAME
    path.write_bytes(content)
    name = f"{STDIN_NAME}.pdf" if is_pdf(path) else STDIN_NAME
    return PageFile(path, name=name)


def _in_folder(folder: Path, recursive: bool) -> Iterator[PageFile]:
    """Pages in a folder, ``page2`` before ``page10``."""
    paths = [
        path
        for path in folder.glob("**/*" if recursive else "*")
        if _PAGE.fullmatch(path.name)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        deeper = "" if recursive else " Pages in its folders are read with --recursive."
        raise CommandError(f"No page in folder {folder}: it holds no image or PDF file.{deeper}")
    paths.sort(key=lambda path: [_natural(part) for part in path.relative_to(folder).parts])
    for path in paths:
        yield PageFile(path, path.parent.relative_to(folder))


def _natural(name: str) -> list[tuple[int, str]]:
    """Key that sorts numbers in names by their value, and `page.png` before `page2.png`."""
    path = Path(name.casefold())
    parts = [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(_NUMBERS.split(path.stem))]
    return [*parts, (0, path.suffix)]


def make_jobs(files: Sequence[PageFile]) -> list[Job]:
    """One job for each page, without target yet.

    Raises:
        CommandError: There are PDF files, but the package for them isn't installed.
    """
    jobs = []
    for file in files:
        pages: Sequence[int | None] = (None,)
        if is_pdf(file.path):
            check_package()
            pages = range(page_count(file.path))
        elif (count := count_pages(file.path)) > 1:
            pages = range(count)
        jobs += [Job(file.path, Path("-"), page, file.name) for page in pages]
    return jobs


def with_targets(jobs: Sequence[Job], files: Sequence[PageFile], folder: Path, suffix: str) -> list[Job]:
    """Jobs with outputs in a folder: ``page.txt``, for several pages in a file ``book_0001.txt`` and so on.

    Folders in folders come out as folders.

    Raises:
        CommandError: Two pages would get one output, or it can't be written.
    """
    by_path = {file.path: file for file in files}
    placed = []
    for job in jobs:
        file = by_path[job.source]
        number = "" if job.page is None else f"_{job.page + 1:04d}"
        place = folder / file.folder
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(
                f"Folder {place} can't be made: {error.strerror}. Choose another with -o."
            ) from error
        placed.append(replace(job, target=place / f"{file.stem}{number}{suffix}"))
    check_targets(placed)
    return placed
