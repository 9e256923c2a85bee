"""A page on its way through the chain of subcommands."""

from __future__ import annotations

import dataclasses
import io
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
from PIL import Image

from kraken._cli.errors import CommandError
from kraken._cli.pdf_input import DPI, render_page
from kraken.containers import ProcessingStep, Segmentation
from kraken.lib.atomic import atomic_output, write_text
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.image_files import is_tiff
from kraken.lib.util import open_for, open_image

if TYPE_CHECKING:
    from kraken._cli.console import Progress
    from kraken._cli.inputs import Job
    from kraken._cli.options import Settings


@dataclass
class Page:
    """State of one input between the steps.

    Attributes:
        source: The input file.
        image: The image that all coordinates refer to.
        image_path: File of that image, as written to documents; for one of several pages the file of all.
        segmentation: Lines found so far or read from the input; after ``ocr``
            its lines are records.
        recognised: Whether the lines hold text from a network.
        binarised: Whether the image was made black and white.
        writing_mode: For documents that state one.
        done: What was done, for the document's history.
        content: Output of a plug-in that no other step can go on with.
        number: Number of the page, from 1 on, if it's one of several in its file or of a PDF.
    """

    source: Path
    image: Image.Image
    image_path: Path
    segmentation: Segmentation | None = None
    recognised: bool = False
    binarised: bool = False
    writing_mode: str = "horizontal-tb"
    done: list[ProcessingStep] = field(default_factory=list)
    content: bytes | None = None
    number: int | None = None

    def record_step(self, category: Any, description: str, settings: dict[str, Any]) -> None:
        """Adds a step to the history."""
        self.done.append(ProcessingStep(f"_{uuid.uuid4()}", category, description, settings))


class Step(Protocol):
    """What a subcommand hands to the chain."""

    name: str
    #: Whether the lines of an XML input are of use to it as a first step.
    reads_lines: bool

    def run(self, page: Page, progress: Progress) -> None:
        """Does its work on a page."""


def open_page(job: Job, input_format: str, linetype: str | None = None, *, reads_lines: bool = True) -> Page:
    """Reads an image, a page of a PDF or TIFF file, or an XML file with the image that it names.

    Args:
        job: The input.
        input_format: Its kind.
        linetype: Kind of lines to read from XML.
        reads_lines: Whether the lines of an XML file are wanted, or only its image.

    Raises:
        KrakenInputException: If the image or PDF can't be read.
        ValueError: If the XML can't be parsed.
    """
    source = job.source
    known_as = Path(job.name) if job.name else source
    if job.page is not None:
        return _one_of_several(job, known_as, input_format)
    if input_format == "image":
        return Page(known_as, open_image(source), known_as)
    # Parsing XML takes lxml, which pages given as images don't need.
    from kraken.lib.xml import XMLPage

    document = XMLPage(source, linetype="bbox" if linetype == "bbox" else "baselines")
    image_path = Path(document.imagename)
    if not image_path.is_file():
        raise KrakenInputException(
            f"the image {image_path} that the file names doesn't exist: put it there or correct the name"
        )
    if not reads_lines:
        return Page(source, open_image(image_path), image_path)
    return Page(source, open_for(image_path, document.image_size), image_path, document.to_container())


def _one_of_several(job: Job, known_as: Path, input_format: str) -> Page:
    index = job.page or 0
    if input_format == "image" and is_tiff(job.source):
        what, settings = "TIFF page", {"page": index + 1}
        image = open_image(job.source, index)
    else:
        what, settings = "PDF image extraction", {"dpi": DPI, "page": index + 1}
        image = render_page(job.source, index)
    page = Page(known_as, image, known_as, number=index + 1)
    page.record_step("preprocessing", what, settings)
    return page


