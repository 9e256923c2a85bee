"""Language models, word lists, and the decoders that use them."""

from __future__ import annotations

import copy
import gzip
import math
import pickle

import numpy as np
import pytest

from kraken.configs import RecognitionInferenceConfig
from kraken.lib.codec import PytorchCodec
from kraken.lib.ctc_decoder import beam_search, blank_threshold_decoder, greedy_decoder
from kraken.lib.decoders import BeamDecoder, ThresholdDecoder, resolve_decoder
from kraken.lib.lm import Lexicon, NgramModel

TEXT = ["the cat sat on the mat", "the hat", "a cat", "that’s the rat | the bat ▁"]
CODEC = PytorchCodec("abcdehmnorst ’|")


@pytest.fixture(scope="module")
def model():
    return NgramModel.train(TEXT, 4)


def write(path, ngrams):
    path.write_text(f"\\data\\\nngram 1={len(ngrams)}\n\\1-grams:\n" + "\n".join(ngrams) + "\n\\end\\\n")
    return path


def test_models_survive_files_and_pickling(model, tmp_path):
    path = tmp_path / "m.arpa"
    model.save(path)
    compressed = tmp_path / "m.arpa.gz"
    compressed.write_bytes(gzip.compress(path.read_bytes()))
    for other in (NgramModel.load(path), NgramModel.load(compressed), pickle.loads(pickle.dumps(model))):
        assert (other.order, other.counts, other.characters) == (4, model.counts, model.characters)
        assert other.log_probabilities("the cats") == model.log_probabilities("the cats")
    assert "<space>" in path.read_text("utf-8") and "\t| <space>" in path.read_text("utf-8")


@pytest.mark.parametrize("text", ["a|b", "a▁b", "▁|", "|", "a b|", "\t\u3000", "<s>"])
def test_signs_for_the_blank_stay_signs_in_own_files(text):
    model = NgramModel.train([text], 2)
    other = pickle.loads(pickle.dumps(model))
    assert other.characters == model.characters == "".join(sorted(set(text)))
    assert other.log_probabilities(text) == model.log_probabilities(text)


def test_models_prefer_what_they_have_seen(model):
    assert model.perplexity(["the cat"]) < 3 < 8 < model.perplexity(["ehtctas"])
    assert set(model.characters) == set("".join(TEXT))
    assert model.perplexity(["日本"]) < math.inf
    with pytest.raises(ValueError, match="lines"):
        model.perplexity([])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 0}, "order"),
        ({"order": -1}, "order"),
        ({"order": 99}, "order"),
        ({"prune": [1]}, "prune"),
        ({"prune": [0, 2, 1]}, "prune"),
        ({"prune": [0, -1]}, "prune"),
        ({"prune": [0] * 6}, "prune"),
        ({"lines": []}, "text is empty"),
        ({"lines": ["", ""]}, "text is empty"),
        ({"lines": ["\ud800"]}, "surrogates"),
    ],
)
def test_estimation_of_nonsense(options, message):
    with pytest.raises(ValueError, match=message):
        NgramModel.train(**{"lines": TEXT, **options})


def test_pruning_drops_rare_sequences(model):
    pruned = NgramModel.train(TEXT, 4, [0, 0, 1])
    assert pruned.counts[:2] == model.counts[:2]
    assert all(a < b for a, b in zip(pruned.counts[2:], model.counts[2:], strict=True))


