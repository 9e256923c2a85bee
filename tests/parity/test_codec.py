"""Codecs equal the reference implementation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.codec import PytorchCodec
from tests.reference import codec as reference

CODECS = [
    {"a": [1], "b": [2], "c": [3]},
    {"a": [1], "b": [2, 3], "c": [2, 4, 1]},
    {"a": [1], "b": [2], "ab": [3], "abc": [4, 4], "ca": [4, 5]},
    {"abc": [1], "cb": [2, 2]},
]


@pytest.mark.parametrize("c2l", CODECS, ids=["single", "several labels", "several code points", "few"])
@settings(max_examples=50, deadline=None)
@given(st.text("abcd", max_size=15), st.lists(st.integers(1, 6), max_size=15))
def test_encoding_and_decoding(c2l, text, labels):
    codec = PytorchCodec(c2l)
    assert codec.encode(text).tolist() == reference.encode(text, c2l)
    symbols = [(label, 2 * k, 2 * k + 1, 0.5 ** (k % 5)) for k, label in enumerate(labels)]
    assert codec.decode(symbols) == reference.decode(symbols, c2l)
