"""Documents in and out: ``python -m pytest benches/python/test_bench_documents.py --benchmark-only``.

Targets on an idle core: a PAGE file of 97 lines 2.5 ms, an ALTO file of 30 lines 1.2 ms,
10,000 lines in linear time, a page of 100 lines with all characters 20 ms in any format.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kraken.containers import BaselineLine, BaselineOCRRecord, BBoxLine, BBoxOCRRecord, Segmentation
from kraken.lib.xml import XMLPage
from kraken.serialization import serialize
from tests.conftest import shared_path

TEXT = "In the beginning was the Word, and the Word was w "


def page_document(lines: int) -> str:
    """PAGE file with lines of four-point outlines."""
    body = "".join(
        f'<TextLine id="l{i}" custom="readingOrder {{index:{i};}}">'
        f'<Coords points="100,{i * 40} 1100,{i * 40} 1100,{i * 40 + 36} 100,{i * 40 + 36}"/>'
        f'<Baseline points="100,{i * 40 + 30} 1100,{i * 40 + 30}"/>'
        f"<TextEquiv><Unicode>{TEXT}</Unicode></TextEquiv></TextLine>"
        for i in range(lines)
    )
    return (
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        f'<Page imageFilename="a.png" imageWidth="1200" imageHeight="{lines * 40}"><TextRegion id="r" '
        f'custom="readingOrder {{index:0;}}"><Coords points="0,0 1200,0 1200,{lines * 40} 0,{lines * 40}"/>'
        f"{body}</TextRegion></Page></PcGts>"
    )


def alto_document(lines: int) -> str:
    """ALTO file with lines of four-point outlines."""
    body = "".join(
        f'<TextLine ID="l{i}" BASELINE="100 {i * 40 + 30} 1100 {i * 40 + 30}" TAGREFS="t"><Shape><Polygon '
        f'POINTS="100 {i * 40} 1100 {i * 40} 1100 {i * 40 + 36} 100 {i * 40 + 36}"/></Shape>'
        f'<String CONTENT="{TEXT}" HPOS="100" VPOS="{i * 40}" WIDTH="1000" HEIGHT="36"/></TextLine>'
        for i in range(lines)
    )
    return (
        '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>pixel'
        "</MeasurementUnit><sourceImageInformation><fileName>a.png</fileName></sourceImageInformation>"
        '</Description><Tags><OtherTag ID="t" TYPE="type" LABEL="default"/></Tags><Layout>'
        f'<Page WIDTH="1200" HEIGHT="{lines * 40}"><PrintSpace><TextBlock ID="r" HPOS="0" VPOS="0" '
        f'WIDTH="1200" HEIGHT="{lines * 40}">{body}</TextBlock></PrintSpace></Page></Layout></alto>'
    )


@pytest.mark.parametrize("lines", [30, 97, 1_000, 10_000])
@pytest.mark.parametrize("document", [page_document, alto_document])
def test_parse_generated(benchmark: Any, tmp_path: Path, document: Callable[[int], str], lines: int) -> None:
    file = tmp_path / "page.xml"
    file.write_text(document(lines), encoding="utf-8")
    page = benchmark(XMLPage, file)
    assert len(page.lines) == lines


def test_parse_page(benchmark: Any) -> None:
    file = shared_path("data", "pages", "hand-pt-medieval-page", "foral_de_abrantes_1217", "1.xml")
    assert len(benchmark(XMLPage, file).lines) == 106


def test_parse_alto(benchmark: Any) -> None:
    file = shared_path("data", "pages", "print-lat-16c-alto", "18_87dfe_default.xml")
    assert len(benchmark(XMLPage, file).lines) == 30


def recognised(kind: str, lines: int = 100) -> Segmentation:
    """Page of recognised lines of 50 characters each."""
    records: list[Any] = []
    step = 20
    for i in range(lines):
        top, bottom = i * 40, i * 40 + 36
        right = 100 + step * len(TEXT)
        confidences = [0.9 + 0.001 * k for k in range(len(TEXT))]
        if kind == "bbox":
            line = BBoxLine(id=f"l{i}", bbox=(100, top, right, bottom))
            cuts: list[Any] = []
            for k in range(len(TEXT)):
                x = 100 + step * k
                cuts.append(((x, top), (x + step, top), (x + step, bottom), (x, bottom)))
            records.append(BBoxOCRRecord(TEXT, cuts, confidences, line))
        else:
            outline = [(100, top), (right, top), (right, bottom), (100, bottom)]
            source = BaselineLine(
                id=f"l{i}", baseline=[(100, bottom - 6), (right, bottom - 6)], boundary=outline
            )
            spans = [(step * k, step * (k + 1)) for k in range(len(TEXT))]
            records.append(BaselineOCRRecord(TEXT, spans, confidences, source))
    return Segmentation(
        type=kind, imagename="a.png", text_direction="horizontal-lr", script_detection=False, lines=records
    )


@pytest.mark.parametrize("template", ["alto", "pagexml", "hocr", "abbyyxml"])
@pytest.mark.parametrize("kind", ["baselines", "bbox"])
def test_serialize(benchmark: Any, kind: str, template: str) -> None:
    serialize(recognised(kind, 1), template=template)  # compiles the template

    def fresh() -> tuple[tuple[Segmentation], dict[str, Any]]:
        # Fresh records each time: the cuts of a record are computed once and kept.
        return (recognised(kind),), {"image_size": (1200, 4000), "template": template}

    document = benchmark.pedantic(serialize, setup=fresh, rounds=15)
    assert document.count("\n") > 100