@pytest.mark.parametrize("sign", ["<space>", "▁", "|"])
def test_blanks_of_other_programs(sign, tmp_path):
    found = NgramModel.load(write(tmp_path / "m.arpa", [f"-1\t{sign}", "-0.5\ta"]))
    assert found.characters == " a"
    assert found.log_probabilities(" ", False, False)[0] == pytest.approx(-math.log(10))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file ends"),
        (b"\\data\\\nngram 1=1\n\\1-grams:\n-1\tthe\n\\end\\\n", "line 4: the token 'the'"),
        (b"\\data\\\nngram 1=1\n\\1-grams:\n-1\t\xff\n\\end\\\n", "line 4: the text isn't UTF-8"),
        (b"\\data\\\nngram 1=2\n\\1-grams:\n-1\ta\n\\end\\\n", "line 5"),
        (b"\\data\\\nngram 1=1\n\\1-grams:\n-1\ta\n", "line 4: the file ends"),
        (b"\x1f\x8b\x08", "can't be read"),
        (b"\x1f\x8b\x08" + 7 * b"\0" + 20 * b"\xff", "can't be read as ARPA file"),
        (b"\x00" * 1000, "the file ends"),
    ],
)
def test_damaged_files_are_named_with_the_line(content, message, tmp_path):
    path = tmp_path / "bad.arpa"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.arpa") as error:
        NgramModel.load(path)
    assert message in str(error.value)


def test_cut_off_and_altered_files_never_crash(model):
    data = model.kernel.write()
    rng = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(data[: rng.integers(len(data))] if rng.random() < 0.3 else data)
        for place in rng.integers(0, max(1, len(damaged)), size=3):
            if damaged:
                damaged[place] = rng.integers(256)
        try:
            found = type(model.kernel).read(bytes(damaged))
        except ValueError as error:
            assert "language model, line" in str(error)
        else:
            found.score("the cat", True, True)


def test_lexicons(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("the\nCat that’s\n", encoding="utf-8-sig")
    words = Lexicon.load(path)
    assert len(words) == 7  # the The THE, Cat, that’s That’s THAT’S
    assert len(pickle.loads(pickle.dumps(words))) == 7
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="UTF-8"):
        Lexicon.load(path)
    path.write_text("12 34")
    with pytest.raises(ValueError, match="no words"):
        Lexicon.load(path)


def blurred(text, codec, also=0.45):
    """Output where every second column is a symbol, which is about as probable as the next one."""
    matrix = np.full((codec.max_label + 1, 2 * len(text)), 1e-4)
    matrix[0, 1::2] = 1
    for t, c in enumerate(text):
        label = codec.c2l[c][0]
        matrix[label, 2 * t] = 1 - also
        matrix[label % codec.max_label + 1, 2 * t] += also
    return matrix / matrix.sum(0)


def read(decoder, matrix):
    return "".join(c for c, *_ in CODEC.decode(decoder(matrix)[0]))


def test_context_decides_between_similar_letters(model):
    truth = "the cat sat on the mat"
    matrix = blurred(truth, CODEC, also=0.51)  # every letter loses by a hair
    with_model = BeamDecoder(16, model).for_model(CODEC, 1)
    plain = read(greedy_decoder, matrix)
    assert not set(zip(plain, truth, strict=True)) & {(c, c) for c in truth}
    assert read(with_model, matrix) == truth
    assert read(pickle.loads(pickle.dumps(with_model)), matrix) == truth
    assert read(copy.deepcopy(with_model), matrix) == truth
    assert read(BeamDecoder(16, model, alpha=0.0, beta=0.0).for_model(CODEC, 1), matrix) == plain


def test_word_lists_decide_between_words():
    matrix = blurred("cat", CODEC, also=0.501)
    assert read(greedy_decoder, matrix) != "cat"
    words = Lexicon(["cat"])
    assert read(BeamDecoder(32, lexicon=words).for_model(CODEC, 1), matrix) == "cat"
    only = BeamDecoder(32, lexicon=words, unknown_word=math.inf).for_model(CODEC, 1)
    assert read(only, blurred("mat", CODEC)) in ("cat", "")


def test_words_right_to_left_are_read_in_display_order():
    codec = PytorchCodec("אבג")
    kernel = BeamDecoder(lexicon=Lexicon(["אבג"])).for_model(codec, 1)._prepared
    assert kernel.score([3, 2, 1]) == 0 > kernel.score([1, 2, 3])


