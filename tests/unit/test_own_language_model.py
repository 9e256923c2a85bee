"""The language model that comes with the default recognition model."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from kraken._cli.decoding import take_decoder
from kraken.configs import RecognitionInferenceConfig
from kraken.containers import BaselineLine, Segmentation
from kraken.lib.ctc_decoder import greedy_decoder
from kraken.lib.dataset.metrics import edit_distance
from kraken.lib.decoders import BeamDecoder, language_decoder
from kraken.lib.lm import NgramModel
from kraken.lib.vgsl.recognition_inference import LineReader
from kraken.models import load_models
from kraken.models.bundled import bundled_models, language_model_of
from kraken.tasks import RecognitionTaskModel
from models.common.fonts import faces

ANY = Segmentation(
    type="baselines",
    imagename=None,
    text_direction="horizontal-lr",
    script_detection=False,
    lines=[],
    regions={},
    line_orders=[],
)
NOTHING = {
    "decoder": None, "beam_size": None, "lm": None, "lm_weight": None, "lm_bonus": None, "lexicon": None,
    "lexicon_penalty": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def task() -> RecognitionTaskModel:
    return RecognitionTaskModel.load_model()


def decoder(task: RecognitionTaskModel, **options: object) -> object:
    config = RecognitionInferenceConfig(**options)
    task.net.prepare_for_inference(config)
    return LineReader(task.net, Image.new("L", (9, 9)), ANY).decoder


def test_model_and_language_model_fit_in_eight_megabytes(task: RecognitionTaskModel) -> None:
    model = bundled_models("recognition")[0]
    assert model.language_model is not None and task.net.language_model == model.language_model
    assert model.path.stat().st_size + model.language_model.stat().st_size <= 8_000_000
    known = set(NgramModel.load(model.language_model).characters)
    assert known <= set(task.net.codec.c2l)
    assert set("abcxyzABCſæ&.,’ 019äéß") <= known


def test_it_is_used_unless_something_else_is_asked_for(task: RecognitionTaskModel) -> None:
    used = decoder(task)
    assert isinstance(used, BeamDecoder)
    assert used.lm is language_decoder(task.net.language_model).lm  # read once
    assert decoder(task, use_language_model=False) is greedy_decoder
    assert decoder(task, decoder=greedy_decoder) is greedy_decoder
    assert decoder(task, decoder="greedy") is greedy_decoder
    assert decoder(task, decoder="beam").lm is None
    assert decoder(task, decoder=greedy_decoder, use_language_model=True).lm is used.lm
    config = RecognitionInferenceConfig()
    config.decoder = BeamDecoder()
    task.net.prepare_for_inference(config)
    assert LineReader(task.net, Image.new("L", (9, 9)), ANY).decoder.lm is None


def test_configurations_keep_what_was_asked_for() -> None:
    assert "use_language_model" not in vars(RecognitionInferenceConfig())
    for options in ({}, {"decoder": greedy_decoder}, {"use_language_model": False}):
        config = RecognitionInferenceConfig(**options)
        assert config.use_language_model is (not options)
        assert pickle.loads(pickle.dumps(config)).use_language_model is config.use_language_model


def test_other_models_and_copies_have_none(tmp_path: Path) -> None:
    tiny = next(model for model in bundled_models("recognition") if model.stem == "tiny_recognition")
    assert tiny.language_model is None and language_model_of(tiny.path) is None
    default = bundled_models("recognition")[0]
    roundabout = default.path.parent / ".." / "assets" / default.path.name
    assert language_model_of(roundabout) == default.language_model is not None
    (copy,) = load_models(tiny.path)
    assert copy.language_model is None
    path = tmp_path / "latin_print.safetensors"
    path.write_bytes(bundled_models("recognition")[0].path.read_bytes())
    (copy,) = load_models(path)
    assert copy.language_model is None


def test_commands_leave_the_choice_to_the_model() -> None:
    assert take_decoder(dict(NOTHING)) == {}
    assert take_decoder({**NOTHING, "decoder": "greedy"}) == {"decoder": greedy_decoder}
    assert isinstance(take_decoder({**NOTHING, "beam_size": 3})["decoder"], BeamDecoder)


def test_it_reads_blurred_words_better(task: RecognitionTaskModel) -> None:
    truth = "Gallia est omnis divisa in partes tres, quarum unam incolunt Belgae"
    font = faces()[0].at(30)
    wrong = {True: 0, False: 0}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        page = Image.new("L", (1200, 90), 235)
        ImageDraw.Draw(page).text((20, 55), truth, fill=40, font=font, anchor="ls")
        page = page.filter(ImageFilter.GaussianBlur(2.6))
        page = Image.fromarray(
            np.clip(np.asarray(page) + rng.normal(0, 25, page.size[::-1]), 0, 255).astype(np.uint8)
        )
        x1 = 20 + round(font.getlength(truth))
        line = BaselineLine(
            id="l", baseline=[(20, 55), (x1, 55)], boundary=[(10, 20), (x1 + 10, 20), (x1 + 10, 72), (10, 72)]
        )
        for use in wrong:
            config = RecognitionInferenceConfig(use_language_model=use)
            (record,) = task.predict(page, replace(ANY, lines=[line]), config)
            wrong[use] += edit_distance(truth, record.prediction)
    assert wrong[False] > 12, "the lines are too easy to show a difference"
    assert wrong[True] < 0.9 * wrong[False]
