"""Mapping between text and labels."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kraken.lib.codec import PytorchCodec
from kraken.lib.exceptions import KrakenCodecException, KrakenEncodeException

MULTI = {"a": [1], "ab": [2, 3], "abc": [4], "ﬀ": [5, 5, 6]}


def test_construction():
    codec = PytorchCodec("cab")
    assert codec.c2l == {"a": [1], "b": [2], "c": [3]}
    assert codec.l2c == {(1,): "a", (2,): "b", (3,): "c"}
    assert codec.l2c_single == {1: "a", 2: "b", 3: "c"}
    assert PytorchCodec(["aa", "b", "a"]).c_sorted == ["aa", "a", "b"]
    assert (len(codec), codec.max_label, codec.is_valid, codec.strict) == (3, 3, True, False)
    assert repr(PytorchCodec("a")) == "PytorchCodec({'a': [1]})"
    empty = PytorchCodec("")
    assert (len(empty), empty.max_label, empty.is_valid) == (0, 0, True)


@pytest.mark.parametrize(
    "charset",
    [
        "aa",
        ["a", "a"],
        {"": [1]},
        ["", "b"],
        {"a": []},
        {"a": [0]},
        {"a": [-1]},
        {"a": [1.5]},
        {"a": 1},
        {"a": "x"},
    ],
)
def test_bad_charsets(charset):
    with pytest.raises(KrakenCodecException):
        PytorchCodec(charset)


@pytest.mark.parametrize(
    "charset", [{"a": [1], "b": [1]}, {"a": [1], "b": [1, 2]}, {"b": [1, 2, 3], "a": [1, 2]}]
)
def test_ambiguous_labels(charset):
    with pytest.raises(KrakenCodecException, match="non-singular/non-prefix free"):
        PytorchCodec(charset)


def test_many_codes():
    # A quadratic check of this many runs into the timeout.
    codes = {chr(0x4E00 + i): [1 + i // 200, 200 + i % 200] for i in range(20000)}
    assert len(PytorchCodec(codes)) == 20000
    with pytest.raises(KrakenCodecException):
        PytorchCodec({**codes, "x": [50]})


def test_encode():
    torch = pytest.importorskip("torch")
    labels = PytorchCodec(MULTI).encode("abcabaﬀ")
    assert labels.dtype == torch.int32
    assert labels.tolist() == [4, 2, 3, 1, 5, 5, 6]
    assert PytorchCodec(MULTI).encode("").shape == (0,)


def test_encode_of_unknown_text(caplog):
    pytest.importorskip("torch")
    with caplog.at_level(logging.WARNING):
        assert PytorchCodec(MULTI).encode("xa").tolist() == [1]
    assert "Non-encodable sequence xa... encountered. Advancing one code point." in caplog.text
    with pytest.raises(KrakenEncodeException, match=r"Non-encodable sequence xabcd\.\.\. encountered"):
        PytorchCodec(MULTI, strict=True).encode("xabcdefg")


def test_decode():
    codec = PytorchCodec(MULTI)
    labels = [(2, 0, 1, 0.5), (3, 2, 3, 1.0), (1, 4, 4, 0.25), (9, 5, 5, 0.1), (5, 6, 6, 0.3), (5, 7, 7, 0.6)]
    decoded = codec.decode([*labels, (6, 8, 9, 0.9)])
    assert [d[:3] for d in decoded] == [("a", 0, 3), ("b", 0, 3), ("a", 4, 4), ("ﬀ", 6, 9)]
    assert [d[3] for d in decoded] == pytest.approx([0.75, 0.75, 0.25, 0.6])
    assert codec.decode([]) == []
    assert codec.decode([(2, 0, 0, 1.0)]) == []
    with pytest.raises(KrakenEncodeException, match="Non-decodable"):
        PytorchCodec(MULTI, strict=True).decode(labels)
    assert codec.decode([(np.int64(1), 0.5, 1.5, 1.0)]) == [("a", 0.5, 1.5, 1.0)]


def test_merge():
    codec, removed = PytorchCodec("ab", strict=True).merge(PytorchCodec("acde"))
    assert (codec.c2l, removed) == ({"a": [1], "c": [2], "d": [3], "e": [4]}, {2})
    assert codec.strict
    shared = PytorchCodec({"a": [1, 2], "b": [2, 1], "c": [1, 3]})
    codec, removed = shared.merge(PytorchCodec({"c": [9], "x": [7, 5], "y": [5, 7]}))
    assert (codec.c2l, removed) == ({"c": [1, 2], "x": [4, 3], "y": [3, 4]}, {2})
    codec, removed = PytorchCodec("ab").merge(PytorchCodec(""))
    assert (codec.c2l, removed) == ({}, {1, 2})


def test_add_labels():
    codec = PytorchCodec("ab", strict=True)
    assert codec.add_labels("dc").c2l == {"a": [1], "b": [2], "c": [3], "d": [4]}
    assert codec.add_labels(["b", "b"]).c2l == {"a": [1], "b": [4]}
    assert codec.add_labels({"x": [7, 8]}).c2l == {"a": [1], "b": [2], "x": [7, 8]}
    assert codec.add_labels("c").strict
    assert codec.c2l == {"a": [1], "b": [2]}
    with pytest.raises(KrakenCodecException):
        codec.add_labels({"c": [1]})


def test_pickled_state():
    pytest.importorskip("torch")
    codec = PytorchCodec(MULTI, strict=True)
    codec.encode("ab")
    codec.decode([(2, 0, 0, 1.0), (3, 0, 0, 1.0)])
    state = codec.__getstate__()
    assert set(state) == {"c2l", "c_sorted", "l2c", "l2c_single", "strict"}
    again = pickle.loads(pickle.dumps(codec))
    assert again.__getstate__() == state
    assert again.encode("abc").tolist() == [4]
    restored = PytorchCodec.__new__(PytorchCodec)
    restored.__setstate__({**state, "future": 1})
    assert restored.c2l == codec.c2l and "future" not in vars(restored)


def test_weights_only_load(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"codec": PytorchCodec(MULTI)}, tmp_path / "x.ckpt")
    loaded = torch.load(tmp_path / "x.ckpt", weights_only=True)["codec"]
    assert loaded.c2l == MULTI and loaded.encode("ab").tolist() == [2, 3]


def test_import_loads_no_torch():
    code = "import sys, kraken.lib.codec as c; c.PytorchCodec('a').decode([]); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@given(st.lists(st.sampled_from("abä😀\ud800x"), min_size=600, max_size=700).map("".join), st.booleans())
def test_long_texts_get_the_same_labels(text: str, gap: bool) -> None:
    charset = {"a": [7], "ä": [2], "😀": [300], "\ud800": [5], "b": [1, 3] if gap else [9]}
    codec = PytorchCodec(charset)
    short = [
        label
        for part in (text[i : i + 100] for i in range(0, len(text), 100))
        for label in codec.encode(part)
    ]
    assert codec.encode(text).tolist() == short
    assert codec.encode(text).dtype == torch.int32
    strict = PytorchCodec(charset, strict=True)
    if "x" in text:
        with pytest.raises(KrakenEncodeException):
            strict.encode(text)
