"""Codec, decoders and bidirectional text against recorded behaviour."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from kraken.lib import bidi, ctc_decoder
from kraken.lib.codec import PytorchCodec
from tests.conftest import golden_json, shared_path


def arrays(name):
    with np.load(shared_path("golden", "models", name)) as data:
        return dict(data)


def test_bidi():
    data = golden_json("geometry", "bidi.json")
    assert data["unicode"] == bidi.UCD_VERSION
    assert data["maps"]
    for case in data["maps"]:
        expected = (case["display"], case["order"])
        assert bidi.get_display_map(case["text"], case["base_dir"]) == expected, case
        assert bidi.get_display(case["text"], case["base_dir"]) == case["display"]
    for code_point, name in data["classes"]:
        assert bidi.bidi_class(code_point) == name, hex(code_point)


@pytest.mark.parametrize("tensor", [False, True])
def test_greedy_decoder(tensor):
    outputs = arrays("greedy.npz")
    torch = pytest.importorskip("torch")
    for case in golden_json("models", "greedy.json"):
        matrix = outputs[case["id"]]
        lengths = case["lens"]
        if tensor:
            matrix = torch.from_numpy(matrix)
            lengths = None if lengths is None else torch.tensor(lengths)
        decoded = ctc_decoder.greedy_decoder(matrix, lengths)
        assert [[list(symbol) for symbol in line] for line in decoded] == case["out"], case["id"]


def test_beam_decoders():
    outputs = arrays("beam.npz")
    for case in golden_json("models", "beam.json")["beam"]:
        matrix = outputs[case["id"]]
        labels = [symbol[0] for symbol in ctc_decoder.beam_decoder(matrix, 2000)]
        assert labels == case["best"], case["id"]
        found = ctc_decoder.beam_search(matrix, beam_size=2000, nbest=5, blank_prune=None)[0]
        assert len(found) == len(case["nbest"])
        for (symbols, score), (expected, probability) in zip(found, case["nbest"], strict=True):
            assert math.exp(score) == pytest.approx(probability, abs=1e-6)
            if probability - min(p for _, p in case["nbest"]) > 1e-4 and expected == case["best"]:
                assert [symbol[0] for symbol in symbols] == expected
        # A wider beam never loses probability.
        scores = [
            ctc_decoder.beam_search(matrix, beam_size=size, nbest=2, blank_prune=None)[0][0][1]
            for size in (1, 4, 64, 2000)
        ]
        assert scores[-1] >= max(scores) - 1e-6


def test_blank_threshold_decoder():
    outputs = arrays("beam.npz")
    for case in golden_json("models", "beam.json")["blank_threshold"]:
        decoded = ctc_decoder.blank_threshold_decoder(outputs[case["id"]], case["threshold"])
        assert [s[:3] for s in decoded] == [tuple(s[:3]) for s in case["out"]], case["id"]
        assert [s[3] for s in decoded] == pytest.approx([s[3] for s in case["out"]], abs=1e-6)


def run_codec(case):
    codec = PytorchCodec(case["charset"], case["strict"])
    match case["kind"]:
        case "info":
            info = {"c2l": codec.c2l, "len": len(codec), "max_label": codec.max_label}
            return {**info, "is_valid": codec.is_valid}
        case "encode":
            return codec.encode(case["text"]).tolist()
        case "decode":
            return [list(symbol) for symbol in codec.decode([tuple(s) for s in case["labels"]])]
        case "merge":
            merged, removed = codec.merge(PytorchCodec(case["other"]))
            return {"c2l": merged.c2l, "removed": sorted(removed), "strict": merged.strict}
        case "add":
            return codec.add_labels(case["add"]).c2l
    raise AssertionError(case["kind"])


def test_codec():
    pytest.importorskip("torch")
    for case in golden_json("models", "codec.json"):
        if "error" in case:
            with pytest.raises(Exception) as error:
                run_codec(case)
            assert type(error.value).__name__ == case["error"], case
            continue
        result = run_codec(case)
        if case["kind"] == "decode":
            assert [s[:3] for s in result] == [s[:3] for s in case["out"]]
            assert [s[3] for s in result] == pytest.approx([s[3] for s in case["out"]], abs=1e-9)
        else:
            # Dumped, because the order of entries counts.
            assert json.dumps(result) == json.dumps(case["out"]), case
