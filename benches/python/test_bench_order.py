"""Speed of the reading orders: 1,000 lines in 40 regions, and without regions (``pytest benches/python``)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kraken.lib.segmentation import column_reading_order, polygonal_reading_order


def page() -> tuple[list[Any], list[Any]]:
    """Four columns of ten regions of 25 lines."""
    lines, regions = [], []
    for column in range(4):
        for block in range(10):
            x, y = 100 + 700 * column, 100 + 800 * block
            outline = [(x - 5, y - 30), (x + 605, y - 30), (x + 605, y + 755), (x - 5, y + 755)]
            regions.append(SimpleNamespace(id="r", boundary=outline, tags=None))
            for row in range(25):
                points = [(x, y + 30 * row), (x + 300, y + 30 * row + 3), (x + 600 - 7 * row, y + 30 * row)]
                lines.append(SimpleNamespace(id="l", baseline=points))
    return lines, regions


@pytest.mark.parametrize("with_regions", [True, False])
@pytest.mark.parametrize("function", [polygonal_reading_order, column_reading_order])
def test_order_of_1000_lines(benchmark: Any, function: Any, with_regions: bool) -> None:
    lines, regions = page()
    order = benchmark(function, lines, regions=regions if with_regions else None)
    assert sorted(order) == list(range(1000))
