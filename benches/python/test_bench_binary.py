"""Black and white: ``python -m pytest benches/python/test_bench_binary.py --benchmark-only``."""

from __future__ import annotations

from typing import Any

from PIL import Image

from kraken.binarization import nlbin
from kraken.lib.util import open_image
from kraken.pageseg import segment
from tests.conftest import shared_path


def page() -> Image.Image:
    """A page of 6 million grey pixels."""
    im: Image.Image = open_image(
        shared_path("data", "pages", "hand-fr-register-alto", "DAFANCH96_048MIC07649_L-1.jpg")
    )
    return im


def test_binarise(benchmark: Any) -> None:
    assert benchmark.pedantic(nlbin, (page(),), rounds=3).mode == "L"


def test_box_segmentation(benchmark: Any) -> None:
    im = Image.open(shared_path("golden", "cli", "bw", "fraktur.png"))
    assert len(benchmark.pedantic(segment, (im,), rounds=3).lines) == 50
