"""Compilation of training data: line images and texts in one Arrow file (spec chapter datasets §4)."""

from __future__ import annotations

import io
import json
import logging
import mmap
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from kraken._rust.image import encode_png
from kraken.containers import Segmentation
from kraken.lib.atomic import atomic_output
from kraken.lib.dataset.pages import parse_file
from kraken.lib.image_modes import to_mode8
from kraken.lib.segmentation.extraction import extract_line_pngs, extract_polygons
from kraken.lib.util import open_image

__all__ = ["BuildReport", "build_binary_dataset", "parse_page"]

logger = logging.getLogger("kraken")

_FORMATS = ("xml", "alto", "page", "path", None)
_TYPES = ("kraken_recognition_baseline", "kraken_recognition_bbox")
_LINES = pa.struct([("text", pa.string()), ("im", pa.binary()), ("language", pa.list_(pa.string()))])
_SPLITS = ("train", "validation", "test")
_MODES = ("1", "L", "RGB")
#: lines that stay in memory after the first look at the files, some kilobytes each
_KEPT_LINES = 5000
#: page modes whose lines PNG holds as they are
_KEPT_MODES = frozenset({"1", "L", "RGB", "RGBA", "LA"})
_GREY_MODES = frozenset({"1", "L", "LA", "I", "I;16", "F"})


@dataclass
class BuildReport:
    """What became of the data.

    Attributes:
        lines: Number of lines written.
        skipped: Name and cause of everything left out.
    """

    lines: int = 0
    skipped: list[str] = field(default_factory=list)


@dataclass
class _Page:
    """Lines of a page, ready to be written, and what couldn't be used."""

    texts: list[str | None] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    languages: list[list[str] | None] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    total: int = 0
    mode: str = "1"
    skipped: list[str] = field(default_factory=list)


@dataclass
class _Summary:
    """What a first look at all files finds."""

    files: list[tuple[Any, Segmentation | None]] = field(default_factory=list)
    lines: int = 0
    alphabet: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    types: set[str] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)


def build_binary_dataset(
    files: Sequence[str | PathLike[str] | Segmentation],
    output_file: str | PathLike[str],
    format_type: str | None = "xml",
    num_workers: int = 0,
    ignore_splits: bool = True,
    random_split: tuple[float, float, float] | None = None,
    linetype: str | None = None,
    force_type: str | None = None,
    recordbatch_size: int = 100,
    skip_empty_lines: bool = True,
    callback: Callable[[int, int], Any] = lambda advance, total: None,
    legacy_polygons: bool = False,
) -> BuildReport:
    """Cuts the lines out of pages and writes them with their texts to an Arrow file.

    Faulty files and lines are left out with a warning. The order of the input is kept.

    Args:
        files: Paths, or segmentations for format None.
        output_file: File to write; it appears when it is complete.
        format_type: ``xml``, ``alto``, ``page``, ``path`` or None.
        num_workers: Threads; 0 and 1 work in the caller's.
        ignore_splits: Whether splits that the sources record are left out of the file.
        random_split: Shares of training, validation and test data that lines are dealt to at random
            (numpy's global generator).
        linetype: ``baselines`` or ``bbox``; by default ``baselines``, or the kind of the segmentations.
        force_type: Type that the file claims to hold.
        recordbatch_size: A record batch is written when this many lines are there.
        skip_empty_lines: Leave out lines without text.
        callback: Called with the number of lines done since the last call and that of all lines.
        legacy_polygons: Cut lines out the way that models before release 5 expect.

    Returns:
        What was written and what not.

    Raises:
        ValueError: An option is invalid.
        OSError: The file can't be written.
    """
    if format_type not in _FORMATS:
        raise ValueError(f"invalid format {format_type} for parse_(xml,alto,page,path)")
    if force_type is not None and force_type not in _TYPES:
        raise ValueError(f"force_type set to invalid value {force_type}")
    if random_split is not None and (len(random_split) != 3 or abs(sum(random_split) - 1) > 1e-6):
        raise ValueError(f"random_split is {random_split}, need three shares that sum up to 1")
    read = partial(parse_page, format_type=format_type, linetype=linetype, skip_empty_lines=skip_empty_lines)
    summary = _survey(files, read)
    kind = _data_type(format_type, linetype, force_type, summary.types)
    metadata: dict[str, Any] = {
        "type": kind,
        "alphabet": dict(summary.alphabet),
        "text_type": "raw",
        "image_type": "raw",
        "splits": ["train", "eval", "test"],
        "im_mode": "1",
        "legacy_polygons": legacy_polygons,
        "languages": dict(summary.languages),
        "counts": dict.fromkeys(("all", *_SPLITS), 0),
    }
    callback(0, summary.lines)
    report = BuildReport(skipped=summary.skipped)
    cut = partial(_cut_page, read=read, legacy=legacy_polygons, skip_empty_lines=skip_empty_lines)
    with atomic_output(output_file) as temporary:
        writer = _Writer(temporary, metadata, random_split, use_splits=not ignore_splits)
        with writer:
            for page in _map_ordered(cut, summary.files, num_workers):
                report.skipped += page.skipped
                done = writer.add(page, recordbatch_size)
                if done:
                    callback(done, summary.lines)
            done = writer.flush()
            if done:
                callback(done, summary.lines)
        writer.write_metadata()
    report.lines = metadata["counts"]["all"]
    return report


