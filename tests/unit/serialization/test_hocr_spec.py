"""hOCR against the checker of the format's own project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kraken.containers import Segmentation
from kraken.lib.xml import XMLPage
from kraken.serialization import serialize
from tests.conftest import shared_path
from tests.unit.serialization.segmentations import segmentations

checker = pytest.importorskip("hocr_spec.validate", reason="hocr-spec isn't installed")

EMPTY = Segmentation(
    type="bbox", imagename="a b; c.png", text_direction="horizontal-lr", script_detection=False, lines=[]
)


def errors(document: str, folder: Path) -> list[str]:
    file = folder / "page.html"
    file.write_bytes(document.encode("utf-8"))
    report = checker.HocrValidator("standard").validate(str(file))
    return [str(item) for item in report.items if item.level not in ("OK", "DEBUG", "WARN")]


def test_checker_finds_mistakes(tmp_path: Path) -> None:
    document = serialize(EMPTY, template="hocr")
    assert errors(document, tmp_path) == []
    assert errors(document.replace("ocr_page", "ocr_pages"), tmp_path)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    segmentation=segmentations(),
    size=st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
    scripts=st.one_of(st.none(), st.lists(st.sampled_from(["Latn", "Arab", "Hebr"]), max_size=2)),
    sub_line=st.booleans(),
)
@example(segmentation=EMPTY, size=(0, 0), scripts=["Latn"], sub_line=True)
def test_anything_is_valid(
    segmentation: Segmentation,
    size: Any,
    scripts: Any,
    sub_line: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    document = serialize(
        segmentation, image_size=size, template="hocr", scripts=scripts, sub_line_segmentation=sub_line
    )
    assert errors(document, tmp_path_factory.mktemp("hocr")) == []


@pytest.mark.parametrize(
    "parts",
    [
        ("print-lat-16c-alto", "18_87dfe_default.xml"),
        ("hand-pt-medieval-page", "foral_de_abrantes_1217", "1.xml"),
    ],
)
def test_pages_are_valid(parts: tuple[str, ...], tmp_path: Path) -> None:
    page = XMLPage(shared_path("data", "pages", *parts))
    assert errors(serialize(page.to_container(), page.image_size, template="hocr"), tmp_path) == []
