"""Reading the file: hardened parsing, image path and image size."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from kraken.lib.xml.points import truncated

logger = logging.getLogger("kraken.lib.xml")

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".jp2", ".webp", ".bmp", ".gif")


def parse_file(filename: Path, *, keep_all: bool = False) -> etree._ElementTree:
    """Parse an untrusted XML file.

    Neither network nor DTD nor any other file is touched, only internal entities are
    expanded (within libxml2's amplification limit), and depth and text size are bounded.

    Args:
        filename: Path of the document.
        keep_all: Keep comments and processing instructions, too.

    Returns:
        The tree.

    Raises:
        OSError: The file can't be read.
        ValueError: The content isn't well-formed or uses something that is refused.
    """
    parser = etree.XMLParser(
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=not keep_all,
        remove_pis=not keep_all,
        # collect_ids must stay on: switching it off makes libxml2 load external DTDs.
    )
    data = filename.read_bytes()
    try:
        return etree.fromstring(data, parser).getroottree()
    # Depending on the version, lxml reports undecodable bytes as an OSError or UnicodeError.
    except (etree.LxmlError, OSError, LookupError, UnicodeError, AssertionError) as exc:
        reason = getattr(exc, "msg", None) or str(exc) or "not an XML document"
        raise ValueError(f"Parsing {filename} failed: {reason}") from exc


def local_name(element: etree._Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def is_named(element: etree._Element, name: str) -> bool:
    """Whether the tag ends with a name; enough to tell elements apart that were selected by local name."""
    return str(element.tag).endswith(name)


def first(root: etree._Element, name: str) -> etree._Element | None:
    """First element of that local name in document order, the root included."""
    return next(root.iter(f"{{*}}{name}"), None)


def full_text(element: etree._Element) -> str:
    """All text inside an element, also behind comments."""
    if len(element) == 0:
        return element.text or ""
    return str(element.xpath("string()"))


def _alternatives(folder: Path, name: str, literal: Path) -> Iterator[Path]:
    """Where else an image could lie whose declared path doesn't exist."""
    yield folder / unquote(name)
    yield folder / name.replace("\\", "/")
    yield folder / re.split(r"[\\/]", name)[-1]
    for suffix in _SUFFIXES:
        if literal.name:
            yield literal.with_suffix(suffix)


def image_path(filename: Path, name: str) -> Path:
    """Path of the page image.

    Args:
        filename: Path of the XML file; relative names are relative to its folder.
        name: Name that the document declares.

    Returns:
        The literal join. Only if nothing exists there and exactly one of the usual variants does
        (percent-decoded, backslashes as slashes, beside the XML file, another suffix), that one.
    """
    folder = filename.parent
    literal = folder / name
    try:
        if literal.exists():
            return literal
        found = {path for path in _alternatives(folder, name, literal) if path != literal and path.is_file()}
    except (OSError, ValueError):  # names that are too long or hold a NUL
        return literal
    return found.pop() if len(found) == 1 else literal


def image_size(width: str | None, height: str | None, filename: Path, image: Path) -> tuple[int, int]:
    """Size (width, height) in pixels from the two attributes.

    Raises:
        ValueError: They're missing or no numbers, or zero and the image itself can't be opened.
    """
    w, h = truncated(width), truncated(height)
    if w is None or h is None:
        raise ValueError(f"Page dimensions {width!r}×{height!r} in {filename} aren't numbers")
    if w and h:
        return w, h
    logger.warning("Page dimensions of %s are %s×%s: taking them from %s", filename, w, h, image)
    from PIL import Image  # heavy, and needed for this rare case only

    from kraken.lib.image_files import upright_size

    try:
        with Image.open(image) as im:
            return upright_size(im)
    except Exception as exc:  # Pillow's decoders raise whatever they like
        raise ValueError(
            f"Page dimensions in {filename} are {w}×{h} and image {image} can't be read: {exc}"
        ) from exc