def as_json(segmentation: Segmentation) -> str:
    """The native document, in one line; records are lines with text."""
    values = dataclasses.asdict(segmentation)
    for line, fields in zip(segmentation.lines or (), values["lines"] or (), strict=True):
        fields["text"] = getattr(line, "prediction", line.text)
    return json.dumps(values, default=str)


def _as_text(segmentation: Segmentation) -> str:
    return "\n".join(getattr(line, "prediction", None) or "" for line in segmentation.lines or [])


def without_lines(image_path: Path) -> Segmentation:
    """A page on which nothing was looked for."""
    return Segmentation(
        type="bbox",
        imagename=str(image_path),
        text_direction="horizontal-lr",
        script_detection=False,
        lines=[],
    )


def result_of(page: Page) -> Segmentation:
    """The lines of a page, with the name of its image.

    Raises:
        KrakenInputException: If the chain left nothing to write.
    """
    if page.segmentation is None:
        raise KrakenInputException("no lines were found or read, so there is nothing to write")
    return dataclasses.replace(page.segmentation, imagename=str(page.image_path))


def render(page: Page, settings: Settings) -> str:
    """The output document of a page.

    Raises:
        KrakenInputException: If the chain left nothing to write.
    """
    result = result_of(page)
    if settings.native:
        return _as_text(result) if page.recognised else as_json(result)
    # Templates are only compiled for the formats that need them.
    from kraken.serialization import serialize

    custom = settings.template is not None
    return serialize(
        result,
        image_size=page.image.size,
        writing_mode=page.writing_mode,  # type: ignore[arg-type]
        scripts=None,
        template=settings.template or settings.output_format,
        template_source="custom" if custom else "native",
        processing_steps=page.done,
        sub_line_segmentation=settings.sub_line_segmentation,
        clip=True,
    )


# Suffixes under which an image is written as PNG all the same, since it's black and white.
_AS_PNG = ("", ".jpg", ".jpeg")


def check_image_target(target: Path) -> None:
    """Finds names under which no image can be written, and warns of misleading ones.

    Raises:
        CommandError: If the suffix stands for no format.
    """
    suffix = target.suffix.lower()
    if suffix not in _AS_PNG and suffix not in Image.registered_extensions():
        raise CommandError(
            f"Output {target} has the suffix of no image format: name it e.g. {target.stem}.png."
        )
    if suffix in _AS_PNG and suffix:
        click.echo(f"Warning: {target} is written as PNG, since JPEG would blur black and white.", err=True)


def _write_image(image: Image.Image, target: Path) -> None:
    """Writes a black and white image in the format that its name says, ``-`` as PNG."""
    if str(target) == "-":
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        click.echo(buffer.getvalue(), nl=False)
        return
    kind = "PNG" if target.suffix.lower() in _AS_PNG else Image.registered_extensions()[target.suffix.lower()]
    with atomic_output(target) as temporary:
        image.save(temporary, kind)


def _write_binarised(page: Page, target: Path, settings: Settings) -> None:
    """Writes the image, or the image and a document without lines that names it."""
    if settings.native:
        _write_image(page.image, target)
        return
    picture = target.with_name(f"{target.name}.png")
    named = dataclasses.replace(page, image_path=picture, segmentation=without_lines(picture))
    # What can go wrong with the document goes wrong before there's an image.
    document = render(named, settings)
    _write_image(page.image, picture)
    write_text(target, document)


def _write_content(content: bytes, target: Path) -> None:
    if str(target) == "-":
        click.echo(content, nl=False)
        return
    with atomic_output(target) as temporary:
        temporary.write_bytes(content)


def write_page(page: Page, target: Path, settings: Settings) -> None:
    """Writes the output of a page; ``-`` is standard output.

    Raises:
        OSError: If the output can't be written.
    """
    if page.content is not None:
        _write_content(page.content, target)
        return
    if page.segmentation is None and page.binarised:
        _write_binarised(page, target, settings)
        return
    document = render(page, settings)
    if str(target) == "-":
        click.echo(document)
    else:
        write_text(target, document)
