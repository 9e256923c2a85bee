"""Small helpers around images, characters and ground-truth files (spec chapter legacy §7)."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kraken.containers import BBoxLine
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.functional_im_transforms import default_split
from kraken.lib.image_files import page_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MAX_PIXELS",
    "MissingImageError",
    "UnreadableImageError",
    "array2pil",
    "get_im_str",
    "is_bitonal",
    "is_printable",
    "make_printable",
    "open_for",
    "open_image",
    "parse_gt_path",
    "pil2array",
]

logger = logging.getLogger("kraken")

#: Pixels that an image may have; larger ones are refused before they are decoded.
MAX_PIXELS = 20_000 * 20_000

# Pillow's own limit is below the size of a newspaper page at 600 dpi.
if Image.MAX_IMAGE_PIXELS is not None:
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, MAX_PIXELS)

_PRINTABLE = frozenset(
    {"LC", "Ll", "Lm", "Lo", "Lt", "Lu", "Nd", "Nl", "No"}
    | {"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So"}
)


class UnreadableImageError(KrakenInputException, OSError):
    """A file isn't an image, is damaged or too large. Also an ``OSError``, as from Pillow."""


class MissingImageError(UnreadableImageError, FileNotFoundError):
    """There is no such image file."""


def open_image(fp: str | os.PathLike[str] | IO[bytes], page: int | None = None) -> Image.Image:
    """Opens and decodes an image and turns it upright as its EXIF data says.

    Args:
        fp: Path or binary file.
        page: Index of the page in a TIFF file of several, from 0 on; by default the first, with a warning.

    Returns:
        The image in its own mode, with the path as attribute ``filename``. No file is
        left open.

    Raises:
        KrakenInputException: If the file is missing, isn't an image, is truncated, has no
            such page or more than 20,000 × 20,000 pixels. Also an ``OSError``.
    """
    return _open(fp, upright=True, page=page)


def open_for(
    fp: str | os.PathLike[str], size: tuple[int, int] | None, page: int | None = None
) -> Image.Image:
    """Opens the image of a document whose coordinates may refer to the pixels as they are stored.

    Args:
        fp: Path.
        size: Width and height that the document states, None if it doesn't.
        page: Index of the page in a TIFF file of several, as for :func:`open_image`.

    Returns:
        The upright image, or the stored one if only that has the stated size.

    Raises:
        KrakenInputException: As for :func:`open_image`.
    """
    image = open_image(fp, page)
    if size is None or image.size == tuple(size) or image.size != (size[1], size[0]):
        return image
    stored = _open(fp, upright=False, page=page)
    if stored.size != tuple(size):
        return image
    logger.warning(
        "%s isn't turned as its EXIF data says: the document states its size, and so coordinates, as stored.",
        fp,
    )
    return stored


def _open(fp: str | os.PathLike[str] | IO[bytes], upright: bool, page: int | None) -> Image.Image:
    name = os.fspath(fp) if isinstance(fp, (str, os.PathLike)) else str(getattr(fp, "name", "") or "")
    what = name or "the given file"
    try:
        with Image.open(fp) as im:
            _turn_to(im, what, page)
            if im.width * im.height > MAX_PIXELS:
                raise Image.DecompressionBombError(f"{im.width}×{im.height} pixels")
            if im.format == "TIFF":
                im.filename = ""  # else Pillow maps pixels to memory in the shape that they have upright
            im.load()
            if upright:
                _turn_upright(im, what)
    except (FileNotFoundError, IsADirectoryError) as error:
        reason = "doesn't exist" if isinstance(error, FileNotFoundError) else "is a directory"
        raise MissingImageError(f"Image {what} {reason}") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(
            f"Image {what} is larger than the limit of {MAX_PIXELS:,} pixels ({error}): scale it down"
        ) from error
    except PermissionError as error:
        raise UnreadableImageError(f"Image {what} may not be read: {error.strerror}") from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"{what} is not an image, or damaged from its start, or of an unknown format"
        ) from error
    except (MemoryError, KrakenInputException):
        raise
    except Exception as error:  # decoders raise whatever they stumble over
        raise UnreadableImageError(f"Image {what} is damaged or truncated: {error}") from error
    im.filename = name
    image: Image.Image = im
    return image


