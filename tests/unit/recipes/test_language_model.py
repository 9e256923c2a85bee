from pathlib import Path

import pytest

from models.common import language

pytest.importorskip("kraken.lib.codec", reason="loading a recognition model needs the codec")
from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.decoders import BeamDecoder
from kraken.lib.lm import NgramModel
from kraken.models import load_models

ASSETS = Path(__file__).resolve().parents[3] / "python" / "kraken" / "assets"


def test_a_language_model_lowers_the_error_rate():
    (model,) = load_models(ASSETS / "tiny_recognition.safetensors")
    text = language.training_text(8_000)
    found = language.samples(model.eval(), 50)
    assert not {sample.text for sample in found} & set(text)
    codec = model.codec
    greedy = language.error(found, greedy_decoder, codec)
    beam = language.error(found, BeamDecoder(32, NgramModel.train(text)).for_model(codec, 1), codec)
    assert greedy > 0.02, "the lines are too easy to show a difference"
    assert beam < 0.85 * greedy
