"""Searchable PDF: page images with the recognised text on them, invisible."""

from __future__ import annotations

import io
import math
import os
import tempfile
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from kraken._version import version
from kraken.containers import Segmentation
from kraken.lib.atomic import atomic_output
from kraken.lib.image_modes import to_mode8
from kraken.lib.util import open_image
from kraken.serialization.textlayer import PlacedWord, levelled, limited, place_words

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["PdfDocument", "write_pdf"]

PageImage = Image.Image | str | os.PathLike[str]

_POINTS_PER_INCH = 72.0
_DEFAULT_RESOLUTION = 300.0
# Readers of PDFs needn't show pages that are larger than 200 inches.
_LONGEST_SIDE = 14_400.0
_EXIF_ORIENTATION = 0x0112

# The font: glyphs of half the font size, which is the unit, each.
_UNITS = 1000
_ADVANCE = 500
_DESCENT = 250
# A font has 65,536 glyphs at most; PDFs need some for themselves.
_MOST_GLYPHS = 60_000


def write_pdf(
    pages: Iterable[tuple[Segmentation, PageImage]],
    output: str | os.PathLike[str],
    *,
    resolution: float | None = None,
    jpeg_quality: int | None = 85,
) -> None:
    """Writes recognised pages as one PDF whose text can be searched, marked and copied.

    Each word lies invisibly on its place in the image, along the baseline, in any direction; up to
    20 degrees of slope are levelled inside of a word, which readers of PDFs would tear apart. The
    font holds no shapes, so that any script comes out. Memory use grows by the compressed images.

    Args:
        pages: Segmentations with records (or plain lines with text) and their images, as Pillow
            images or paths; taken one after the other. JPEG files given by path that need no
            turning are embedded as they are.
        output: The file; an existing one is replaced, when the PDF is complete.
        resolution: Pixels per inch of the images, which decides the size of the pages. ``None``
            takes what the image states, or 300. Raised where a page would become larger than
            PDF allows.
        jpeg_quality: Quality, 1 to 95, with which images become JPEG; ``None`` keeps them as they
            are. Bitonal images are never changed.

    Raises:
        ImportError: fpdf2 isn't installed, which comes with the extra ``pdf``.
        KrakenInputException: An image can't be read.
        ValueError: There's no page, an argument is out of range, or a page has coordinates that
            aren't numbers.
        OSError: The file can't be written.
    """
    with PdfDocument(resolution=resolution, jpeg_quality=jpeg_quality) as pdf:
        for segmentation, image in pages:
            pdf.add(segmentation, image)
        pdf.write(output)


class PdfDocument:
    """A searchable PDF that grows page by page, see :func:`write_pdf`.

    Used as a context manager, which removes temporary files at its end.

    Args:
        resolution: Pixels per inch of the images, ``None`` for what they state.
        jpeg_quality: Quality with which images become JPEG, ``None`` to keep them as they are.

    Raises:
        ImportError: fpdf2 isn't installed, which comes with the extra ``pdf``.
        ValueError: An argument is out of range.
    """

    def __init__(self, *, resolution: float | None = None, jpeg_quality: int | None = 85) -> None:
        if resolution is not None and not 1 <= resolution <= 100_000:
            raise ValueError(
                f"resolution is {resolution!r} but must be between 1 and 100,000 pixels per inch"
            )
        if jpeg_quality is not None and not 1 <= jpeg_quality <= 95:
            raise ValueError(f"jpeg_quality is {jpeg_quality!r} but must be None or between 1 and 95")
        self._resolution = resolution
        self._jpeg_quality = jpeg_quality
        self._pdf = _new_document()
        self._folder = tempfile.TemporaryDirectory(prefix="kraken-pdf-")
        self._fonts = _Fonts(self._pdf, Path(self._folder.name))

    def __enter__(self) -> PdfDocument:
        return self

    def __exit__(self, *_: object) -> None:
        self._fonts.close()
        self._folder.cleanup()

    def add(self, segmentation: Segmentation, image: PageImage) -> None:
        """Adds a page.

        Raises:
            KrakenInputException: The image can't be read.
            ValueError: The page has coordinates that aren't numbers.
        """
        number = self._pdf.pages_count + 1
        try:
            lines = list(place_words(segmentation))
        except ValueError as error:
            raise ValueError(f"Page {number} ({segmentation.imagename}) can't be written: {error}") from error
        width, height, scale = _add_image(self._pdf, image, self._resolution, self._jpeg_quality)
        self._fonts.use({char for words in lines for word in words for char in word.text}, number)
        for words in lines:
            for word in levelled(words):
                _write_word(self._pdf, limited(word, width, height), scale)

    def write(self, output: str | os.PathLike[str]) -> None:
        """Writes the file; no page can be added any more.

        Raises:
            ValueError: There's no page.
            OSError: The file can't be written.
        """
        if not self._pdf.pages_count:
            raise ValueError("A PDF needs at least one page, got none")
        with atomic_output(output) as temporary:
            self._pdf.output(str(temporary))


