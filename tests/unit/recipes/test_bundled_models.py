from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from examples import draw_page
from models.common import lines, scoring, targets

pytest.importorskip("kraken.lib.codec", reason="loading a recognition model needs the codec")
from kraken.models import load_models

ASSETS = Path(__file__).resolve().parents[3] / "python" / "kraken" / "assets"


def load(name):
    path = ASSETS / f"{name}.safetensors"
    assert path.stat().st_size < 1_000_000
    assert path.with_suffix(".md").is_file(), "a bundled model has a card"
    (model,) = load_models(path)
    assert all(p.dtype == torch.float32 for p in model.parameters())
    return model.eval()


@torch.inference_mode()
def test_recognition_reads_the_lines_of_the_example_page():
    model = load("tiny_recognition")
    assert model.model_type == ["recognition"]
    assert model.seg_type == "baselines"
    assert model.one_channel_mode == "L"
    assert not model.use_legacy_polygons
    letters = "".join(char for char, _ in sorted(model.user_metadata["codec"].items(), key=lambda x: x[1]))
    page = draw_page.draw_page()
    dark = (np.asarray(page) < 120).any(axis=1)
    edges = np.flatnonzero(np.diff(dark.astype(int))) + 1
    pairs = []
    for truth, (top, bottom) in zip(draw_page.LINES, edges.reshape(-1, 2), strict=True):
        crop = page.crop((draw_page.MARGIN - 8, int(top) - 3, page.width - 40, int(bottom) + 3))
        logits = model(torch.from_numpy(lines.network_input(crop, model.input[2]))[None, None])[0]
        assert logits.shape[2] == 1
        pairs.append((truth, scoring.greedy(logits[0, :, 0].numpy(), letters)))
    assert scoring.character_error_rate(pairs) < 0.05


@torch.inference_mode()
def test_layout_marks_every_line_of_the_example_page():
    model = load("tiny_layout")
    assert model.model_type == ["segmentation"]
    assert model.user_metadata["class_mapping"] == targets.CLASS_MAPPING
    page = draw_page.draw_page()
    height = model.input[2]
    scaled = page.resize((page.width * height // page.height, height), Image.Resampling.LANCZOS)
    x = torch.from_numpy(np.asarray(scaled, dtype=np.float32) / 255)[None, None]
    heat = model(x.max() - x)[0].sigmoid()[0].numpy()
    marked = (heat[2] > 0.3).mean(axis=1) > 0.25
    assert (np.diff(marked.astype(int)) == 1).sum() == len(draw_page.LINES)
    # starts are left of ends
    columns = np.arange(heat.shape[2])
    assert (heat[0].sum(0) * columns).sum() / heat[0].sum() < 0.25 * len(columns)
    assert (heat[1].sum(0) * columns).sum() / heat[1].sum() > 0.5 * len(columns)


@torch.inference_mode()
def test_layout_finds_nothing_on_an_empty_page():
    model = load("tiny_layout")
    heat = model(torch.zeros(1, 1, model.input[2], 560))[0].sigmoid()
    assert heat[0, 2].max() < 0.17