def _turn_to(im: Image.Image, name: str, page: int | None) -> None:
    """Goes to a page of a file; says that a file of several counts as its first unless one is asked for."""
    frames = page_frames(im)
    if page is None:
        if len(frames) > 1:
            logger.warning(
                "%s holds %d pages, only the first is used: `kraken read` reads all of them; "
                "else make a PDF file of it, or split it.",
                name,
                len(frames),
            )
        page = 0
    if not 0 <= page < len(frames):
        raise UnreadableImageError(f"Image {name} has no page {page + 1}, only {len(frames)}")
    if frames[page]:
        im.seek(frames[page])


def _turn_upright(im: Image.Image, name: str) -> None:
    """Applies the EXIF orientation in place; damaged EXIF data counts as none."""
    try:
        ImageOps.exif_transpose(im, in_place=True)
    except MemoryError:
        raise
    except Exception as error:
        logger.warning("EXIF data of %s can't be read (%s): the image is used as it is", name, error)


def pil2array(im: Image.Image, alpha: int = 0) -> NDArray[Any]:
    """Pixels of an image; bitonal ones as 0 and 255.

    Args:
        im: Image of any mode.
        alpha: Ignored; kept for callers that pass it.
    """
    return np.array(im.convert("L") if im.mode == "1" else im)


def array2pil(a: NDArray[Any]) -> Image.Image:
    """Image of an array: ``L`` (H×W bytes), ``RGB`` (H×W×3 bytes) or ``F`` (H×W float32).

    Raises:
        Exception: For other element types and numbers of dimensions.
    """
    if a.dtype == np.dtype("B"):
        if a.ndim == 2:
            return Image.fromarray(a)
        if a.ndim == 3:
            return Image.frombytes("RGB", (a.shape[1], a.shape[0]), a.tobytes())
        raise Exception("bad image rank")
    if a.dtype == np.dtype("float32"):
        if a.ndim != 2:
            raise Exception("bad image rank")
        return Image.fromarray(a)
    raise Exception("unknown image type")


def is_bitonal(im: Any) -> bool:
    """Whether an image or tensor has exactly two distinct colours or values."""
    if not isinstance(im, Image.Image):
        return len(im.unique()) == 2
    if im.mode.startswith("I;"):
        values = np.asarray(im)
        return bool(values.size) and _has_two(values)
    colours = im.getcolors(2)
    return colours is not None and len(colours) == 2


def _has_two(values: NDArray[Any]) -> bool:
    low, high = values.min(), values.max()
    return bool(low != high and ((values == low) | (values == high)).all())


def get_im_str(im: Image.Image) -> str:
    """Name of an image for messages: its file name, or its representation."""
    return str(im.filename) if hasattr(im, "filename") else str(im)


def is_printable(ch: str) -> bool:
    """Whether a character is a letter, number, punctuation mark or symbol."""
    return unicodedata.category(ch) in _PRINTABLE


def make_printable(ch: str) -> str:
    """A character, or its name or code point if it can't be seen."""
    if not ch or is_printable(ch):
        return ch
    code = f"0x{ord(ch):x}"
    if unicodedata.category(ch) in ("Cc", "Cs", "Co"):
        return code
    return unicodedata.name(ch, code)


def parse_gt_path(
    path: str | os.PathLike[str],
    suffix: str = ".gt.txt",
    split: Callable[[Any], Any] = default_split,
    skip_empty_lines: bool = True,
    base_dir: Literal["L", "R"] | None = None,
    text_direction: Literal["horizontal-lr", "horizontal-rl", "vertical-lr", "vertical-rl"] = "horizontal-lr",
) -> BBoxLine:
    """A line image with its transcription in a text file beside it.

    Args:
        path: The image.
        suffix: Ending of the text file's name.
        split: Makes the part of the path before ``suffix``.
        skip_empty_lines: Refuse lines without text.
        base_dir: Base direction of the text, ``L``, ``R`` or None.
        text_direction: Direction of the line.

    Returns:
        A line that covers the whole image.

    Raises:
        KrakenInputException: If the image is unreadable or the text missing or empty.
    """
    size = open_image(path).size
    text_path = Path(f"{split(path)}{suffix}")
    try:
        text = text_path.read_text(encoding="utf-8").strip("\n\r")
    except FileNotFoundError as error:
        raise KrakenInputException(
            f"No text file found for ground truth line {path}: {text_path} doesn't exist"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KrakenInputException(f"Text {text_path} of ground truth line {path}: {error}") from error
    if not text and skip_empty_lines:
        raise KrakenInputException(f"No text for ground truth line {path}: {text_path} is empty")
    return BBoxLine(
        id=os.fspath(path),
        bbox=(0, 0, *size),
        text=text,
        base_dir=base_dir,
        imagename=path,
        text_direction=text_direction,
    )
