"""Line images equal the recorded ones within the tolerances of spec chapter geometry §5."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kraken.lib.segmentation.extraction import extract_lines, extract_polygons
from tests.conftest import golden_json, shared_path


def _bounds(case: dict[str, Any], kind: str, **line: Any) -> SimpleNamespace:
    direction = case.get("text_direction", "horizontal-lr")
    return SimpleNamespace(type=kind, text_direction=direction, lines=[SimpleNamespace(id="l", **line)])


def _page(name: str, mode: str = "L") -> Image.Image:
    page = Image.open(shared_path("golden", "geometry", f"page_{name}.png"))
    return page.point(lambda v: 255 * (v > 128), "1") if mode == "1" else page.convert(mode)


def _compare(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Least mean absolute difference over shifts within ± 2 px, and the correlation there."""
    h, w = np.maximum(ours.shape[:2], theirs.shape[:2])
    channels = ours.shape[2:]
    base = np.zeros((h + 4, w + 4, *channels))
    base[2 : 2 + theirs.shape[0], 2 : 2 + theirs.shape[1]] = theirs
    best = (np.inf, 0.0)
    for dy in range(5):
        for dx in range(5):
            moved = np.zeros_like(base)
            part = ours[: h + 4 - dy, : w + 4 - dx]
            moved[dy : dy + part.shape[0], dx : dx + part.shape[1]] = part
            inner = np.s_[2 : 2 + h, 2 : 2 + w]
            mean = float(np.abs(moved[inner] - base[inner]).mean())
            if mean < best[0]:
                best = (mean, float(np.corrcoef(moved[inner].ravel(), base[inner].ravel())[0, 1]))
    return best


def results() -> list[tuple[dict[str, Any], tuple[int, int], float, float]]:
    arrays = np.load(shared_path("golden", "geometry", "extract.npz"))
    found = []
    for case in golden_json("geometry", "extract.json")["lines"]:
        page = _page(case["page"], case["mode"])
        bounds = _bounds(case, "baselines", baseline=case["baseline"], boundary=case["boundary"])
        [(image, _)] = extract_polygons(page, bounds, legacy=case["legacy"])
        assert image.mode == case["out_mode"]
        theirs = arrays[case["id"]]
        difference = (image.width - case["size"][0], image.height - case["size"][1])
        found.append((case, difference, *_compare(np.asarray(image), theirs)))
    return found


def test_lines() -> None:
    curved = []
    for case, difference, mean, correlation in results():
        name = (case["id"], case["kind"], case["mode"], case["legacy"], difference, mean, correlation)
        assert max(map(abs, difference)) <= 2, name
        if case["kind"] == "exact":
            assert (difference, mean) == ((0, 0), 0), name
        elif case["mode"] == "1":
            assert mean <= 30, name
        else:
            assert correlation >= 0.95, name
            assert mean <= (3 if case["kind"] == "straight" and not case["legacy"] else 12), name
            if case["kind"] == "curved":
                curved.append(mean)
    assert np.quantile(curved, 0.9) <= 8


def test_batch_equals_single_lines() -> None:
    cases = golden_json("geometry", "extract.json")["lines"]
    for page_name in {case["page"] for case in cases}:
        for legacy in (False, True):
            own = [c for c in cases if c["page"] == page_name]
            lines = [SimpleNamespace(id=c["id"], baseline=c["baseline"], boundary=c["boundary"]) for c in own]
            page = _page(page_name)
            single = [
                np.asarray(im)
                for line in lines
                for im, _ in extract_polygons(
                    page, _bounds({}, "baselines", baseline=line.baseline, boundary=line.boundary), legacy
                )
            ]
            for threads in (1, 2):
                batch = extract_lines(page, lines, legacy=legacy, num_threads=threads)
                for a, b in zip(single, batch, strict=True):
                    assert isinstance(b, np.ndarray)
                    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("index", range(8))
def test_boxes(index: int) -> None:
    boxes = golden_json("geometry", "extract.json")["boxes"]
    if index >= len(boxes):
        pytest.skip("fewer boxes are recorded")
    case = boxes[index]
    [(image, _)] = extract_polygons(_page(case["page"]), _bounds(case, "bbox", bbox=case["bbox"]))
    assert list(image.size) == case["size"]
    assert hashlib.sha256(image.tobytes()).hexdigest() == case["sha256"]
