"""Decoders of CTC outputs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kraken.lib.ctc_decoder import beam_decoder, beam_search, blank_threshold_decoder, greedy_decoder

LINE = np.array([[0.1, 0.2, 0.8, 0.3], [0.9, 0.7, 0.1, 0.3], [0.0, 0.1, 0.1, 0.4]], dtype=np.float32)
BATCH = np.stack([LINE, LINE[:, ::-1]])
DECODERS = [greedy_decoder, beam_decoder, blank_threshold_decoder, beam_search]
every = pytest.mark.parametrize("decode", DECODERS)


def labels(symbols):
    return [symbol[0] for symbol in symbols]


def test_greedy():
    assert greedy_decoder(LINE) == [[(1, 0, 1, float(np.float32(0.9))), (2, 3, 3, float(np.float32(0.4)))]]
    assert greedy_decoder(LINE, [1]) == [[(1, 0, 0, float(np.float32(0.9)))]]
    assert greedy_decoder(LINE[None]) == greedy_decoder(LINE)
    first = greedy_decoder(LINE)[0][0]
    assert [type(v) for v in first] == [int, int, int, float]


@every
def test_batches(decode):
    decoded = decode(BATCH, [4, 2]) if decode is not blank_threshold_decoder else decode(BATCH, 0.5, [4, 2])
    assert labels(decoded[0]) == [1, 2]
    assert len(decoded) == 2
    alone = decode(BATCH[1], [2]) if decode is not blank_threshold_decoder else decode(BATCH[1], 0.5, [2])
    assert decoded[1] == alone[0]


@every
def test_decoders_are_called_alike_by_inference(decode):
    """Lengths may be the second argument whatever it is called; without them one line is enough."""
    assert decode(BATCH, np.array([4, 4])) == decode(BATCH, seq_lens=(4, 4))
    assert decode(LINE[None], None) == decode(LINE[None], [4])
    torch = pytest.importorskip("torch")
    assert decode(torch.tensor(BATCH), torch.tensor([4, 4])) == decode(BATCH, [4, 4])
    assert decode(torch.tensor(LINE[None], requires_grad=True), torch.tensor([4])) == decode(LINE[None], [4])


def test_flat_results_of_the_old_signature():
    assert labels(beam_decoder(LINE)) == [1, 2]
    assert labels(beam_decoder(LINE, beam_size=1)) == [1, 2]
    assert labels(blank_threshold_decoder(LINE)) == [1, 2]
    assert beam_decoder(LINE, 3, [4]) == [beam_decoder(LINE)]


@every
def test_missing_and_wrong_lengths(decode):
    with pytest.raises(ValueError, match="seq_lens need to be set for batch decoding"):
        decode(BATCH)
    for lengths in ([1], [1, 2, 3], [4, -1]):
        with pytest.raises(ValueError, match="seq_lens"):
            decode(BATCH, seq_lens=lengths)
    assert decode(BATCH, seq_lens=[0, 0]) == [[], []]
    assert decode(BATCH, seq_lens=[99, 99]) == decode(BATCH, seq_lens=[4, 4])


@every
@pytest.mark.parametrize("shape", [(), (3,), (1, 1, 1, 1), (0, 4), (1, 0, 4)])
def test_wrong_shapes(decode, shape):
    with pytest.raises(ValueError, match="outputs"):
        decode(np.zeros(shape))


@every
def test_empty_input(decode):
    assert decode(np.zeros((0, 3, 4)), seq_lens=[]) == []
    assert decode(np.zeros((1, 3, 0))) == [[]]


@every
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "u1", ">f4"])
def test_dtypes_and_strides(decode, dtype):
    matrix = (np.eye(4) * 1)[:, [1, 1, 0, 2]].astype(dtype)[None]
    assert labels(decode(matrix)[0]) == [1, 2]
    padded = np.zeros((1, 4, 8), dtype)
    padded[:, :, ::2] = matrix
    assert decode(padded[:, :, ::2]) == decode(matrix)


def test_half_precision_tensors():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float16, torch.bfloat16):
        assert labels(greedy_decoder(torch.tensor(LINE, dtype=dtype))[0]) == [1, 2]


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -math.inf])
def test_senseless_values(value):
    matrix = np.full((1, 3, 5), value)
    assert beam_decoder(matrix) == [[]]
    assert beam_search(matrix, log_probs=False, nbest=3) == [[([], -math.inf)]]
    for decode in (greedy_decoder, blank_threshold_decoder):
        assert len(decode(matrix)) == 1


def test_greedy_nan_is_the_maximum():
    matrix = LINE.copy()
    matrix[2, 0] = math.nan
    (first, *_), *_ = greedy_decoder(matrix)
    assert first[0] == 2 and math.isnan(first[3])


@pytest.mark.parametrize(
    "options",
    [
        {"beam_size": 0},
        {"beam_size": -3},
        {"beam_size": 1.5},
        {"nbest": 0},
        {"top_k": 0},
        {"blank_prune": 0.0},
        {"blank_prune": 1.5},
        {"blank_prune": math.nan},
        {"num_threads": -1},
    ],
)
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        beam_search(LINE, **options)
    if "beam_size" in options:
        with pytest.raises(ValueError, match="beam_size"):
            beam_decoder(LINE, options["beam_size"])


def random_batch(lines=6, classes=20, width=40, scale=4.0):
    x = np.exp(np.random.default_rng(0).normal(size=(lines, classes, width)) * scale)
    return x / x.sum(1, keepdims=True)


def test_logarithms_and_threads_change_nothing():
    batch = random_batch()
    lengths = [40, 30, 20, 10, 1, 0]
    expected = beam_search(batch, lengths, nbest=4)
    for threads in (1, 2, 5):
        assert beam_search(batch, lengths, nbest=4, num_threads=threads) == expected
    logs = beam_search(np.log(batch), lengths, nbest=4)
    assert [[labels(s) for s, _ in line] for line in logs] == [
        [labels(s) for s, _ in line] for line in expected
    ]


def test_nbest_is_sorted_and_distinct():
    for line in beam_search(random_batch(scale=2.0), [40] * 6, nbest=8):
        scores = [score for _, score in line]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(labels(s)) for s, _ in line}) == len(line) == 8


def test_pruning_limits_what_is_tried():
    # Symbol 2 is never the most probable one of its column.
    matrix = np.array([[0.2, 0.2], [0.5, 0.5], [0.3, 0.3]])
    found = beam_search(matrix, nbest=50, beam_size=50, top_k=1, blank_prune=None)[0]
    assert {label for symbols, _ in found for label in labels(symbols)} == {1}
    quiet = np.array([[0.9995, 0.1], [0.0005, 0.9]])
    found = beam_search(quiet, nbest=50, beam_size=50)[0]
    assert [labels(s) for s, _ in found] == [[1], []]
    everything = beam_search(quiet, nbest=50, beam_size=50, blank_prune=None)[0]
    assert {tuple(labels(s)) for s, _ in everything} == {(), (1,)}


def test_spans_cover_repeated_symbols():
    matrix = np.array([[0.01, 0.01, 0.98, 0.01], [0.99, 0.99, 0.02, 0.99]])
    assert [s[:3] for s in beam_decoder(matrix)] == [(1, 0, 1), (1, 3, 3)]
