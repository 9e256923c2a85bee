"""What image files say before they are decoded: how large the upright page is, and how many there are.

Scanners put several pages into one TIFF file (TIFF 6.0, tag 254), and many cameras and scanners store a page
on its side (EXIF 2.32, tag 274).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from PIL import Image

__all__ = ["count_pages", "is_tiff", "page_frames", "upright_size"]

logger = logging.getLogger("kraken")

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE = 254, 255
_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
#: From this orientation on rows are columns.
_ON_ITS_SIDE = 5
#: Bits of the first for a smaller copy of another image and for a mask; value of the second for such a copy.
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2


def is_tiff(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins as TIFF files do; False if it can't be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(4) in _STARTS
    except OSError:
        return False


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height that an image has once it is turned as its tags say.

    Args:
        image: An image that was opened and not loaded. Releases of Pillow differ in whether a TIFF file has
            its upright size then.
    """
    size = image.size
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        size = tags[_WIDTH], tags[_HEIGHT]
    return (size[1], size[0]) if image.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE else size


def page_frames(image: Image.Image) -> list[int]:
    """Numbers of the images in a file that are pages, in order; previews and masks aren't.

    Args:
        image: An image that was opened and not loaded; it stands at its first frame afterwards.

    Returns:
        ``[0]`` for files of other formats than TIFF, as well as where only the first image can be found.
    """
    return _scan(image)[0]


def _scan(image: Image.Image) -> tuple[list[int], bool]:
    """The frames that are pages, and whether the file could be followed to its end."""
    if image.format != "TIFF":
        return [0], True
    found, whole = [], True
    try:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            tags = image.tag_v2  # type: ignore[attr-defined]
            other = int(tags.get(_NEW_SUBFILE_TYPE, 0)) & (_REDUCED | _MASK)
            if not other and tags.get(_SUBFILE_TYPE) != _OLD_REDUCED:
                found.append(frame)
    except (OSError, ValueError, SyntaxError, EOFError, TypeError):
        whole = False
    finally:
        image.seek(0)
    return found or [0], whole


def count_pages(path: str | os.PathLike[str]) -> int:
    """Number of pages in a TIFF file; 1 for any other file, and for one that can't be read.

    A file that is damaged after some page is warned of.
    """
    if not is_tiff(path):
        return 1
    try:
        with Image.open(path) as image:
            frames, whole = _scan(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 1  # it fails when its turn comes
    if not whole:
        logger.warning("%s is damaged: of its pages only %d can be found.", path, len(frames))
    return len(frames)
