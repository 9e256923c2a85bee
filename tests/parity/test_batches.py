"""A line's text doesn't depend on the lines beside it in a batch (nasty input U11)."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image

from kraken.configs import RecognitionInferenceConfig
from kraken.containers import BaselineLine, Segmentation
from kraken.lib.util import open_image
from kraken.lib.vgsl.recognition_inference import Item, _batches
from kraken.lib.xml import XMLPage
from kraken.models import load_models
from kraken.tasks import RecognitionTaskModel
from tests import example_page
from tests.conftest import SHARED, shared_path

FOLDER = SHARED / "golden" / "cli" / "cli-in"
PAGES = [name for name in ("alto.xml", "page.xml") if (FOLDER / name).is_file()]
#: Networks that read gibberish here, where single grey levels count, and the one the pages were made for.
MODELS = (
    ("reference-models", "overfit_bl_newpoly.safetensors"),
    ("reference-models", "overfit.mlmodel"),
    ("reference-models", "synth_lat_heb.safetensors"),
    ("golden", "cli", "cli-in", "rec.safetensors"),
)
SIZES = (1, 2, 7, 16, 64)


def texts(task: Any, im: Image.Image, page: Segmentation, **options: Any) -> dict[str, tuple[Any, ...]]:
    """Text and positions by line, and whether the records came in the order of the lines."""
    config = RecognitionInferenceConfig(accelerator="cpu", precision="32-true", **options)
    records: list[Any] = list(task.predict(im, page, config))
    assert [record.id for record in records] == [line.id for line in page.lines or []]
    return {record.id: (record.prediction, tuple(map(str, record._cuts))) for record in records}


def assert_invariant(task: Any, im: Image.Image, page: Segmentation, sizes: tuple[int, ...]) -> None:
    alone = texts(task, im, page, batch_size=1)
    shuffled = list(page.lines or [])
    for size in sizes:
        assert texts(task, im, page, batch_size=size) == alone, f"batches of {size}"
        random.Random(size).shuffle(shuffled)
        other = replace(page, lines=shuffled)
        assert texts(task, im, other, batch_size=size) == alone, f"shuffled, batches of {size}"


def test_batches_hold_lines_of_similar_width() -> None:
    widths = [30, 1000, 480, 510, 900, 700, 20, 1000]
    items = [Item(k, None, tensor=torch.zeros(1, 1, width)) for k, width in enumerate(widths)]
    items.insert(2, Item(99, None))
    for size, expected in (
        (64, [[1000, 1000, 900, 700, 510], [480], [30, 20]]),
        (2, [[1000, 1000], [900, 700], [510, 480], [30, 20]]),
        (1, [[width] for width in sorted(widths, reverse=True)]),
    ):
        found = [[item.tensor.shape[-1] for item in batch] for batch in _batches(items, size)]
        assert found == expected


@pytest.mark.parametrize("kind", ["baselines", "bbox"])
def test_example_page(kind: str) -> None:
    task = RecognitionTaskModel.load_model(example_page.RECOGNITION_MODEL)
    page = example_page.segmentation(kind)
    lines: list[Any] = list(page.lines or [])
    # pieces of lines make widths that differ a lot
    if kind == "bbox":
        for k, line in enumerate(lines[:4]):
            x0, y0, _, y1 = line.bbox
            lines.append(replace(line, id=f"piece_{k}", bbox=(x0, y0, x0 + 24 + 90 * k, y1)))
        lines.append(replace(lines[0], id="lost", bbox=(0, 0, 5000, 10)))
    else:
        lines.append(BaselineLine("lost", baseline=[(0, 0), (1, 0)], boundary=[(0, 0), (1, 0), (1, 1)]))
    page = replace(page, lines=lines)
    # centre normalisation of boxes takes its time
    assert_invariant(task, example_page.image(), page, SIZES[1:] if kind == "baselines" else (7, 64))


@pytest.mark.filterwarnings("ignore:Using the legacy polygon extractor")
@pytest.mark.parametrize("model", MODELS, ids=lambda parts: parts[-1])
@pytest.mark.parametrize("name", PAGES)
def test_recorded_pages(name: str, model: tuple[str, ...]) -> None:
    net: Any = load_models(shared_path(*model))[0]
    kind = "bbox" if net.seg_type == "bbox" else "baselines"
    document = XMLPage(shared_path("golden", "cli", "cli-in", name), linetype=kind)
    page = document.to_container()
    assert len(page.lines or []) > 5
    page = replace(page, lines=[replace(line, id=f"l{k}") for k, line in enumerate(page.lines)])
    assert_invariant(RecognitionTaskModel([net]), open_image(document.imagename), page, SIZES[1:])
