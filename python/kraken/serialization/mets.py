"""METS: the list that makes one document of the files of many pages."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from lxml import etree

from kraken._version import version
from kraken.lib.atomic import atomic_output
from kraken.serialization.native import clean

_METS = "http://www.loc.gov/METS/"
_XLINK = "http://www.w3.org/1999/xlink"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.loc.gov/standards/mets/mets.xsd"

# Root element -> what the files of a group are for, and their media type. Viewers look for the
# groups DEFAULT (images) and FULLTEXT (ALTO).
_DOCUMENTS = {
    "alto": ("FULLTEXT", "application/alto+xml"),
    "PcGts": ("PAGE", "application/vnd.prima.page+xml"),
    "html": ("HOCR", "text/vnd.hocr+html"),
    "document": ("ABBYY", "application/xml"),
}
_OTHERS = {"application/pdf": "DOWNLOAD", "text/plain": "TEXT"}


def write_mets(
    pages: Iterable[Sequence[str | os.PathLike[str]]],
    output: str | os.PathLike[str],
    *,
    label: str | None = None,
) -> None:
    """Writes a METS file that lists the images and documents of pages in their order.

    Files of a kind form a group (``DEFAULT``: images, ``FULLTEXT``: ALTO, ``PAGE``, ``HOCR``,
    ``ABBYY``, ``TEXT``, ``DOWNLOAD``: PDF, ``OTHER``), and each page is a division of the physical
    structure that refers to its files. References are relative to the METS file, so that the whole
    folder can be moved.

    Args:
        pages: The files of each page; they have to exist, for XML is told apart by its root element.
        output: The METS file; an existing one is replaced.
        label: Title of the document.

    Raises:
        ValueError: There's no page, or a page without files.
        OSError: A file can't be read or the METS file can't be written.
    """
    target = Path(output)
    groups: dict[str, list[etree._Element]] = {}
    sequence = _element("div", ID="PHYS_0000", TYPE="physSequence")
    for number, files in enumerate(pages, 1):
        if isinstance(files, (str, os.PathLike)) or not len(files):
            raise ValueError(f"Page {number} has to be a list of at least one file, got {files!r}")
        page = _element("div", ID=f"PHYS_{number:04}", TYPE="page", ORDER=str(number))
        for file in map(Path, files):
            use, mime = _kind(file)
            entries = groups.setdefault(use, [])
            name = f"FILE_{use}_{len(entries) + 1:04}"
            entry = _element("file", ID=name, MIMETYPE=mime, SIZE=str(file.stat().st_size))
            location = _element("FLocat", LOCTYPE="URL")
            location.set(f"{{{_XLINK}}}href", _reference(file, target.parent))
            entry.append(location)
            entries.append(entry)
            page.append(_element("fptr", FILEID=name))
        sequence.append(page)
    if not len(sequence):
        raise ValueError("A METS file needs at least one page, got none")
    with atomic_output(target) as temporary:
        temporary.write_bytes(_document(groups, sequence, label))


def _element(name: str, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{_METS}}}{name}", attributes)


def _document(groups: dict[str, list[etree._Element]], sequence: etree._Element, label: str | None) -> bytes:
    root = etree.Element(f"{{{_METS}}}mets", nsmap={None: _METS, "xlink": _XLINK, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{_METS} {_SCHEMA}")
    if label is not None:
        root.set("LABEL", clean(label))
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    header = etree.SubElement(root, f"{{{_METS}}}metsHdr", CREATEDATE=now)
    agent = _element("agent", ROLE="CREATOR", TYPE="OTHER", OTHERTYPE="SOFTWARE")
    etree.SubElement(agent, f"{{{_METS}}}name").text = f"kraken {version()}"
    header.append(agent)
    section = etree.SubElement(root, f"{{{_METS}}}fileSec")
    for use, entries in groups.items():
        group = etree.SubElement(section, f"{{{_METS}}}fileGrp", USE=use)
        group.extend(entries)
    structure = etree.SubElement(root, f"{{{_METS}}}structMap", TYPE="PHYSICAL")
    structure.append(sequence)
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _kind(file: Path) -> tuple[str, str]:
    """Group and media type of a file."""
    root = _root_name(file)
    if root is not None:
        return _DOCUMENTS.get(root, ("OTHER", "application/xml"))
    mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return ("DEFAULT" if mime.startswith("image/") else _OTHERS.get(mime, "OTHER")), mime


def _root_name(file: Path) -> str | None:
    """Local name of the root element, ``None`` if it's no XML; only the start of the file is read."""
    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    with file.open("rb") as stream:
        try:
            while chunk := stream.read(4096):
                parser.feed(chunk)
                for _, element in parser.read_events():
                    return etree.QName(element).localname
        except etree.XMLSyntaxError:
            return None
    return None


def _reference(file: Path, folder: Path) -> str:
    """URL of a file, relative to a folder where that's possible."""
    try:
        relative = os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:  # on another drive
        return file.resolve().as_uri()
    # Colons become %3A, so that none can be taken for the end of a scheme.
    return quote(os.fsencode(relative.replace(os.sep, "/")))
