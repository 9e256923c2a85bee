"""Pages of PDF files as inputs (spec chapter cli-kraken §5)."""

from __future__ import annotations

import string
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kraken._cli.errors import CommandError
from kraken.lib.exceptions import KrakenInputException

if TYPE_CHECKING:
    from PIL import Image

DPI = 300
# Sizes come in single precision and are rounded up: without the margin, scans at 300 dpi would get
# another column and row.
_SCALE = DPI / 72 * (1 - 1e-6)
_START = b"%PDF-"
_FIELDS = ("src", "idx", "uuid")


def check_package() -> None:
    """Finds out that PDF files can't be read here.

    Raises:
        CommandError: If so, with the cure.
    """
    if find_spec("pypdfium2") is None:
        raise CommandError("Reading PDF needs pypdfium2: install it with `pip install 'kraken[pdf]'`.")


def check_pattern(pattern: str) -> None:
    """Finds mistakes in the pattern for the names of outputs.

    Raises:
        CommandError: If it isn't a format string, or has other fields than src, idx and uuid.
    """
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(pattern) if field is not None}
        unknown = fields - set(_FIELDS)
        if not unknown:
            output_name(pattern, Path("page.pdf"), 0)
            return
        cause = f"has the unknown field {{{sorted(unknown)[0]}}}"
    except (ValueError, KeyError, IndexError) as error:
        cause = f"isn't a format string ({error})"
    raise CommandError(f"--pdf-format {pattern!r} {cause}: use {{src}}, {{idx}} and {{uuid}}.")


def output_name(pattern: str, source: Path, index: int) -> str:
    """Name of a page's output, before the suffix."""
    return pattern.format(src=source, idx=index, uuid=f"_{uuid.uuid4()}")


def is_pdf(path: Path) -> bool:
    """Whether the file begins as PDF files do; False if it can't be read, which fails when its turn comes."""
    try:
        with path.open("rb") as file:
            return file.read(len(_START)) == _START
    except OSError:
        return False


def page_count(source: Path) -> int:
    """Number of pages; 1 for a file that can't be read, which fails when its turn comes."""
    try:
        with _opened(source) as document:
            return len(document)
    except KrakenInputException:
        return 1


def render_page(source: Path, index: int) -> Image.Image:
    """Draws a page at 300 dpi on white, turned as the file says, with annotations and forms.

    Raises:
        KrakenInputException: If the file is encrypted, damaged or no PDF, or the page is too large.
    """
    # Pillow's limit is raised there.
    from kraken.lib.util import MAX_PIXELS

    with _opened(source) as document:
        try:
            document.init_forms()
            page = document[index]
            width, height = (side * _SCALE for side in page.get_size())
            if width * height > MAX_PIXELS:
                raise KrakenInputException(
                    f"at {DPI} dpi it has {width:.0f}x{height:.0f} pixels, but only {MAX_PIXELS} are "
                    "possible: render it at a lower resolution and give it as an image"
                )
            bitmap = page.render(
                scale=_SCALE,
                may_draw_forms=True,
                draw_annots=True,
                fill_color=(255, 255, 255, 255),
                rev_byteorder=True,
            )
            # A copy, since the pixels belong to the document.
            image: Image.Image = bitmap.to_pil().convert("RGB").copy()
        except RuntimeError as error:
            raise KrakenInputException(f"page {index + 1} can't be drawn: {error}") from error
    image.info["dpi"] = (DPI, DPI)
    return image


@contextmanager
def _opened(source: Path) -> Iterator[Any]:
    """A PDF file; everything of it that is still open is closed at the end."""
    # A native library that only PDF inputs need.
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(source)
        count = len(document)
    except (OSError, RuntimeError) as error:
        cause = " ".join(str(error).split())
        if "password" in cause.lower():
            cause = "it is encrypted: remove the password first"
        raise KrakenInputException(f"can't be read as PDF: {cause}") from error
    try:
        if not count:
            raise KrakenInputException("the PDF has no pages")
        yield document
    finally:
        document.close()
