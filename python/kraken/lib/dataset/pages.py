"""Ground truth in files, and page images that stay decoded as long as memory allows."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Generic, TypeVar

from PIL import Image

from kraken.containers import BBoxLine, Segmentation
from kraken.lib.image_files import upright_size

__all__ = ["BoundedCache", "image_bytes", "parse_file", "parse_path", "text_file_of"]

logger = logging.getLogger("kraken")

Value = TypeVar("Value")

_XML = ("xml", "alto", "page")


class BoundedCache(Generic[Value]):
    """Keeps what was used last, up to a number of bytes.

    Args:
        limit: Bytes that are kept.
        size: Bytes of a value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self.limit = limit
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made if it isn't there. One too large to keep is returned, too."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = make()
        size = self._size(value)
        if size <= self.limit:
            self._values[key] = value
            self._bytes += size
            while self._bytes > self.limit:
                _, old = self._values.popitem(last=False)
                self._bytes -= self._size(old)
        return value

    def __len__(self) -> int:
        return len(self._values)

    def __getstate__(self) -> dict[str, Any]:
        """What is kept isn't worth sending to another process."""
        return {**self.__dict__, "_values": OrderedDict(), "_bytes": 0}


def image_bytes(im: Image.Image) -> int:
    """Memory that an image takes."""
    depth = {"1": 1, "L": 1, "P": 1, "LA": 4, "I;16": 2}.get(im.mode, 4)
    return im.width * im.height * depth


def text_file_of(image: str | PathLike[str]) -> Path:
    """Text file of a line image: the name up to its first dot and ``.gt.txt``."""
    path = Path(image)
    suffixes = "".join(path.suffixes)
    stem = path.name[: len(path.name) - len(suffixes)] if suffixes else path.name
    return path.with_name(f"{stem}.gt.txt")


def parse_path(
    image: str | PathLike[str], skip_empty_lines: bool = True, needs_text: bool = True
) -> Segmentation:
    """A line image with its text as a segmentation of one box.

    Args:
        image: The line image.
        skip_empty_lines: Whether an empty text is an error.
        needs_text: Whether there has to be a text file; without one the text is empty.

    Raises:
        OSError: The image or its text can't be read.
        ValueError: The text is empty or no UTF-8.
    """
    source = text_file_of(image)
    try:
        text = source.read_bytes().decode("utf-8").strip("\n\r") if needs_text or source.exists() else ""
    except UnicodeDecodeError as error:
        raise ValueError(f"{source} isn't UTF-8: {error}") from error
    if not text and skip_empty_lines:
        raise ValueError(f"No text for ground truth line {image}: {source} is empty")
    with Image.open(image) as im:
        width, height = upright_size(im)
    line = BBoxLine(id=Path(image).name, text=text, bbox=(0, 0, width, height), imagename=fspath(image))
    return Segmentation(
        type="bbox",
        imagename=fspath(image),
        text_direction="horizontal-lr",
        script_detection=False,
        lines=[line],
    )


def parse_file(
    file: str | PathLike[str],
    format_type: str,
    linetype: str | None = None,
    skip_empty_lines: bool = True,
) -> Segmentation:
    """Lines of a file of ground truth.

    Args:
        file: ALTO or PageXML document, or line image.
        format_type: ``xml``, ``alto``, ``page`` or ``path``.
        linetype: ``baselines`` (default) or ``bbox``; line images are always boxes.
        skip_empty_lines: Whether a line image without text is an error.

    Raises:
        OSError: It can't be read.
        ValueError: It can't be parsed, or the format is unknown.
    """
    if format_type == "path":
        return parse_path(file, skip_empty_lines)
    if format_type not in _XML:
        raise ValueError(f"invalid format {format_type} for parse_(xml,alto,page,path)")
    from kraken.lib.xml import XMLPage  # other formats need no XML parser

    kind: Any = linetype or "baselines"
    return XMLPage(file, filetype=format_type, linetype=kind).to_container()  # type: ignore[arg-type]
