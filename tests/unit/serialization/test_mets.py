"""METS lists of pages: valid, in order, and references that lead to the files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest
from lxml import etree
from PIL import Image

from kraken.containers import Segmentation
from kraken.serialization import serialize, write_mets
from tests.conftest import shared_path

XLINK = "{http://www.w3.org/1999/xlink}"
EMPTY = Segmentation(
    type="bbox", imagename="a.png", text_direction="horizontal-lr", script_detection=False, lines=[]
)
FORMATS = {
    "alto": ("alto", "FULLTEXT"),
    "pagexml": ("page.xml", "PAGE"),
    "hocr": ("html", "HOCR"),
    "abbyyxml": ("abbyy", "ABBYY"),
}


@cache
def schema() -> etree.XMLSchema:
    """The schema of METS, which metsrw brings along."""
    metsrw = pytest.importorskip("metsrw", reason="metsrw isn't installed")
    xlink = shared_path("schemas", "xlink.xsd")

    class Local(etree.Resolver):
        def resolve(self, url: str, public: str, context: object) -> object:
            return self.resolve_filename(str(xlink), context) if url.endswith("xlink.xsd") else None

    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local())
    file = Path(metsrw.__file__).parent / "resources" / "mets.xsd"
    return etree.XMLSchema(etree.parse(str(file), parser))


def written(folder: Path, names: list[str]) -> list[list[Path]]:
    """Pages with an image and a document of each format."""
    pages = []
    for name in names:
        image = folder / f"{name}.png"
        Image.new("1", (9, 9)).save(image)
        files = [image]
        for template, (suffix, _) in FORMATS.items():
            file = folder / f"{name}.{suffix}"
            file.write_text(serialize(EMPTY, (9, 9), template=template), encoding="utf-8")
            files.append(file)
        pages.append(files)
    return pages


@pytest.mark.parametrize("place", [".", "lists", "../elsewhere/deep er"])
def test_lists_are_valid_and_lead_to_the_files(tmp_path: Path, place: str) -> None:
    data = tmp_path / "data"
    folder = data / place
    folder.mkdir(parents=True, exist_ok=True)
    pages = written(data, ["page 1", "día#2?%41:x", "c:&<>\"'", "漢"])
    output = folder / "mets.xml"
    write_mets(iter(pages), output, label='A "book" <1>\x00')
    root = etree.parse(str(output)).getroot()
    assert schema().validate(root), schema().error_log
    assert root.get("LABEL") == 'A "book" <1>\ufffd'
    groups = {group.get("USE"): group for group in root.iter("{*}fileGrp")}
    assert set(groups) == {"DEFAULT", *(use for _, use in FORMATS.values())}
    found = {}
    for use, group in groups.items():
        for file in group:
            reference = file[0].get(f"{XLINK}href")
            assert ":" not in reference and not reference.startswith("/")
            url = unquote(urljoin("file:///", reference)[len("file:///") :])
            path = (folder / unquote(reference)).resolve()
            assert path.exists() and url
            assert int(file.get("SIZE")) == path.stat().st_size
            found[file.get("ID")] = (use, path)
    divisions = root.findall(".//{*}structMap[@TYPE='PHYSICAL']/{*}div/{*}div")
    assert [division.get("ORDER") for division in divisions] == ["1", "2", "3", "4"]
    for division, files in zip(divisions, pages, strict=True):
        referred = [found[pointer.get("FILEID")] for pointer in division]
        assert [path for _, path in referred] == [file.resolve() for file in files]
        assert [use for use, _ in referred] == ["DEFAULT", *(use for _, use in FORMATS.values())]


def test_kinds_of_files(tmp_path: Path) -> None:
    contents = {
        "a.jpg": b"\xff\xd8",
        "a.txt": b"text",
        "a.pdf": b"%PDF",
        "a.bin": b"\x00",
        "a.svg": b"<svg/>",
        "empty.xml": b"",
        "broken.xml": b"<PcGts",
        "comment.xml": b"<?xml version='1.0'?><!-- " + b"x" * 9000 + b" --><a:alto xmlns:a='b'>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    write_mets([[tmp_path / name for name in contents]], tmp_path / "mets.xml")
    root = etree.parse(str(tmp_path / "mets.xml")).getroot()
    assert schema().validate(root), schema().error_log
    uses = {
        unquote(file[0].get(f"{XLINK}href")): group.get("USE")
        for group in root.iter("{*}fileGrp")
        for file in group
    }
    assert uses == {
        "a.jpg": "DEFAULT",
        "a.txt": "TEXT",
        "a.pdf": "DOWNLOAD",
        "a.bin": "OTHER",
        "a.svg": "OTHER",
        "empty.xml": "OTHER",
        "broken.xml": "OTHER",
        "comment.xml": "FULLTEXT",
    }


def test_mistakes_are_named_and_leave_no_file(tmp_path: Path) -> None:
    output = tmp_path / "mets.xml"
    with pytest.raises(ValueError, match="at least one page"):
        write_mets([], output)
    with pytest.raises(ValueError, match="Page 1"):
        write_mets([[]], output)
    with pytest.raises(ValueError, match="Page 1"):
        write_mets(["a.png"], output)
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        write_mets([[tmp_path / "missing.png"]], output)
    assert not list(tmp_path.iterdir())
