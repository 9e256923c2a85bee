"""Language models and decoding with them equal the reference implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.codec import PytorchCodec
from kraken.lib.ctc_decoder import beam_search, text_scorer
from kraken.lib.lm import Lexicon, NgramModel, _from_bytes
from tests.reference import ctc as ctc_reference
from tests.reference import lm as reference

texts = st.lists(st.text("aab é|▁<\t", min_size=1, max_size=12), min_size=1, max_size=12)
prunings = st.sampled_from([(), (0, 1), (0, 0, 1), (0, 0, 1, 2)])


def contexts(lines, order):
    """Some contexts that occur in a text, and some that don't."""
    for line in [*lines[:3], "ba|", "éé"]:
        for k in range(min(len(line), 4)):
            yield line[:k]
        yield line[-order:]


@settings(max_examples=40, deadline=None)
@given(texts, st.integers(1, 5), prunings)
def test_estimation(lines, order, prune):
    prune = prune[:order]
    model = NgramModel.train(lines, order, prune)
    slow = reference.KneserNey(lines, order, prune)
    for text in contexts(lines, order):
        for begin in (True, False):
            before = ([reference.BEGIN] if begin else []) + list(text)
            before = tuple(before[max(0, len(before) - order + 1) :])
            before = tuple(
                c if c in slow.vocabulary or c == reference.BEGIN else reference.UNKNOWN for c in before
            )
            total = 0.0
            for symbol in slow.vocabulary:
                if symbol == reference.END:
                    found = model.log_probabilities(text, begin)[-1]
                else:
                    char = "\ue000" if symbol == reference.UNKNOWN else symbol
                    found = model.log_probabilities(text + char, begin, end=False)[-1]
                assert math.exp(found) == pytest.approx(slow.probability(symbol, before), rel=1e-4)
                total += math.exp(found)
            assert total == pytest.approx(1, abs=1e-5)


def token(c, grams):
    """Name of a code point in a file."""
    names = [{" ": "<space>", "": reference.END}.get(c, c), f"<U+{ord(c or ' '):04X}>"]
    return next((name for name in names if (name,) in grams), reference.UNKNOWN)


@settings(max_examples=40, deadline=None)
@given(texts, st.integers(1, 4), st.text("ab é|▁<\tx", max_size=8), st.integers(0, 2**20))
def test_scoring_of_files(lines, order, text, seed):
    grams = reference.parse_arpa(NgramModel.train(lines, order).kernel.write().decode())
    rng = np.random.default_rng(seed)
    grams = reference.pruned(grams, lambda gram, k: rng.random() < 0.7)
    model = _from_bytes(reference.arpa(grams).encode())
    assert model.counts == [sum(len(g) == n for g in grams) for n in range(1, order + 1)][: len(model.counts)]
    before = [reference.BEGIN]
    for c, found in zip([*text, ""], model.log_probabilities(text), strict=True):
        context = before[max(0, len(before) - model.order + 1) :]
        name = token(c, grams)
        expected = reference.back_off(grams, tuple(context), name)
        assert found / math.log(10) == pytest.approx(expected, rel=1e-5, abs=1e-5)
        before.append(name)


CODECS = {
    "one to one": {"a": [1], "b": [2], " ": [3]},
    "one code point, several labels": {"a": [1, 2], "b": [1, 3], "c": [2]},
    "several code points, one label": {"a": [1], "ba": [2], "b’a": [3]},
    "label of no code": {"a": [1], " b": [3, 1]},
}
WORDS = ["a", "ba", "b’a"]
TEXT = ["a b", "ba ba", "ab’a", "aa b", "ca ba", "b’a ba"]


@pytest.mark.parametrize("c2l", CODECS.values(), ids=CODECS.keys())
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    width=st.integers(0, 6),
    alpha=st.sampled_from([0.0, 0.5, 2.0]),
    beta=st.sampled_from([-1.0, 0.0, 0.7]),
    penalty=st.sampled_from([None, 0.5, 3.0, math.inf]),
)
def test_beam_search_equals_exhaustive_search(c2l, seed, width, alpha, beta, penalty):
    matrix = np.exp(np.random.default_rng(seed).normal(size=(4, width)))
    matrix /= matrix.sum(0)
    model = NgramModel.train(TEXT, 3)
    words = None if penalty is None else WORDS
    scored = reference.exhaustive(
        ctc_reference.labelling_probabilities(matrix),
        lambda labels: reference.text_score(
            labels, c2l, model.log_probabilities, alpha, beta, words, penalty or 0.0
        ),
    )
    possible = {labels: score for score, labels in scored if score > -math.inf}
    options = {"lm": model, "alpha": alpha, "beta": beta, "codec": PytorchCodec(c2l)}
    if words:
        options |= {"lexicon": Lexicon(words), "unknown_word": penalty}
    found = beam_search(matrix, beam_size=10**6, nbest=10**6, blank_prune=None, **options)[0]
    assert {tuple(s[0] for s in symbols) for symbols, _ in found} == set(possible)
    for symbols, score in found:
        assert score == pytest.approx(possible[tuple(s[0] for s in symbols)], rel=1e-9, abs=1e-9)
    # One labelling only, and beams that are too narrow to see all.
    best = beam_search(matrix, beam_size=10**6, blank_prune=None, **options)[0]
    assert possible[tuple(s[0] for s in best)] == pytest.approx(scored[0][0], abs=1e-9)
    greedy = tuple(s[0] for s in ctc_reference.greedy(matrix[None], [width])[0])
    narrow = beam_search(matrix, beam_size=1, blank_prune=None, **options)[0]
    worst = possible.get(greedy, -math.inf)
    assert possible.get(tuple(s[0] for s in narrow), -math.inf) >= worst - 1e-9


@settings(max_examples=40, deadline=None)
@given(st.text("ab’'c A7é.", max_size=20))
def test_word_lists(text):
    words = ["a", "ab", "b’a", "Ca", "'cab", "é"]
    c2l = {c: [i] for i, c in enumerate("ab’'c A7é.", 1)}
    kernel = text_scorer(PytorchCodec(c2l), None, Lexicon(words), 0.0, 0.0, 1.0)
    labels = [c2l[c][0] for c in text]
    assert kernel.score(labels) == -reference.unlisted_words(text, words)
