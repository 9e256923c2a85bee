"""Where the characters of transcriptions are: pictures or documents with characters."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from PIL import Image, ImageDraw

from kraken._cli.documents import Document
from kraken._cli.files import check_outputs
from kraken.contrib._runner import files_argument, load_model, model_option, open_document, run_files
from kraken.lib.atomic import atomic_output
from kraken.lib.image_modes import to_rgb
from kraken.lib.xml.words import Glyph, Word
from kraken.serialization.drawing import Colour, fill, trace
from kraken.serialization.geometry import box_of

_COLOURS: tuple[Colour, ...] = (
    (230, 25, 75),
    (60, 180, 75),
    (255, 180, 0),
    (0, 110, 220),
    (245, 130, 48),
    (145, 30, 180),
    (0, 160, 160),
)
_OPACITY = 90

#: A character of a line, where it is and how sure the network is; None if the network doesn't know it.
Character = tuple[str, Sequence[Any] | None, float | None]


@click.command("forced_alignment_overlay")
@files_argument
@model_option("Recognition model.", required=True)
@click.option(
    "-f",
    "--format-type",
    type=click.Choice(("xml", "alto", "page")),
    default="xml",
    show_default=True,
    help="Format of the files; xml is either.",
)
@click.option(
    "-u",
    "--normalization",
    type=click.Choice(("NFD", "NFKD", "NFC", "NFKC")),
    help="Unicode normalisation of the transcriptions, as in the model's training.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(("overlay", "xml")),
    default="overlay",
    show_default=True,
    help="Write pictures high_NAME_algn.png or documents NAME_algn.xml.",
)
def cli(files: tuple[str, ...], model_name: str, format_type: str, normalization: Any, output: str) -> None:
    """Find the characters of transcribed ALTO and PageXML files on their pages."""
    from kraken.configs import RecognitionInferenceConfig  # torch is loaded once it is needed
    from kraken.tasks import ForcedAlignmentTaskModel

    task = load_model(model_name, ForcedAlignmentTaskModel.load_model, "alignment")
    config = RecognitionInferenceConfig()

    def align(source: Path) -> list[Path]:
        document = open_document(source, format_type, task.seg_type)
        image = document.open_image()
        lines: list[Any] = [
            dataclasses.replace(line, text=unicodedata.normalize(normalization, line.text or ""))
            if normalization
            else line
            for line in document.segmentation.lines or ()
        ]
        page = dataclasses.replace(document.segmentation, lines=lines)
        found = task.predict(image, page, config)
        if not any(record.prediction for record in found.lines):
            raise ValueError("no line has a text that could be aligned")
        if output == "xml":
            return _write_document(document, lines, found.lines)
        return _write_picture(source, image, found.lines)

    run_files(files, "forced_alignment_overlay", align)


def _write_picture(source: Path, image: Image.Image, records: Sequence[Any]) -> list[Path]:
    page = to_rgb(image).convert("RGBA")
    draw = ImageDraw.Draw(page)
    for record in records:
        for number, (_, outline, _) in enumerate(record):
            points = [(float(x), float(y)) for x, y in outline]
            colour = _COLOURS[number % len(_COLOURS)]
            fill(page, points, colour, _OPACITY)
            trace(draw, [*points, *points[:1]], colour, 1)
    target = Path(f"high_{source.stem}_algn.png")
    with atomic_output(target) as temporary:
        page.convert("RGB").save(temporary, "PNG")
    return [target]


def _write_document(document: Document, lines: Sequence[Any], records: Sequence[Any]) -> list[Path]:
    # Takes lxml, which reading the document has loaded.
    from kraken.lib.xml.rewrite_text import with_words

    target = Path(f"{document.source.stem}_algn.xml")
    check_outputs([document.source], [target])
    words = {
        line.id: split_words(matched(line.text or "", list(record.logical_order(record.base_dir))))
        for line, record in zip(lines, records, strict=True)
        if record.prediction
    }
    with atomic_output(target) as temporary:
        temporary.write_bytes(with_words(document.source, words))
    return [target]


def matched(text: str, found: Sequence[tuple[str, Any, float]]) -> list[Character]:
    """The characters of a text with those that were found on the page.

    Args:
        text: The whole text.
        found: Characters of it in the same order, without those that the network doesn't know.
    """
    characters: list[Character] = []
    at = 0
    for char in text:
        if at < len(found) and found[at][0] == char:
            characters.append(found[at])
            at += 1
        else:
            characters.append((char, None, None))
    # an order that the bidirectional algorithm can't turn round has to stand for itself
    return characters if at == len(found) else list(found)


def split_words(characters: Sequence[Character]) -> list[Word]:
    """Words and the spaces between them."""
    groups: list[list[Character]] = []
    for character in characters:
        if groups and character[0].isspace() == groups[-1][0][0].isspace():
            groups[-1].append(character)
        else:
            groups.append([character])
    return [_word(group) for group in groups]


def _word(characters: Sequence[Character]) -> Word:
    glyphs = [
        Glyph(char, [(round(x), round(y)) for x, y in outline], confidence)
        for char, outline, confidence in characters
        if outline
    ]
    points = [point for glyph in glyphs for point in glyph.boundary or ()]
    boundary = None
    if points:
        x0, y0, x1, y1 = box_of(points)
        boundary = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    known = [glyph.confidence for glyph in glyphs if glyph.confidence is not None]
    confidence = sum(known) / len(known) if known else None
    return Word("".join(char for char, _, _ in characters), boundary, confidence, None, glyphs)


if __name__ == "__main__":
    cli()
