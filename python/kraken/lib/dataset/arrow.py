"""Compiled data sets: lines in an Arrow file that stays on disk (spec chapter datasets §2, §4)."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from os import PathLike, fspath
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, UnidentifiedImageError

from kraken.lib.dataset.lines import LineDataset

__all__ = ["ArrowIPCRecognitionDataset", "UnreadableDataset", "read_metadata"]

logger = logging.getLogger("kraken")

_TYPES = {"kraken_recognition_baseline": "baselines", "kraken_recognition_bbox": "bbox"}
SPLITS = ("train", "validation", "test")


class UnreadableDataset(ValueError):
    """A file isn't a compiled data set at all, or its directory is damaged."""


def read_metadata(schema: pa.Schema, file: str) -> dict[str, Any]:
    """Metadata record of a compiled data set.

    Raises:
        ValueError: There is none.
    """
    raw = (schema.metadata or {}).get(b"lines")
    try:
        metadata = json.loads(raw) if raw else None
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("counts"), dict):
        raise ValueError(f"{file} does not contain a valid metadata record.")
    return metadata


class ArrowIPCRecognitionDataset(LineDataset):
    """Lines of compiled data sets.

    The files are mapped into memory: only lines that are sampled are read. Samples carry texts
    until :meth:`encode` is called.

    Args:
        split_filter: Use only lines of this split: ``train``, ``validation`` or ``test``.
        **kwargs: See :class:`~kraken.lib.dataset.lines.LineDataset`.

    Attributes:
        legacy_polygons_status: Whether lines were cut out the old way, ``mixed`` if files differ, None
            without files.
    """

    def __init__(self, *args: Any, split_filter: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if split_filter is not None and split_filter not in SPLITS:
            raise ValueError(f"split_filter is {split_filter!r}, need one of {', '.join(SPLITS)}.")
        self.split_filter = split_filter
        self.seg_type: str | None = None
        self._type: str | None = None
        self.legacy_polygons_status: bool | str | None = None
        self._files: list[str] = []
        self._chunks: list[tuple[Any, Any]] | None = []
        #: chunk and row of every selected line
        self._index = np.zeros((0, 2), dtype=np.int64)

    def add(self, file: str | PathLike[str]) -> None:
        """Adds the lines of a file.

        Raises:
            OSError: It can't be read.
            ValueError: It isn't a compiled data set, or of another type than the files before.
        """
        path = fspath(file)
        batches, schema, faults = _open(path)
        metadata = read_metadata(schema, path)
        kind = metadata.get("type")
        if kind not in _TYPES:
            raise ValueError(f"{path} holds data of unknown type {kind}.")
        if self._type is not None and kind != self._type:
            raise ValueError(f"File {path} has incompatible type {kind}, the set is of type {self._type}.")
        self._type, self.seg_type = kind, _TYPES[kind]
        if self.split_filter and not metadata["counts"].get(self.split_filter):
            logger.warning("No explicit split for %r in dataset %s: skipped.", self.split_filter, path)
            return
        legacy = bool(metadata.get("legacy_polygons", True))
        if self.legacy_polygons_status not in (None, legacy):
            self.legacy_polygons_status = "mixed"
        else:
            self.legacy_polygons_status = legacy
        self.alphabet.update(Counter({str(k): int(v) for k, v in metadata.get("alphabet", {}).items()}))
        for fault in faults:
            logger.warning("Skipping %s", fault)
        self.rejected += faults
        self._select(batches)
        self._files.append(path)
        self._prepare()

    def _select(self, batches: list[pa.RecordBatch]) -> None:
        """Adds the rows of record batches that pass the filters."""
        chunks = self._open_chunks()
        found = [self._index]
        for batch in batches:
            texts, images = _columns(batch)
            chunks.append((texts, images))
            rows = np.arange(len(batch))
            if self.split_filter:
                flags = batch.column(self.split_filter).to_numpy(zero_copy_only=False)
                rows = rows[flags.astype(bool)]
            if self.skip_empty_lines:
                keep = [bool(self.transform_text(texts[int(row)].as_py())) for row in rows]
                rows = rows[np.array(keep, dtype=bool)]
            found.append(np.stack([np.full(len(rows), len(chunks) - 1), rows], axis=1))
        self._index = np.concatenate(found)

    def _open_chunks(self) -> list[tuple[Any, Any]]:
        """Text and image columns, mapped again after the set went to another process."""
        if self._chunks is None:
            self._chunks = [_columns(batch) for path in self._files for batch in _open(path)[0]]
        return self._chunks

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_chunks": None}

    def __len__(self) -> int:
        return len(self._index)

    def _encode_all(self) -> None:
        # only a strict codec can find something wrong; labels are made when they are sampled
        if self.codec is not None and self.codec.strict:
            super()._encode_all()

    def rebuild_alphabet(self) -> None:
        """Counts the alphabet of the transformed texts of the selected lines."""
        self.alphabet = Counter()
        for index in range(len(self)):
            self.alphabet.update(self.text_of(index))

    def text_of(self, index: int) -> str:
        """Transformed text of a line."""
        chunk, row = self._index[index]
        return self.transform_text(self._open_chunks()[chunk][0][int(row)].as_py())

    def image_of(self, index: int) -> Image.Image:
        """Image of a line, before the transforms."""
        chunk, row = self._index[index]
        value = self._open_chunks()[chunk][1][int(row)]
        if not value.is_valid:
            raise ValueError("the line has no image")
        try:
            im = Image.open(io.BytesIO(value.as_buffer()))
            im.load()
        except UnidentifiedImageError as error:
            raise ValueError("its picture is damaged: no known image format") from error
        return im

    def size_of(self, index: int) -> tuple[int, int]:
        """Width and height of a line's image, from the head of its PNG data."""
        chunk, row = self._index[index]
        value = self._open_chunks()[chunk][1][int(row)]
        head = value.as_buffer()[16:24].to_pybytes() if value.is_valid else b""
        if len(head) < 8:
            return 1, 1
        return max(1, int.from_bytes(head[:4], "big")), max(1, int.from_bytes(head[4:], "big"))

    def name_of(self, index: int) -> str:
        """File and row of a line."""
        chunk, row = (int(value) for value in self._index[index])
        for path in self._files:
            count = len(_open(path)[0])
            if chunk < count:
                return f"row {row} of record batch {chunk} of {path}"
            chunk -= count
        return f"line {index}"


def _open(path: str) -> tuple[list[pa.RecordBatch], pa.Schema, list[str]]:
    """Record batches of a file, mapped into memory; damaged ones are empty, and named."""
    try:
        reader = pa.ipc.open_file(pa.memory_map(path, "r"))
    except pa.ArrowException as error:
        raise UnreadableDataset(f"{path} isn't a compiled data set, or damaged: {error}") from error
    batches, faults = [], []
    for number in range(reader.num_record_batches):
        try:
            batch = reader.get_batch(number)
            # places in a damaged batch may lie anywhere in memory
            batch.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            faults.append(f"record batch {number} of {path}: {' '.join(str(error).split())}")
            batch = pa.RecordBatch.from_pylist([], schema=reader.schema)
        batches.append(batch)
    return batches, reader.schema, faults


def _columns(batch: pa.RecordBatch) -> tuple[Any, Any]:
    """Texts and images; other fields, which versions differ in, don't matter."""
    lines = batch.column("lines")
    return lines.field("text"), lines.field("im")