def _new_document() -> FPDF:
    try:
        from fpdf import FPDF, TextMode
    except ImportError as error:
        raise ImportError("Writing PDF needs fpdf2: install it with `pip install 'kraken[pdf]'`") from error
    pdf = FPDF(unit="pt")
    pdf.set_margin(0)
    pdf.set_auto_page_break(False)
    pdf.set_creator(f"kraken {version()}")
    pdf.text_mode = TextMode.INVISIBLE
    return pdf


def _add_image(
    pdf: FPDF, given: PageImage, resolution: float | None, jpeg_quality: int | None
) -> tuple[int, int, float]:
    """Adds a page with an image.

    Returns:
        Width and height of the image and points per pixel.
    """
    if isinstance(given, Image.Image):
        image, data = given, None
    else:
        image, data = open_image(given), _plain_jpeg(Path(given))
    dpi = resolution or _stated_resolution(image)
    scale = min(_POINTS_PER_INCH / dpi, _LONGEST_SIDE / max(image.size))
    page = (image.width * scale, image.height * scale)
    pdf.add_page(format=page)
    pdf.image(data or _encoded(image, jpeg_quality), x=0, y=0, w=page[0], h=page[1])
    return *image.size, scale


def _stated_resolution(image: Image.Image) -> float:
    try:
        dpi = float(image.info["dpi"][0])
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return _DEFAULT_RESOLUTION
    # 72 and 96 are what programs write that don't know.
    return dpi if 96 < dpi <= 100_000 else _DEFAULT_RESOLUTION


def _plain_jpeg(path: Path) -> io.BytesIO | None:
    """The file if PDF readers show it as Pillow does."""
    with Image.open(path) as image:
        plain = image.format == "JPEG" and image.mode in ("L", "RGB")
        if not plain or image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
            return None
    return io.BytesIO(path.read_bytes())


def _encoded(image: Image.Image, jpeg_quality: int | None) -> Any:
    """What fpdf2 embeds: JPEG, or the pixels losslessly."""
    if image.mode == "1":
        return image
    reduced = to_mode8(image)
    if jpeg_quality is None:
        # Not of the class that tells fpdf2 of the format that the image was read from.
        return reduced.copy()
    data = io.BytesIO()
    reduced.save(data, "JPEG", quality=jpeg_quality)
    return data


def _write_word(pdf: FPDF, word: PlacedWord, scale: float) -> None:
    """Writes one word, stretched to its length."""
    x, y = word.x * scale, word.y * scale
    size = word.height * scale
    natural = len(word.text) * size * _ADVANCE / _UNITS
    rise = size * _DESCENT / _UNITS
    pdf.set_font_size(size)
    pdf.set_stretching(max(0.01, 100 * word.length * scale / natural))
    degrees = math.degrees(word.angle)
    with pdf.rotation(-degrees, x, y) if abs(degrees) > 0.01 else nullcontext():
        pdf.text(x, y - rise, word.text)


class _Fonts:
    """Fonts that show nothing; a page needs a new one only for characters that the last one lacks."""

    def __init__(self, pdf: FPDF, folder: Path) -> None:
        self._pdf = pdf
        self._folder = folder
        self._known: set[str] = set()
        self._count = 0

    def use(self, chars: set[str], page: int) -> None:
        """Selects a font for a page with some characters.

        Raises:
            ValueError: They are more than a font can hold.
        """
        if len(chars) > _MOST_GLYPHS:
            raise ValueError(f"Page {page} has {len(chars)} different characters, PDF allows {_MOST_GLYPHS}")
        if not chars <= self._known:
            both = chars | self._known
            self._known = both if len(both) <= _MOST_GLYPHS else chars
            self._count += 1
            file = self._folder / f"invisible{self._count}.ttf"
            _write_font(file, sorted(map(ord, self._known)))
            self._pdf.add_font(file.stem, fname=file)
        if chars:
            self._pdf.set_font(f"invisible{self._count}")

    def close(self) -> None:
        """Close the files, which fpdf2 reads when it writes the document."""
        from fpdf.fonts import TTFFont

        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


def _write_font(file: Path, code_points: list[int]) -> None:
    """Writes a TrueType font that has a glyph without area for each code point."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    names = {code_point: f"u{code_point:04X}" for code_point in code_points}
    glyphs = [".notdef", *names.values()]
    ascent, descent = _UNITS - _DESCENT, -_DESCENT
    # A stroke there and back shows nothing, but has a box: some readers skip text without height.
    pen = TTGlyphPen(None)
    pen.moveTo((0, descent))
    pen.lineTo((_ADVANCE, ascent))
    pen.closePath()
    font = FontBuilder(_UNITS, isTTF=True)
    font.setupGlyphOrder(glyphs)
    font.setupCharacterMap(names)
    font.setupGlyf(dict.fromkeys(glyphs, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(glyphs, (_ADVANCE, 0)))
    font.setupHorizontalHeader(ascent=ascent, descent=descent)
    font.setupNameTable({"familyName": "Invisible", "styleName": "Regular", "fullName": "Invisible"})
    font.setupOS2(sTypoAscender=ascent, sTypoDescender=descent, usWinAscent=ascent, usWinDescent=-descent)
    font.setupPost(isFixedPitch=1)
    font.save(file)
