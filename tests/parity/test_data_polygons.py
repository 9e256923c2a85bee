"""Polygons around the annotated baselines of some real pages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.conftest import shared_path

SCRIPT = Path(__file__).resolve().parents[2] / "benches" / "quality" / "polygons.py"

#: Small pages of print, typescript and hands: set, number of pages, least mean IoU.
PAGES = [
    ("hand-lat-medieval-alto", 1, 0.85),
    ("hand-pt-medieval-page", 1, 0.75),
    ("hand-fr-wills-alto", 3, 0.75),
    ("typescript-fr-alto", 1, 0.7),
    ("print-lat-16c-alto", 1, 0.7),
]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The script that measures all pages."""
    spec = importlib.util.spec_from_file_location("quality_polygons", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "count", "least"), PAGES)
def test_every_line_has_a_sound_polygon(bench: ModuleType, name: str, count: int, least: float) -> None:
    files = sorted(shared_path("data", "pages", name).rglob("*.xml"))[:count]
    figures, counter = bench.Figures(), bench._Counter()
    for file in files:
        bench.measure(file, figures, counter)
    assert figures.pages == count
    assert figures.lines > 5
    assert (figures.missing, figures.invalid, figures.outside) == (0, 0, 0)
    assert np.mean(figures.overlaps) >= least
    assert figures.lines == len(figures.overlaps) == sum(map(len, figures.by_place.values()))


def test_faults_are_counted(bench: ModuleType) -> None:
    figures = bench.Figures()
    bench._check([[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]], (10, 10), figures)
    bench._check([[0, 0], [10, 0], [5, 5], [0, 0]], (10, 10), figures)
    assert (figures.invalid, figures.outside) == (1, 1)
