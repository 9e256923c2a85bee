"""Faults in ground truth, found before training does."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kraken.containers import Segmentation
from kraken.lib.dataset.pages import parse_file
from kraken.lib.util import UnreadableImageError, open_image

__all__ = ["ERROR", "WARNING", "Finding", "lint"]

ERROR = "error"
WARNING = "warning"
#: code points that occur less often can't be learnt
RARE = 2


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        level: ``error`` (the line or file can't be used) or ``warning``.
        file: File at fault.
        line: Line at fault, empty for the whole file.
        check: Name of the check.
        message: What is wrong.
    """

    level: str
    file: str
    line: str
    check: str
    message: str


def lint(
    files: Sequence[str | os.PathLike[str]],
    format_type: str = "xml",
    linetype: str | None = None,
    normalization: str = "NFC",
) -> list[Finding]:
    """Checks files of ground truth.

    Args:
        files: Documents or line images.
        format_type: ``xml``, ``alto``, ``page`` or ``path``.
        linetype: ``baselines`` or ``bbox``.
        normalization: Form that texts should have.

    Returns:
        Faults in the order of the files, then those of the whole collection.
    """
    found: list[Finding] = []
    where: dict[str, list[tuple[str, str]]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for file in files:
        name = os.fspath(file)
        try:
            page = parse_file(file, format_type, linetype, skip_empty_lines=False)
        except (OSError, ValueError, TypeError) as error:
            found.append(Finding(ERROR, name, "", "unreadable file", _one_line(error)))
            continue
        found += _check_page(name, page, normalization)
        for line in page.lines or ():
            for char in line.text or "":
                counts[char] += 1
                if len(where[char]) < RARE:
                    where[char].append((name, line.id))
    for char, count in sorted(counts.items()):
        if count < RARE:
            file_name, line_id = where[char][0]
            message = f"{describe(char)} occurs once in all files"
            found.append(Finding(WARNING, file_name, line_id, "rare code point", message))
    return found


def describe(char: str) -> str:
    """A code point by number, name and look."""
    look = f" {char}" if char.isprintable() and not unicodedata.combining(char) else ""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'without name')}{look}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _check_page(file: str, page: Segmentation, normalization: str) -> list[Finding]:
    found = []
    size: tuple[int, int] | None = None
    try:
        size = open_image(page.imagename).size
    except UnreadableImageError as error:
        found.append(Finding(ERROR, file, "", "unreadable image", _one_line(error)))
    if not page.lines:
        found.append(Finding(WARNING, file, "", "no lines", "the page has no lines"))
    seen: set[str] = set()
    for line in page.lines or ():
        if line.id in seen:
            found.append(Finding(WARNING, file, line.id, "double id", "another line has the same id"))
        seen.add(line.id)
        for level, check, message in (*_check_text(line.text, normalization), *_check_shape(line, size)):
            found.append(Finding(level, file, line.id, check, message))
    return found


def _check_text(text: str | None, normalization: str) -> Iterable[tuple[str, str, str]]:
    if not text or not text.strip():
        yield ERROR, "no text", "the line has no text"
        return
    if not unicodedata.is_normalized(normalization, text):  # type: ignore[arg-type]
        yield WARNING, "normalisation", f"the text isn't in {normalization}"
    odd = sorted({char for char in text if unicodedata.category(char) in ("Cc", "Cs", "Cn")})
    if odd:
        yield WARNING, "odd code point", ", ".join(map(describe, odd))
    if text != text.strip():
        yield WARNING, "blanks", "the text begins or ends with blanks"


def _check_shape(line: Any, size: tuple[int, int] | None) -> Iterable[tuple[str, str, str]]:
    if line.type == "bbox":
        if not line.bbox:
            yield ERROR, "no box", "the line has no box"
            return
        x0, y0, x1, y1 = line.bbox
        if x1 <= x0 or y1 <= y0:
            yield ERROR, "no area", f"the box {line.bbox} has no area"
        yield from _check_inside([(x0, y0), (x1, y1)], "box", size)
        return
    if not line.baseline or len(line.baseline) < 2:
        yield ERROR, "no baseline", "the line has no baseline"
    else:
        yield from _check_inside(line.baseline, "baseline", size)
    if not line.boundary:
        yield ERROR, "no polygon", "the line has no polygon"
        return
    if len({tuple(point) for point in line.boundary}) < 3:
        yield ERROR, "no area", "the polygon has fewer than three different points"
    yield from _check_inside(line.boundary, "polygon", size)


def _check_inside(
    points: Iterable[Sequence[float]], what: str, size: tuple[int, int] | None
) -> Iterable[tuple[str, str, str]]:
    if size is None:
        return
    outside = [(x, y) for x, y in points if not (0 <= x <= size[0] and 0 <= y <= size[1])]
    if outside:
        x, y = outside[0]
        yield (
            ERROR,
            f"{what} outside",
            f"{len(outside)} points of the {what} are outside of the page of {size[0]}×{size[1]} px, "
            f"such as ({x}, {y})",
        )
