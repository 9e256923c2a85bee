"""Alignment and edit distance against the obvious versions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.dataset.metrics import Scorer, compute_confusions, edit_distance, global_align, script_of
from tests.reference import distance as reference

TEXTS = st.text("abc א̀", max_size=12)


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_texts(a: str, b: str) -> None:
    assert global_align(a, b) == reference.global_align(a, b)
    assert edit_distance(a, b) == reference.global_align(a, b)[0]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["x", "yy", "", "zz"]), max_size=8), st.lists(st.integers(0, 2), max_size=8))
def test_other_sequences(words: list[str], numbers: list[int]) -> None:
    assert global_align(words, numbers) == reference.global_align(words, numbers)
    lists = [[number] for number in numbers]
    assert global_align(lists, lists[::-1]) == reference.global_align(lists, lists[::-1])


def test_edges() -> None:
    assert global_align("", "") == (0, [], [])
    assert global_align("a", "") == (1, ["a"], [""])
    assert edit_distance("\ud800", "\ud800") == 0
    with pytest.raises(ValueError, match="too many"):
        global_align("a" * 70_000, "b" * 70_000)


def test_long_texts_are_aligned() -> None:
    distance, first, second = global_align("ab" * 500, "ba" * 500)
    assert distance == 2 and len(first) == len(second) == 1001


@settings(max_examples=40)
@given(TEXTS, TEXTS)
def test_confusions_add_up(true: str, read: str) -> None:
    distance, first, second = global_align(true, read)
    counts, scripts, insertions, deletions, substitutions = compute_confusions(first, second)
    assert sum(counts.values()) == len(first)
    assert sum(scripts.values()) == len(true)
    assert insertions + sum(deletions.values()) + sum(substitutions.values()) == distance


def test_scripts() -> None:
    assert [script_of(char) for char in "aא\u0300 \u0378\U0010ffff"] == [
        "Latin",
        "Hebrew",
        "Inherited",
        "Common",
        "Unknown",
        "Unknown",
    ]


def test_score_of_nothing_is_perfect_unless_something_was_read() -> None:
    scorer = Scorer()
    assert (scorer.char_accuracy, scorer.word_accuracy) == (1.0, 1.0)
    scorer.add("x", "")
    assert scorer.char_accuracy == 0.0