def parse_page(
    file: Any, format_type: str | None, linetype: str | None = None, skip_empty_lines: bool = True
) -> Segmentation:
    """Lines of one input of a data set.

    Raises:
        OSError: It can't be read.
        ValueError: It can't be parsed.
    """
    if format_type is None:
        if not isinstance(file, Segmentation):
            raise ValueError(f"a {type(file).__name__} is no segmentation")
        return file
    return parse_file(file, format_type, linetype, skip_empty_lines)


def _survey(files: Sequence[Any], read: Callable[[Any], Segmentation]) -> _Summary:
    """Counts what is in all files; to save memory, only the first are kept, others are read again later."""
    summary = _Summary()
    for file in files:
        try:
            page = read(file)
        except (OSError, ValueError) as error:
            summary.skipped.append(_skip(f"Invalid input file {file}: {error}"))
            continue
        summary.files.append((file, page if summary.lines < _KEPT_LINES else None))
        summary.types.add(page.type)
        for line in page.lines or ():
            summary.lines += 1
            summary.alphabet.update(line.text or "")
            summary.languages.update(line.language or ())
    return summary


def _skip(message: str) -> str:
    logger.warning("%s. Skipping.", message)
    return message


def _data_type(format_type: str | None, linetype: str | None, force_type: str | None, types: set[str]) -> str:
    """Type that the file's metadata states."""
    if format_type == "path":
        found = "bbox"
    elif linetype:
        found = linetype
    elif format_type is None and len(types) == 1:
        found = next(iter(types))
    else:
        if len(types) > 1:
            raise ValueError("Segmentations with baselines and with boxes can't be in one data set.")
        found = "baselines"
    kind = "kraken_recognition_bbox" if found == "bbox" else "kraken_recognition_baseline"
    if force_type and force_type != kind:
        logger.warning("Forcing dataset type to %s although the data is of type %s.", force_type, kind)
    return force_type or kind