def test_decoders_by_name():
    matrix = blurred("the cat", CODEC)[None]
    assert RecognitionInferenceConfig().decoder is greedy_decoder
    assert resolve_decoder("greedy") is greedy_decoder
    assert resolve_decoder(greedy_decoder, CODEC) is greedy_decoder
    assert resolve_decoder("beam", CODEC)(matrix, [14]) == beam_search(matrix, [14])
    found = resolve_decoder(("beam", {"beam_size": 2, "beta": 3.0}), CODEC, 2)
    assert found(matrix, [14]) == beam_search(matrix, [14], beam_size=2, beta=3.0, codec=CODEC)
    assert (found.beam_size, found.num_threads) == (2, 2)
    by_threshold = resolve_decoder(("threshold", {"threshold": 0.7}))(matrix, [14])
    assert by_threshold == blank_threshold_decoder(matrix, 0.7, [14]) == ThresholdDecoder(0.7)(matrix)
    for wrong in ("best", ("beam", {"size": 3}), ("beam",), 7, ("greedy", {"beam_size": 1})):
        with pytest.raises(ValueError, match="decoder"):
            resolve_decoder(wrong)


@pytest.mark.parametrize("name", ["alpha", "beta", "unknown_word"])
@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_weights_out_of_range(name, value, model):
    with pytest.raises(ValueError, match=name):
        beam_search(np.ones((16, 3)), lm=model, codec=CODEC, **{name: value})


def test_text_needs_a_codec(model):
    for options in ({"lm": model}, {"beta": 1.0}, {"lexicon": Lexicon(["a"])}):
        with pytest.raises(ValueError, match="codec"):
            beam_search(np.ones((16, 3)), **options)
    # Codecs may know more or fewer labels than the network has.
    for size in (1, 5, 40):
        assert len(beam_search(np.ones((size, 3)), lm=model, codec=CODEC)) == 1


def test_models_and_lists_of_other_kinds_are_named():
    with pytest.raises(TypeError, match="lm is a str"):
        beam_search(np.ones((16, 3)), lm="model.arpa", codec=CODEC)
    with pytest.raises(TypeError, match="lexicon is a list"):
        beam_search(np.ones((16, 3)), lexicon=["word"], codec=CODEC)


def test_improbable_labels_may_be_left_out():
    matrix = np.array([[0.2, 0.2], [0.5, 0.5], [0.3, 0.3]])
    found = beam_search(matrix, nbest=50, beam_size=50, min_probability=0.4, blank_prune=None)[0]
    assert {label for symbols, _ in found for label, *_ in symbols} == {1}
    with pytest.raises(ValueError, match="min_probability"):
        beam_search(matrix, min_probability=0.0)


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_senseless_outputs(value, model):
    matrix = np.full((1, 16, 5), value)
    assert beam_search(matrix, lm=model, codec=CODEC, log_probs=False, nbest=2)[0][0][0] == []
    assert beam_search(np.zeros((1, 16, 0)), lm=model, codec=CODEC) == [[]]


def test_packed_models_are_small_and_rounded(model, tmp_path):
    path = tmp_path / "m.ngrams"
    model.save(path)
    other = NgramModel.load(path)
    assert (other.order, other.counts, other.characters) == (4, model.counts, model.characters)
    assert other.log_probabilities("the cats") == pytest.approx(model.log_probabilities("the cats"), abs=0.5)
    assert other.perplexity(TEXT) == pytest.approx(model.perplexity(TEXT), rel=0.1)
    other.save(tmp_path / "again.ngrams")
    assert (tmp_path / "again.ngrams").read_bytes() == path.read_bytes()
    model.save(tmp_path / "m.arpa")
    assert path.stat().st_size < 0.25 * (tmp_path / "m.arpa").stat().st_size


@pytest.mark.parametrize("damage", [lambda d: d[:-5], lambda d: d[:20], lambda d: d[:40] + b"xyz" + d[43:]])
def test_damaged_packed_models_are_errors(model, tmp_path, damage):
    path = tmp_path / "m.ngrams"
    model.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"m.ngrams can't be read as packed language model"):
        NgramModel.load(path)
