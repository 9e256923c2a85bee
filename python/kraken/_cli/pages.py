"""A page on its way through the chain of subcommands."""

from __future__ import annotations

import dataclasses
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from kraken.containers import ProcessingStep, Segmentation
from kraken.lib.atomic import write_text
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.util import open_image

if TYPE_CHECKING:
    from PIL import Image

    from kraken._cli.console import Progress
    from kraken._cli.options import Settings


@dataclass
class Page:
    """State of one input between the steps.

    Attributes:
        source: The input file.
        image: The image that all coordinates refer to.
        image_path: File of that image, as written to documents.
        segmentation: Lines found so far or read from the input; after ``ocr``
            its lines are records.
        recognised: Whether the lines hold text from a network.
        writing_mode: For documents that state one.
        done: What was done, for the document's history.
    """

    source: Path
    image: Image.Image
    image_path: Path
    segmentation: Segmentation | None = None
    recognised: bool = False
    writing_mode: str = "horizontal-tb"
    done: list[ProcessingStep] = field(default_factory=list)

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


def open_page(source: Path, input_format: str, linetype: str | None = None) -> Page:
    """Reads an image, or an XML file with the image that it names.

    Raises:
        KrakenInputException: If the image can't be read.
        ValueError: If the XML can't be parsed.
    """
    if input_format == "image":
        return Page(source, open_image(source), source)
    # Parsing XML takes lxml, which pages given as images don't need.
    from kraken.lib.xml import XMLPage

    document = XMLPage(source, linetype="bbox" if linetype == "bbox" else "baselines")
    image_path = Path(document.imagename)
    if not image_path.is_file():
        raise KrakenInputException(
            f"the image {image_path} that the file names doesn't exist: put it there or correct the name"
        )
    return Page(source, open_image(image_path), image_path, document.to_container())


def _as_json(segmentation: Segmentation) -> str:
    return json.dumps(dataclasses.asdict(segmentation), default=str)


def _as_text(segmentation: Segmentation) -> str:
    return "\n".join(getattr(line, "prediction", None) or "" for line in segmentation.lines or [])


def render(page: Page, settings: Settings) -> str:
    """The output document of a page.

    Raises:
        KrakenInputException: If the chain left nothing to write.
    """
    result = page.segmentation
    if result is None:
        raise KrakenInputException("no lines were found or read, so there is nothing to write")
    result = dataclasses.replace(result, imagename=str(page.image_path))
    if settings.template is None and settings.output_format == "native":
        return _as_text(result) if page.recognised else _as_json(result)
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


def write_page(page: Page, target: Path, settings: Settings) -> None:
    """Writes the output of a page; ``-`` is standard output.

    Raises:
        OSError: If the output can't be written.
    """
    document = render(page, settings)
    if str(target) == "-":
        click.echo(document)
    else:
        write_text(target, document)