def _map_ordered(function: Callable[[Any], _Page], items: Sequence[Any], num_workers: int) -> Iterator[_Page]:
    """Results in the order of the items; only a few are waiting at any time."""
    if num_workers < 2 or len(items) < 2:
        yield from map(function, items)
        return
    # decoding, cutting and encoding, nearly all of the work, don't hold the interpreter's lock
    with ThreadPoolExecutor(num_workers) as pool:
        pending: deque[Future[_Page]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * num_workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


# -- lines of a page ------------------------------------------------------------------


def _cut_page(
    item: tuple[Any, Segmentation | None],
    read: Callable[[Any], Segmentation],
    legacy: bool,
    skip_empty_lines: bool,
) -> _Page:
    """Line images and texts of one input, which may have been read; never raises for what the input holds."""
    found = _Page()
    file, page = item
    try:
        page = page or read(file)
        name = fspath(page.imagename) if page.imagename is not None else str(file)
        lines = [line for line in page.lines or () if line.text or not skip_empty_lines]
        image = _open_reduced(name)
    except (OSError, ValueError, TypeError) as error:
        found.skipped.append(_skip(f"Invalid input file {file}: {error}"))
        return found
    found.mode = "1" if image.mode == "1" else "L" if image.mode in _GREY_MODES else "RGB"
    for line, (data, fault) in zip(lines, _files(image, page, lines, legacy), strict=True):
        if fault:
            found.skipped.append(_skip(f"Line {line.id} of {name}: {fault}"))
            continue
        found.images.append(data)
        found.texts.append(line.text)
        found.languages.append(list(line.language) if line.language else None)
        found.splits.append(line.split)
    return found


def _open_reduced(path: str) -> Image.Image:
    """A page image, bitonal if it has exactly two colours."""
    image = open_image(path)
    if image.mode != "1":
        colours = image.getcolors(2)
        if colours is not None and len(colours) == 2:
            return image.convert("1")
    return image if image.mode in _KEPT_MODES else to_mode8(image)


def _files(
    image: Image.Image, page: Segmentation, lines: Sequence[Any], legacy: bool
) -> list[tuple[bytes, str]]:
    """PNG file of each line and an empty text, or no bytes and the reason why there is none."""
    if page.type == "baselines" and image.mode in ("1", "L", "RGB"):
        return extract_line_pngs(image, lines, legacy=legacy, num_threads=1)
    return [_single(image, page, line, legacy) for line in lines]


def _single(image: Image.Image, page: Segmentation, line: Any, legacy: bool) -> tuple[bytes, str]:
    bounds = Segmentation(
        type=page.type,
        imagename=page.imagename,
        text_direction=page.text_direction,
        script_detection=False,
        lines=[line],
    )
    try:
        return _encode(next(extract_polygons(image, bounds, legacy=legacy))[0]), ""
    except ValueError as error:
        return b"", str(error)


def _encode(image: Image.Image) -> bytes:
    """An image as a PNG file."""
    if image.mode != "1":
        return encode_png(np.ascontiguousarray(image))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


# -- file -------------------------------------------------------------------------------


class _Writer:
    """Writes record batches; what is known only at the end goes where room was left for it."""

    def __init__(
        self,
        path: Path,
        metadata: dict[str, Any],
        random_split: tuple[float, float, float] | None,
        use_splits: bool,
    ) -> None:
        self.path = path
        self.metadata = metadata
        self.random_split = random_split
        self.use_splits = use_splits
        self._pending = _Page()
        # the longest that the record can become, with blanks, which JSON allows at its end
        widest = {**metadata, "im_mode": "RGB", "counts": dict.fromkeys(metadata["counts"], 10**12)}
        self._room = len(json.dumps(widest))
        self.schema = pa.schema(
            [("lines", _LINES), *((name, pa.bool_()) for name in _SPLITS)],
            metadata={"lines": self._record()},
        )

    def _record(self) -> bytes:
        return json.dumps(self.metadata).ljust(self._room).encode("ascii")

    def __enter__(self) -> _Writer:
        self._initial = self._record()
        self._file = pa.ipc.new_file(str(self.path), self.schema)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, page: _Page, size: int) -> int:
        """Adds a page; returns the number of lines written if that filled a record batch."""
        self.metadata["im_mode"] = max(self.metadata["im_mode"], page.mode, key=_MODES.index)
        pending = self._pending
        pending.texts += page.texts
        pending.images += page.images
        pending.languages += page.languages
        pending.splits += page.splits
        return self.flush() if len(pending.texts) >= size else 0

    def flush(self) -> int:
        """Writes what is pending; returns its number of lines."""
        pending, self._pending = self._pending, _Page()
        count = len(pending.texts)
        if not count:
            return 0
        lines = pa.StructArray.from_arrays(
            [
                pa.array(pending.texts, pa.string()),
                pa.array(pending.images, pa.binary()),
                pa.array(pending.languages, pa.list_(pa.string())),
            ],
            fields=list(_LINES),
        )
        flags = self._flags(pending.splits)
        columns = [lines, *(pa.array(column, pa.bool_()) for column in flags)]
        self._file.write_batch(pa.record_batch(columns, schema=self.schema))
        counts = self.metadata["counts"]
        counts["all"] += count
        for name, column in zip(_SPLITS, flags, strict=True):
            counts[name] += int(column.sum())
        return count

    def _flags(self, splits: Sequence[str | None]) -> list[Any]:
        """Membership of the lines in each split."""
        if self.random_split is not None:
            dealt = np.random.choice(4, len(splits), p=(0.0, *self.random_split))
            return [dealt == number for number in (1, 2, 3)]
        if self.use_splits:
            return [np.array([split == name for split in splits]) for name in _SPLITS]
        return [np.zeros(len(splits), dtype=bool) for _ in _SPLITS]

    def write_metadata(self) -> None:
        """Replaces the preliminary record, which the file holds at its beginning and its end."""
        final, room = self._record(), len(self._initial)
        if final == self._initial:
            return
        with self.path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
            for place in (content.find(self._initial), content.rfind(self._initial)):
                content[place : place + room] = final
