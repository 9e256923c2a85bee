"""Speed of decoders and language models.

Lines have 200 columns and 120 labels. ``text`` is what a well trained network gives for text (peaks with
a few rivals, blanks between), ``peaks`` the same for random labels, ``flat`` random numbers: the worst case,
which no network gives.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from kraken.lib.codec import PytorchCodec
from kraken.lib.ctc_decoder import beam_search, greedy_decoder
from kraken.lib.lm import NgramModel

CLASSES, COLUMNS = 120, 200
CODEC = PytorchCodec([chr(c) for c in (*range(32, 127), *range(224, 248))])
KINDS = ("text", "peaks", "flat")


@cache
def text():
    words = (Path(__file__).parents[2] / "models/common/words.txt").read_text("utf-8").split()
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(words, 9)) for _ in range(20_000)]


@cache
def model():
    return NgramModel.train(text())


@cache
def outputs(kind, lines):
    """Probabilities (lines, CLASSES, COLUMNS)."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(lines, CLASSES, COLUMNS))
    if kind != "flat":
        logits *= 1.5
        logits[:, 0] += 10
    for n in range(lines if kind != "flat" else 0):
        start = 2
        for c in text()[n] * 3:
            if start >= COLUMNS:
                break
            label = CODEC.c2l[c][0] if kind == "text" else int(rng.integers(1, CLASSES))
            peak = rng.normal(11, 2.5)
            logits[n, 0, start] = rng.normal(2, 2)
            logits[n, rng.integers(1, CLASSES, 3), start] = peak - abs(rng.normal(2.5, 2, 3))
            logits[n, label, start] = peak
            start += int(rng.integers(2, 6))
    values = np.exp(logits - logits.max(1, keepdims=True))
    return (values / values.sum(1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_on_8_lines(benchmark, kind):
    benchmark(greedy_decoder, outputs(kind, 8), [COLUMNS] * 8)


@pytest.mark.parametrize("kind", KINDS)
def test_beam_32_on_a_line(benchmark, kind):
    benchmark(beam_search, outputs(kind, 1), [COLUMNS], 32, num_threads=1)


@pytest.mark.parametrize("kind", KINDS)
def test_beam_32_and_5_grams_on_a_line(benchmark, kind):
    benchmark(beam_search, outputs(kind, 1), [COLUMNS], 32, lm=model(), codec=CODEC, num_threads=1)


@pytest.mark.parametrize("kind", KINDS)
def test_beam_32_on_64_lines_with_two_threads(benchmark, kind):
    benchmark(beam_search, outputs(kind, 64), [COLUMNS] * 64, 32, num_threads=2)


def test_estimating_5_grams_of_a_megabyte(benchmark):
    benchmark(NgramModel.train, text())


def test_loading_5_grams(benchmark, tmp_path):
    model().save(tmp_path / "m.arpa")
    benchmark(NgramModel.load, tmp_path / "m.arpa")
