"""Native decoders equal the reference implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from kraken.lib.ctc_decoder import (
    align_labels,
    beam_decoder,
    beam_search,
    blank_threshold_decoder,
    greedy_decoder,
)
from tests.reference import ctc as reference

# Few distinct values make ties frequent.
value = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1, width=32)


def matrices(max_classes=5, max_width=12):
    shape = st.tuples(st.integers(1, max_classes), st.integers(0, max_width))
    return shape.flatmap(lambda s: npst.arrays(np.float32, s, elements=value))


def probabilities(max_classes=4, max_width=5):
    shape = st.tuples(st.integers(2, max_classes), st.integers(1, max_width))
    weights = shape.flatmap(lambda s: npst.arrays(np.float64, s, elements=st.floats(0.01, 1)))
    return weights.map(lambda w: w / w.sum(0))


@settings(max_examples=100, deadline=None)
@given(
    npst.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(0, 9)),
        elements=value | st.just(float("nan")),
    ),
    st.data(),
)
def test_greedy(batch, data):
    lengths = data.draw(st.lists(st.integers(0, 12), min_size=len(batch), max_size=len(batch)))
    assert repr(greedy_decoder(batch, lengths)) == repr(reference.greedy(batch, lengths))


@settings(max_examples=100, deadline=None)
@given(matrices(), st.floats(0, 1, width=32))
def test_blank_threshold(matrix, threshold):
    assert blank_threshold_decoder(matrix, threshold) == reference.blank_threshold(matrix, threshold)


@settings(max_examples=60, deadline=None)
@given(probabilities())
def test_exhaustive_beam_sums_over_all_paths(matrix):
    exact = reference.labelling_probabilities(matrix)
    found = beam_search(matrix, beam_size=10**6, nbest=10**6, blank_prune=None)[0]
    assert {tuple(s[0] for s in symbols) for symbols, _ in found} == set(exact)
    for symbols, score in found:
        assert math.exp(score) == pytest.approx(exact[tuple(s[0] for s in symbols)], rel=1e-9)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True) or np.diff(scores).max() < 1e-9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(1, 12), st.integers(1, 6))
def test_narrow_beam_equals_the_plain_search(seed, classes, width, beam_size):
    # Random numbers, since the two searches may prune ties differently.
    matrix = np.exp(2 * np.random.default_rng(seed).normal(size=(classes, width)))
    matrix /= matrix.sum(0)
    kept = {prefix for prefix, _ in reference.prefix_beam(matrix, beam_size)}
    kept.add(tuple(symbol[0] for symbol in reference.greedy(matrix[None], [width])[0]))
    expected = sorted((reference.log_probability(matrix, labels) for labels in kept), reverse=True)
    found = beam_search(matrix, beam_size=beam_size, nbest=beam_size + 1, blank_prune=None)[0]
    assert {tuple(symbol[0] for symbol in symbols) for symbols, _ in found} == kept
    assert [score for _, score in found] == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(probabilities())
def test_positions_are_those_of_the_best_path(matrix):
    symbols = beam_decoder(matrix, 100)
    labels, spans = [s[0] for s in symbols], [s[1:3] for s in symbols]
    assert all(a <= b for a, b in spans)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(spans))
    found = reference.path_probability(matrix, labels, spans)
    assert found == pytest.approx(reference.best_path_probability(matrix, labels), rel=1e-9)
    for label, start, end, confidence in symbols:
        assert confidence == pytest.approx(matrix[label, start : end + 1].max())


@settings(max_examples=60, deadline=None)
@given(probabilities(5, 20), st.integers(1, 3))
def test_no_beam_is_worse_than_greedy(matrix, beam_size):
    greedy = [symbol[0] for symbol in greedy_decoder(matrix)[0]]
    beam = [symbol[0] for symbol in beam_decoder(matrix, beam_size)]
    best = reference.log_probability(matrix, beam)
    assert best >= reference.log_probability(matrix, greedy) - 1e-9


@settings(max_examples=100, deadline=None)
@given(
    npst.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 2), st.integers(2, 4), st.integers(0, 9)),
        elements=value | st.just(float("nan")),
    ),
    st.data(),
)
def test_alignment(batch, data):
    lines = st.lists(st.integers(1, batch.shape[1] - 1), max_size=6)
    labels = data.draw(st.lists(lines, min_size=len(batch), max_size=len(batch)))
    lengths = data.draw(st.lists(st.integers(0, 12), min_size=len(batch), max_size=len(batch)))
    for matrix, n, text, found in zip(
        batch, lengths, labels, align_labels(batch, labels, lengths), strict=True
    ):
        spans = reference.align(matrix[:, :n], text)
        if spans is None:
            assert found is None
            continue
        assert [symbol[:3] for symbol in found] == [(c, *s) for c, s in zip(text, spans, strict=True)]
        means = [matrix[c, a : b + 1].astype(float).mean() for c, (a, b) in zip(text, spans, strict=True)]
        assert [symbol[3] for symbol in found] == pytest.approx(means, rel=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(probabilities(), st.data())
def test_alignment_is_the_best_of_all_paths(matrix, data):
    labels = data.draw(st.lists(st.integers(1, matrix.shape[0] - 1), max_size=matrix.shape[1]))
    found = align_labels(matrix, [labels])[0]
    if found is None:
        assert reference.collapse(labels) != tuple(labels)  # too short only by blanks that it needs
        return
    probability = reference.path_probability(matrix, labels, [symbol[1:3] for symbol in found])
    assert probability == pytest.approx(reference.best_path_probability(matrix, labels), rel=1e-9)


def test_alignment_of_bad_input():
    outputs = np.full((1, 3, 4), 1 / 3)
    for labels in ([[0]], [[3]], [[-1]], [], [[1], [2]]):
        with pytest.raises(ValueError, match="labels"):
            align_labels(outputs, labels)
    assert align_labels(outputs, [[]]) == [[]]
    assert align_labels(outputs, [[1, 2, 1, 2, 1]]) == [None]
