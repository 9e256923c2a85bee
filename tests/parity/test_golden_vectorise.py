"""Baselines, regions and reading order agree with recorded behaviour."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from shapely.geometry import Polygon

from kraken.lib import segmentation as sg
from tests.conftest import golden_json, shared_path
from tests.parity.lines_match import match


def test_lines() -> None:
    maps = np.load(shared_path("golden", "geometry", "heatmaps.npz"))
    recorded_total = found_total = matched_total = 0
    for case in golden_json("geometry", "vectorize.json")["lines"]:
        heatmap = maps[case["name"]]
        found = sg.vectorize_lines(
            heatmap.astype(np.float32) / np.float32(255), text_direction=case["text_direction"]
        )
        assert found == sg.vectorize_lines(heatmap, text_direction=case["text_direction"])
        recorded = case["baselines"]
        result = match(recorded, case["plain"], found)
        n = len(result.distances)
        assert result.missing <= max(1, 0.02 * len(recorded)), case["name"]
        assert result.extra <= max(1, 0.02 * len(found)), case["name"]
        assert np.mean(result.distances) <= 1, case["name"]
        assert result.far_ends <= max(1, 0.05 * n), case["name"]
        assert result.turned <= (0 if case["name"].startswith("syn") else max(1, 0.01 * n)), case["name"]
        height, width = heatmap.shape[1:]
        assert all(0 <= x < width and 0 <= y < height for line in found for x, y in line)
        recorded_total += n + result.missing
        found_total += n + result.extra
        matched_total += n
    assert matched_total >= 0.98 * recorded_total
    assert matched_total >= 0.98 * found_total


def test_regions() -> None:
    maps = np.load(shared_path("golden", "geometry", "regions.npz"))
    for case in golden_json("geometry", "vectorize.json")["regions"]:
        found = [Polygon(ring) for ring in sg.vectorize_regions(maps[case["name"]])]
        height, width = maps[case["name"]].shape
        assert all(ring.is_valid for ring in found)
        for ring in found:
            x0, y0, x1, y1 = ring.bounds
            assert min(x0, y0) >= 0 and x1 < width and y1 < height
        recorded = [Polygon(ring).buffer(0) for ring in case["regions"]]
        recorded = [ring for ring in recorded if ring.area >= 400]
        found = [ring for ring in found if ring.area >= 400]
        assert len(found) == len(recorded)
        for ring in recorded:
            iou = max(ring.intersection(other).area / ring.union(other).area for other in found)
            assert iou >= 0.97, case["name"]


def _lines(baselines: list[Any]) -> list[SimpleNamespace]:
    return [SimpleNamespace(id=str(i), baseline=b) for i, b in enumerate(baselines)]


def _regions(outlines: list[Any]) -> list[SimpleNamespace]:
    return [SimpleNamespace(id=str(i), boundary=o) for i, o in enumerate(outlines)]


def test_orders() -> None:
    for case in golden_json("geometry", "order.json")["orders"]:
        direction, accepted = case["text_direction"], case["accept"]
        for mirrored in (False, True):
            if case["kind"] == "bbox":
                lines = [SimpleNamespace(id="", bbox=b) for b in case["bboxes"]]
                order = sg.reading_order(lines, direction, mirrored=mirrored)
            else:
                regions = _regions(case["regions"]) if case["regions"] else None
                lines = _lines(case["baselines"])
                order = sg.polygonal_reading_order(lines, direction, regions, mirrored=mirrored)
            assert order in accepted, case["name"]


def test_orders_of_the_command_line_chapter() -> None:
    recorded = golden_json("cli", "ro_heuristic.json")
    for case in recorded["bbox"]:
        lines = [SimpleNamespace(id="", bbox=b) for b in case["boxes"]]
        assert sg.reading_order(lines, case["dir"]) == case["order"]
    for case in recorded["polygonal"]:
        order = sg.polygonal_reading_order(
            lines=_lines(case["baselines"]), regions=_regions(case["regions"]), text_direction=case["dir"]
        )
        assert order == case["order"]


def test_topsort() -> None:
    for case in golden_json("geometry", "order.json")["topsort"]:
        assert sg.topsort(np.array(case["order"])) == case["result"]


def test_scaling() -> None:
    for case in golden_json("geometry", "order.json")["scale"]:
        points, scale = case["points"], case["scale"]
        assert sg.scale_regions(points, scale) == case["regions"]
        lines = sg.scale_polygonal_lines([(p, p[::-1]) for p in points], scale)
        assert [list(pair) for pair in lines] == case["lines"]


def test_in_region() -> None:
    for case in golden_json("geometry", "order.json")["in_region"]:
        assert sg.is_in_region(case["line"], case["region"]) == case["inside"]


def test_neural_order() -> None:
    torch = pytest.importorskip("torch")
    for case in golden_json("geometry", "order.json")["neural"]:
        weights = [torch.tensor(case[k]) for k in ("w1", "b1", "w2", "b2")]
        first = torch.nn.Linear(*weights[0].shape[::-1])
        second = torch.nn.Linear(*weights[2].shape[::-1])
        state = zip([first.weight, first.bias, second.weight, second.bias], weights, strict=True)
        for parameter, value in state:
            parameter.data = value
        lines = [
            SimpleNamespace(
                id="",
                tags={"type": [{"type": e["tag"]}]},
                baseline=e.get("baseline"),
                boundary=e.get("boundary"),
            )
            for e in case["lines"]
        ]
        order = sg.neural_reading_order(
            lines,
            im_size=tuple(case["im_size"]),
            model=torch.nn.Sequential(first, torch.nn.Tanh(), second),
            class_mapping=case["class_mapping"],
        )
        assert order is not None and order.tolist() == case["order"]
