"""The one call that turns a segmentation into a document."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from jinja2 import TemplateNotFound

from kraken._version import version
from kraken.containers import ProcessingStep, Segmentation
from kraken.serialization import contract, environment
from kraken.serialization.identifiers import assign
from kraken.serialization.model import Page, build, typology
from kraken.serialization.native import TagTable, clean_page, document

logger = logging.getLogger("kraken.serialization")

_NATIVE = {
    "alto": "alto",
    "pagexml": "pagexml",
    "page": "pagexml",
    "hocr": "hocr",
    "abbyyxml": "abbyyxml",
    "abbyy": "abbyyxml",
}


class _OnDemand:
    """A mapping that is made when a template first looks into it."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make
        self._made: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made[name]


def _line_orders(segmentation: Segmentation, page: Page) -> list[list[str]]:
    """Reading orders as line ids."""
    return [[page.lines[i].id for i in order] for order in segmentation.line_orders or ()]


def _warn_of_lost_lines(page: Page, template: str) -> None:
    """Log lines that a format can't hold because they have no outline."""
    if template in ("pagexml", "hocr", "abbyyxml"):
        lost = [line.id for line in page.lines if line.box is None]
        if lost:
            logger.warning("Lines without boundary can't be written as %s: %s", template, ", ".join(lost))


def serialize(
    results: Segmentation,
    image_size: tuple[int, int] = (0, 0),
    writing_mode: Literal["horizontal-tb", "vertical-lr", "vertical-rl"] = "horizontal-tb",
    scripts: Iterable[str] | None = None,
    template: str | os.PathLike[str] = "alto",
    template_source: Literal["native", "custom"] = "native",
    processing_steps: list[ProcessingStep] | None = None,
    sub_line_segmentation: bool = True,
    *,
    clip: bool = False,
) -> str:
    """Write a segmentation, with or without recognition results, as a document.

    Args:
        results: Its lines may be records or plain lines, mixed; it isn't changed.
        image_size: Width and height of the page image in pixels.
        writing_mode: Writing mode of the page (hOCR only).
        scripts: Names of the scripts on the page (hOCR only).
        template: ``alto``, ``pagexml``, ``hocr``, ``abbyyxml``, or the path of a custom Jinja2 template.
        template_source: ``native`` or ``custom``.
        processing_steps: What was done to the page (ALTO only).
        sub_line_segmentation: Write words and glyphs with geometry and confidence, not only text per line.
        clip: Move what lies beyond a page of known size to its border (native formats only). What is
            left of or above the page always is moved there.

    Returns:
        The document. XML prologs declare UTF-8; encoding it so is up to the caller.

    Raises:
        jinja2.TemplateNotFound: There's no such native template.
        FileNotFoundError: The custom template doesn't exist.
        jinja2.TemplateError: The custom template is faulty.
        IndexError: A reading order refers to a line that doesn't exist.
        ValueError: ``template_source`` is unknown.
    """
    if template_source not in ("native", "custom"):
        raise ValueError(f"template_source is {template_source!r} but must be 'native' or 'custom'")
    date = datetime.now(timezone.utc).isoformat()

    def native_document(name: str) -> dict[str, Any]:
        page = build(results, sub_line=sub_line_segmentation)
        clean_page(page)
        tags = TagTable(typology(results))
        names = assign(page, kinds=len(tags.entries), style="unique" if name == "hocr" else "xml")
        _warn_of_lost_lines(page, name)
        return document(
            results,
            page,
            image_size=image_size,
            clip=clip,
            writing_mode=writing_mode,
            scripts=scripts,
            steps=processing_steps,
            date=date,
            tags=tags,
            names=names,
            line_orders=_line_orders(results, page),
        )

    if template_source == "native":
        name = _NATIVE.get(os.fspath(template))
        if name is None:
            known = ", ".join(sorted(_NATIVE))
            raise TemplateNotFound(
                os.fspath(template), f"No native template {template!s}: choose one of {known}"
            )
        return environment.native().get_template(name).render(document=native_document(name))

    path = Path(template)
    with path.open("rb"):  # a missing or unreadable file is an OSError, not a template error
        pass
    page = build(results, sub_line=sub_line_segmentation)
    assign(page, kinds=0, style="verbatim")
    described = contract.describe(
        results,
        page,
        image_size=image_size,
        writing_mode=writing_mode,
        scripts=scripts,
        date=date,
        line_orders=_line_orders(results, page),
    )
    return (
        environment.custom(path.resolve().parent)
        .get_template(path.name)
        .render(
            page=described,
            metadata={"version": version(), "processing_steps": processing_steps},
            # Only native templates that the custom one includes look at this.
            document=_OnDemand(lambda: native_document("alto")),
        )
    )
