from pathlib import Path

import numpy as np
import pytest
import torch

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(autouse=True)
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(MODELS))


def drawn(seed=3):
    from common.typefaces import Typefaces
    from layout.draw import draw_sheet

    return draw_sheet(seed, Typefaces(), 600)


def test_pages_follow_from_the_seed():
    first, second = drawn(), drawn()
    assert np.array_equal(first.grey, second.grey) and first.lines
    assert all(np.array_equal(a, b) for a, b in zip(first.lines, second.lines, strict=True))
    assert not np.array_equal(first.grey.shape, drawn(4).grey.shape) or not np.array_equal(
        first.grey, drawn(4).grey
    )


@pytest.mark.parametrize("seed", range(8))
def test_points_go_where_pixels_go(seed):
    from layout.view import Warp

    rng = np.random.default_rng(seed)
    warp = Warp(rng, (900, 1200), (500, 400))
    points = rng.uniform(0, 1, (50, 2)) * (500, 400)
    assert np.allclose(warp.forward(warp.backward(points)), points, atol=0.3)


@pytest.mark.parametrize("whole", [True, False])
def test_views_show_lines_where_the_maps_say(whole):
    from layout.view import view

    sheet = drawn()
    seen = view(sheet, np.random.default_rng(1), 600, 200_000, whole=whole)
    _, _, height, width = seen.image.shape
    assert height * width <= 200_000
    assert seen.maps.shape == (1, 4, -(-height // 2), -(-width // 2))
    assert float(seen.maps.min()) >= 0 and float(seen.maps.max()) <= 1
    assert torch.equal(seen.known, torch.ones(4, dtype=torch.bool))
    # separators lie beside the baseline, never on it
    assert float((seen.maps[0, :2] * (seen.maps[0, 2:3] == 1)).max()) == 0


def test_maps_that_are_not_known_do_not_count():
    from layout.train import loss_of

    logits, maps = torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    other = maps.clone()
    other[:, 3] = 1
    known = torch.tensor([True, True, True, False])
    assert torch.equal(loss_of(logits, maps, known), loss_of(logits, other, known))
    assert not torch.equal(loss_of(logits, maps, ~known), loss_of(logits, other, ~known))
