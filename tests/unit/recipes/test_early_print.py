"""Founts of early print, Latin as it was spelt then, bad paper and bad machines."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "models"))

from common import corpus, fonts, latin, press
from latin_print import setting, sorts, strokes

FACE = fonts.faces()[0]
SIZE = 40


def fount(seed=0, **options):
    options = {"own": {"tall v"}, **options}
    return sorts.Fount(np.random.default_rng(seed), FACE, [FACE], None, SIZE, **options)


@given(st.text("abcdefilmnstuvſq\ue8bf\u0303", min_size=1, max_size=12), st.integers(0, 50))
def test_words_come_apart_without_loss(word, seed):
    units = fount(seed).units(word)
    assert "".join(units) == word
    assert all(unit[0] != "\u0303" for unit in units[1:])


def test_one_letter_is_one_sort_in_a_fount_and_another_in_the_next():
    here = fount()
    again = here.sort("n", first=False)
    assert here.sort("n", first=True) is again
    others = {fount(seed).sort("n", first=False).ink.tobytes() for seed in range(5)}
    assert len(others) == 5


def test_a_v_is_tall_at_the_beginning_of_words_only():
    x_height = -FACE.at(SIZE).getbbox("x", anchor="ls")[1]
    here = fount()
    tall, plain = (ink_rows(here.sort("v", first=first)) for first in (True, False))
    assert tall[0] < -1.1 * x_height and abs(tall[1]) <= 3  # from above the x to the baseline
    assert plain[0] > -1.2 * x_height
    assert ink_rows(fount(own=()).sort("v", first=True))[0] > -1.2 * x_height


def ink_rows(sort):
    """First and last row with ink, from the baseline downwards."""
    rows = np.nonzero(np.asarray(sort.ink).max(1) > 100)[0]
    return rows[0] + sort.top, rows[-1] + 1 + sort.top


@pytest.mark.parametrize(
    ("name", "top", "wide"),
    [("tall v", 1.6, 1.0), ("u", 1.0, 1.0), ("a", 1.0, 0.9), ("&", 1.45, 1.3), (".", 0.38, 0.35)],
)
def test_drawn_letters_have_the_height_of_their_kind(name, top, wide):
    inks = set()
    for seed in range(12):
        sort = strokes.drawn(name, np.random.default_rng(seed), 20.0)
        first, last = ink_rows(sort)
        assert 0.75 * top < -first / 20 < 1.35 * top
        assert -8 < last < 10
        assert 0.6 * wide < sort.advance / 20 < 1.7 * wide
        inks.add(sort.ink.tobytes())
    assert len(inks) == 12


def test_two_sorts_on_one_body_keep_their_places():
    square, dot = Image.new("L", (6, 10), 255), Image.new("L", (2, 3), 255)
    both = sorts._beside(sorts.Sort(square, 1.0, -10.0, 8.0), sorts.Sort(dot, 0.0, -3.0, 3.0), 1.0, 5.0)
    ink = np.asarray(both.ink)
    assert (both.left, both.top, both.advance) == (1.0, -10.0, 12.0)
    assert ink.shape == (15, 10) and (ink[:10, :6] == 255).all() and (ink[12:15, 8:] == 255).all()
    assert int((ink > 0).sum()) == 66


def test_letters_that_no_typeface_joins_touch(monkeypatch):
    monkeypatch.setattr(sorts, "_is_joined", lambda face, unit: False)
    spaces = set()
    for seed in range(10):
        here = fount(seed)
        pair, first, second = (here.sort(unit, first=False) for unit in ("us", "u", "s"))
        spaces.add(round((pair.advance - first.advance - second.advance) / SIZE, 3))
    assert len(spaces) > 5 and min(spaces) >= -0.091 and max(spaces) <= 0


def test_the_sign_for_que_is_put_together_in_many_ways():
    shapes = {fount(seed).sort(sorts.QUE, first=False).ink.size for seed in range(40)}
    assert len(shapes) > 10
    assert len({fount(seed)._que for seed in range(200)}) == len(sorts._QUE_FORMS)
    for seed in range(10):
        assert top_of_the_tail(seed, "q 3") > top_of_the_tail(seed, "q3") + 0.1 * SIZE


def top_of_the_tail(seed, form):
    """Where the ink at the right end of the sign for -que begins, from the baseline downwards."""
    here = fount(seed)
    here._que = form
    sort = here.sort(sorts.QUE, first=False)
    assert sort.advance > 1.15 * here.sort("q", first=False).advance  # there is a tail
    ink = np.asarray(sort.ink)
    right = np.nonzero(ink.max(0) > 100)[0][-1]
    return np.nonzero(ink[:, right - 4 : right + 1].max(1) > 100)[0][0] + sort.top


def test_titles_are_spaced_widely():
    widths = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        *_, width = setting.set_by_sorts(rng, "PICTA POESIS", fount(1), fount(2))
        widths.append(width)
    assert max(widths) > 1.5 * min(widths)


def test_a_sort_cut_anew_leans_about_its_baseline():
    ink = np.zeros((30, 12), np.uint8)
    ink[:, 5:7] = 255  # a stem from 20 above the baseline to 10 below
    stem = sorts.Sort(Image.fromarray(ink), 1.0, -20.0, 12.0)
    same = sorts._cut_anew(stem, 1.0, 0.0, 0.0)
    assert np.array_equal(np.asarray(same.ink)[:, 1:-1], ink)
    assert (same.left, same.top, same.advance) == (0.0, -20.0, 12.0)
    leaning = sorts._cut_anew(stem, 1.0, 0.2, 3.0)
    x = [
        leaning.left + (row * np.arange(row.size)).sum() / row.sum() for row in np.asarray(leaning.ink, float)
    ]
    above, on, below = x[0], x[20], x[29]
    assert above - on == pytest.approx(0.2 * 20, abs=0.3)
    assert below - on == pytest.approx(-0.2 * 9, abs=0.3)
    assert on == pytest.approx(6.5, abs=0.6)
    assert leaning.top == -17


def test_lines_of_sorts_know_where_their_characters_are():
    rng = np.random.default_rng(4)
    text = "PICTA fit ast, velut is"
    runs, middles, width = setting.set_by_sorts(rng, text, fount(own=()), fount(1))
    assert len(middles) == len(text) and (np.diff(middles) > 0).all() and middles[-1] < width
    assert "".join(run.text for run in runs) == text.replace(" ", "")
    assert all(run.sort is not None for run in runs)


def test_latin_as_printers_spelt_it():
    texts = [latin.early("armaque consilii quam rem atque", np.random.default_rng(i)) for i in range(60)]
    joined = " ".join(texts)
    assert "arma\ue8bf" in joined and "conſilij" not in joined and "consilij" in joined
    assert "quàm" in joined and "quam" in joined
    assert all(re.fullmatch(r"[a-zàè\ue8bf ]+", text) for text in texts)


def test_phrases_are_latin_alone():
    entry = {"senses": [{"quote": "aquila velut dux viae praevolavit,"}, {"quote": "the city of Rome,"}]}
    entry["more"] = [{"quote": "petere,"}, {"quote": "Ἀθῆναι in Graecia est"}, {"quote": None}]
    assert list(latin._clean(latin._quotes({"n1": entry}))) == ["aquila velut dux viae praevolavit"]


def test_dim_scans_have_dark_paper_and_keep_their_order():
    ramp = np.tile(np.linspace(0, 255, 256, dtype=np.uint8), (64, 1))
    for seed in range(20):
        dim = press.dimmed(ramp, np.random.default_rng(seed))
        columns = dim.mean(0)
        assert dim.min() >= 1 and 95 < columns[-1] < 212
        assert 0.2 < (columns[-1] - columns[0]) / columns[-1] < 0.85
        assert np.corrcoef(columns, np.arange(256))[0, 1] > 0.99


def test_faded_types_lose_ink_in_places():
    full = np.ones((60, 400), np.float32)
    for seed in range(20):
        left = press.faded(full, np.random.default_rng(seed), 40)
        assert left.dtype == np.float32 and left.min() >= 0 and (left == 1).mean() > 0.5
        assert left.min() < 0.65


def test_clogged_types_lose_their_counters_only():
    ring = np.zeros((40, 40), np.float32)
    ring[15:25, 15:25] = 1
    ring[20, 20] = 0
    filled = press.clogged(ring, np.random.default_rng(3), 40)
    assert filled[20, 20] > 0.1
    outside = np.ones_like(ring, bool)
    outside[15:25, 15:25] = False
    assert (filled[outside] == 0).all() and (filled[ring == 1] == 1).all()


def test_words_get_a_que_that_the_dictionary_lacks():
    texts = [latin.early("animus secundis rectus neque", np.random.default_rng(i)) for i in range(400)]
    joined = " ".join(texts)
    assert "animusque" in joined and "animus\ue8bf" in joined
    assert "queque" not in joined and "que\ue8bf" not in joined
    assert 0.02 < len(re.findall("rectus(que|\ue8bf)", joined)) / 400 < 0.07


def test_half_of_the_jumbled_lines_are_without_greek():
    letters = "".join(c for c in map(chr, range(0x41, 0x3CA)) if c.isalpha())
    made = corpus.Corpus.__new__(corpus.Corpus)
    made.rng, made.alphabet = np.random.default_rng(0), set(letters)
    lines = [made._jumble(40) for _ in range(300)]
    greek = [any(map(corpus.is_greek, line)) for line in lines]
    assert 0.3 < np.mean(greek) < 0.55
    assert not any(map(corpus.is_greek, "Azſœ ,Ж")) and all(map(corpus.is_greek, "ΑωᾦΐϛΏ"))


def test_lines_do_not_depend_on_lines_before(monkeypatch):
    monkeypatch.setattr(corpus, "phrases", lambda: ["arma virumque cano Troiae", "quo usque tandem abutere"])
    monkeypatch.setattr(corpus, "_words", lambda code: (["word", "other"], np.array([0.5, 1.0])))
    letters = "abcdefghijklmnopqrstuvwxyzſæœàèòùẽãõũ&ATVQ ,."
    used = corpus.Corpus(np.random.default_rng(0), letters)
    for seed in range(40):
        used.line(40, early=True)
        used.rng = np.random.default_rng(seed)
        fresh = corpus.Corpus(np.random.default_rng(seed), letters)
        assert fresh.line(40, early=True) == used.line(40, early=True)


def test_a_word_in_capitals_that_the_roman_lacks_is_set_from_the_fount(monkeypatch):
    capitals = fount(1)
    monkeypatch.setattr(type(capitals), "sort", lambda self, unit, first: made.append(self) or Sort())
    made = []
    runs, *_ = setting.set_by_sorts(np.random.default_rng(2), "АБВГ abc", fount(2), capitals)
    assert len(runs) == 7 and capitals not in made


class Sort(sorts.Sort):
    """A sort without ink."""

    def __init__(self):
        super().__init__(Image.new("L", (1, 1)), 0, 0, 5.0)
