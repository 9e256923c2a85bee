"""The centre normaliser equals its slow version."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kraken.lib.lineest import CenterNormalizer, dewarp
from tests.reference import lineest as reference


def _line(seed: int, width: int, height: int) -> Image.Image:
    """Strokes that climb and fall on paper of one colour."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", (width, height), 230)
    draw = ImageDraw.Draw(image)
    for x in range(2, width - 2, 5):
        y = height / 2 + height / 5 * np.sin(x / width * 3 + seed)
        size = rng.uniform(0.05, 0.2) * height
        draw.line(
            [(x, y - size), (x + rng.integers(0, 4), y + size)], fill=int(rng.integers(0, 150)), width=2
        )
    return image


@given(st.integers(0, 1000), st.integers(20, 240), st.integers(8, 70), st.integers(10, 60))
@settings(max_examples=40, deadline=None)
def test_normaliser(seed: int, width: int, height: int, target: int) -> None:
    image = _line(seed, width, height)
    pixels = np.asarray(image)
    paper = int(pixels.max())
    ink = (paper - pixels.astype(float)) / (paper - int(pixels.min()))
    center, spread = reference.measure(ink)
    normalizer = CenterNormalizer(target)
    ours = dewarp(normalizer, image)
    assert (normalizer.center != center).mean() <= 0.02
    if (normalizer.center == center).all():
        assert abs(normalizer.mad - spread) < 1e-9
        theirs = reference.normalize(pixels, center, normalizer.r, target, paper)
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-3)
