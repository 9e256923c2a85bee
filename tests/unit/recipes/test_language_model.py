import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "models"))

from latin_print import language_model

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


def test_the_default_language_model_is_made_of_drawn_and_training_lines(tmp_path):
    lines = list(language_model.drawn_lines(300, 3))
    assert lines == list(language_model.drawn_lines(300, 3)) != list(language_model.drawn_lines(300, 4))
    assert max(map(len, lines)) <= language_model.LONGEST
    assert any("ſ" in line for line in lines) and any("’" in line for line in lines)
    for name, text in (
        ("book", "ſeen व in training"),
        ("cu31924087948174", "for validation"),
        ("x", "dam�ge"),
    ):
        path = tmp_path / "lines" / "gt4histcomment" / name / "1.gt.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    assert [line for line in language_model.real_lines(tmp_path) if line] == ["ſeen  in training"]
