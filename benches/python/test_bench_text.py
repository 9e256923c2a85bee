"""Speed of records, sections, decoders and bidirectional text.

Run with ``python -m pytest benches/python``; the test suite doesn't collect
this folder.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from kraken.containers import (
    BaselineLine,
    BaselineOCRRecord,
    compute_polygon_section,
    precompute_polygon_sections,
)
from kraken.lib.bidi import get_display_map
from kraken.lib.codec import PytorchCodec
from kraken.lib.ctc_decoder import beam_search, greedy_decoder

CHARACTERS = 80
BASELINE = [(10, 60), (250, 66), (500, 60), (750, 64), (990, 60)]
#: 40 points around the line.
BOUNDARY = [
    (round(500 + 510 * math.cos(math.pi * k / 20)), round(60 + 50 * math.sin(math.pi * k / 20)))
    for k in range(40)
]
LINE = BaselineLine("l", baseline=BASELINE, boundary=BOUNDARY)
CUTS = [[12 * k, 12 * k + 11] for k in range(CHARACTERS)]
CONFIDENCES = [0.9] * CHARACTERS


def record():
    return BaselineOCRRecord("x" * CHARACTERS, CUTS, CONFIDENCES, LINE)


def outputs():
    """100 lines × 150 classes × 300 columns: a symbol every eight columns, blanks between."""
    logits = np.random.default_rng(0).normal(size=(100, 150, 300)).astype(np.float32)
    logits[:, 0] += 8
    logits[:, :, ::8] = np.random.default_rng(1).normal(size=(100, 150, 38)) * 6
    values = np.exp(logits)
    return values / values.sum(1, keepdims=True), [300] * 100


def test_one_section(benchmark):
    benchmark(compute_polygon_section, BASELINE, BOUNDARY, 100, 200)


def test_sections_of_80_characters(benchmark):
    benchmark(precompute_polygon_sections, BASELINE, BOUNDARY, CUTS)


def test_record_for_its_text(benchmark):
    benchmark(lambda: str(record()))


def test_record_with_cuts(benchmark):
    benchmark(lambda: record().cuts)


def test_words_of_a_record(benchmark):
    line = record()
    benchmark(lambda: [line[k : k + 8] for k in range(0, CHARACTERS, 8)])


def test_reordering_a_record(benchmark):
    benchmark(record().logical_order)


def test_greedy_decoding_of_100_lines(benchmark):
    benchmark(greedy_decoder, *outputs())


@pytest.mark.parametrize("threads", [1, 0])
def test_beam_search_on_100_lines(benchmark, threads):
    benchmark(beam_search, *outputs(), beam_size=16, num_threads=threads)


def test_bidi_map_of_a_mixed_line(benchmark):
    benchmark(get_display_map, "אבג (12) abc " * 6)


def test_codec_of_a_line(benchmark):
    codec = PytorchCodec("".join(map(chr, range(32, 180))) + "ﬀﬁﬂ")
    labels = [(1 + k % 150, k, k, 0.5) for k in range(CHARACTERS)]
    benchmark(codec.decode, labels)
