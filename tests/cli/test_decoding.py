"""Language models: from text by ``ketos lmtrain`` to ``kraken ocr --lm``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from kraken.ketos.lmtrain import lmtrain
from kraken.lib.lm import NgramModel

Run = Callable[..., Result]

ALTO = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><sourceImageInformation>
<fileName>x.png</fileName></sourceImageInformation></Description><Layout><Page WIDTH="9" HEIGHT="9" ID="p"
PHYSICAL_IMG_NR="1"><PrintSpace><TextBlock ID="b"><TextLine ID="l" BASELINE="0 5 9 5"
HPOS="0" VPOS="0" WIDTH="9" HEIGHT="9"><Shape><Polygon POINTS="0 0 9 0 9 9 0 9"/></Shape>
<String CONTENT="xyz" HPOS="0" VPOS="0" WIDTH="9" HEIGHT="9"/></TextLine></TextBlock></PrintSpace></Page>
</Layout></alto>
"""


def train(*args: object) -> Result:
    return CliRunner().invoke(lmtrain, [str(arg) for arg in args])


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("a cab\n\n bac\tc \r\ncafe\u0301\n", encoding="utf-8-sig")
    return path


def test_training_on_text_and_xml(text: Path, tmp_path: Path) -> None:
    (tmp_path / "page.xml").write_text(ALTO)
    out = tmp_path / "m.arpa"
    result = train(text, tmp_path / "page.xml", "-o", out, "--order", 3, "-u", "NFC")
    assert result.exit_code == 0, result.output
    model = NgramModel.load(out)
    assert model.order == 3
    assert model.characters == " abcfxyzé"
    assert "in 4 lines" in result.output
    assert train(text, "-o", out, "--order", 3, "--prune", "0,0,9").exit_code == 0
    assert NgramModel.load(out).counts[2] == 0


def test_options_of_training_have_effects(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.arpa"
    train(text, "-o", out, "-N")
    assert "\t" in NgramModel.load(out).characters
    assert "e\u0301" not in NgramModel.load(out).characters
    hebrew = tmp_path / "hebrew.txt"
    hebrew.write_text("אבג\n", encoding="utf-8")
    scores = {}
    for flag in ("--reorder", "--no-reorder"):
        assert train(hebrew, "-o", out, flag).exit_code == 0
        scores[flag] = sum(NgramModel.load(out).log_probabilities("גבא"))
    assert scores["--reorder"] > scores["--no-reorder"]
    mixed = tmp_path / "mixed.txt"
    mixed.write_text("ab אב\n", encoding="utf-8")
    train(mixed, "-o", out, "--base-dir", "R")
    assert NgramModel.load(out).perplexity(["בא ab"]) < NgramModel.load(out).perplexity(["ab בא"])


def test_training_on_nothing_useful(text: Path, tmp_path: Path) -> None:
    empty, binary, broken = (tmp_path / name for name in ("empty.txt", "binary", "broken.xml"))
    empty.write_text("\n \n")
    binary.write_bytes(b"\xff\xfe\x00")
    broken.write_text("<?xml version='1.0'?><alto>")
    for source, words in ((empty, "No text"), (binary, "binary"), (broken, "broken.xml")):
        result = train(source, "-o", tmp_path / "m.arpa")
        assert result.exit_code == 2 and words in result.output
        assert len(result.output.splitlines()) == 1
    for prune in ("1", "0,2,1", "x", "0,0,0,0,0,0"):
        assert train(text, "-o", tmp_path / "m.arpa", "--prune", prune).exit_code == 2
    assert not (tmp_path / "m.arpa").exists()
    assert train(text, "-o", tmp_path / "nowhere" / "m.arpa").exit_code == 2


@pytest.fixture
def reader(run: Run, text_model: Path, tmp_path: Path) -> Callable[..., Result]:
    """Runs ``kraken ocr`` with options on a page of one line."""
    image = Image.linear_gradient("L").resize((120, 20))
    image.save(tmp_path / "line.png")

    def read(*options: object) -> Result:
        out = tmp_path / "out.txt"
        return run("-i", tmp_path / "line.png", out, "ocr", "-s", "-m", text_model, *options)

    return read


def test_decoders_of_the_command(reader: Callable[..., Result], text: Path, tmp_path: Path) -> None:
    lm, words = tmp_path / "m.arpa", tmp_path / "words.txt"
    train(text, "-o", lm)
    words.write_text("cab\n")
    outputs = {}
    for options in (
        (),
        ("--decoder", "greedy"),
        ("--decoder", "beam"),
        ("--decoder", "threshold"),
        ("--lm-bonus", "9"),
        ("--lm", lm, "--lm-weight", "2", "--lm-bonus", "30", "--beam-size", "4"),
        ("--lexicon", words, "--lexicon-penalty", "inf", "--lm-bonus", "5"),
    ):
        result = reader(*options)
        assert result.exit_code == 0, result.stderr
        outputs[options] = (tmp_path / "out.txt").read_text("utf-8").strip()
    texts = list(outputs.values())
    assert texts[0] == texts[1]
    assert len(texts[4]) > len(texts[2]), "a reward for characters makes the text longer"
    assert len(texts[5]) > len(texts[2])
    assert set(texts[6].lower().split()) <= {"cab"}


def test_decoders_that_make_no_sense(reader: Callable[..., Result], text: Path, tmp_path: Path) -> None:
    lm = tmp_path / "m.arpa"
    train(text, "-o", lm)
    for options, words in (
        (("--decoder", "greedy", "--lm", lm), "--lm: only for"),
        (("--decoder", "threshold", "--beam-size", 3), "--beam-size: only for"),
        (("--lm-weight", 1), "--lm-weight has no effect without --lm"),
        (("--lexicon-penalty", 1), "--lexicon-penalty has no effect without --lexicon"),
        (("--lm", text), "line 4: the file ends"),
        (("--lm", tmp_path / "none.arpa"), "does not exist"),
        (("--beam-size", 0), "--beam-size"),
    ):
        result = reader(*options)
        assert result.exit_code == 2 and words in result.stderr, result.stderr
