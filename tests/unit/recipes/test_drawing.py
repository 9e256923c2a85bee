import numpy as np
import pytest

from models.common import fonts, lines, targets
from models.common.pages import Page, PageWriter
from models.common.text import CHARSET, TextSource


@pytest.fixture
def source():
    return TextSource(np.random.default_rng(5))


def test_lines_of_text_fit_and_stay_in_the_alphabet(source):
    texts = [source.line(n) for n in (1, 2, 5, 20, 80) for _ in range(40)]
    assert all(t and t == " ".join(t.split()) and set(t) <= set(CHARSET) for t in texts)
    assert all(len(source.line(n)) <= n for n in (1, 2, 5, 20, 80) for _ in range(20))


def test_whole_alphabet_occurs(source):
    assert set("".join(source.line(80) for _ in range(1500))) == set(CHARSET)


def test_built_in_font_knows_what_it_lacks():
    face = fonts.faces()[0]
    assert face.name == fonts.BUILT_IN
    assert face.covers("Plain text, “quoted”…")
    assert not face.covers("—") and not face.covers("אב")


def test_line_pictures(source):
    built_in = fonts.faces()[:1]
    for _ in range(30):
        line = lines.draw_line(source, built_in, 30)
        pixels = np.asarray(line.image)
        # cut to its content, black outside the outline, paper inside
        assert pixels[0].any() and pixels[-1].any() and pixels[:, 0].any() and pixels[:, -1].any()
        assert pixels.max() > 150
        assert len(line.centres) == len(line.text)
        assert (np.diff(line.centres) > 0).all()
        x = lines.network_input(line.image, 40)
        assert x.shape[0] == 40 and x.dtype == np.float32
        assert x.min() == 0 and x.max() <= 1
        assert (x[:, :16] == 0).all() and (x[:, -16:] == 0).all()


def test_letter_middles_lie_on_letters():
    rng = np.random.default_rng(0)
    built_in = fonts.faces()[:1]
    hits = total = 0
    source = TextSource(rng)
    for _ in range(20):
        line = lines.draw_line(source, built_in, 30)
        pixels = np.asarray(line.image).astype(int)
        for char, x in zip(line.text, line.centres, strict=True):
            if char in "HMNmnwx":
                around = pixels[:, max(0, round(x) - 3) : round(x) + 4]
                total += 1
                hits += np.ptp(around[around > 0]) > 40
    assert total > 20 and hits / total > 0.95


def test_pages_hold_what_they_say(source):
    writer = PageWriter(source, fonts.faces()[:1], 600)
    pages = [writer.page() for _ in range(12)]
    assert sum(bool(page.lines) for page in pages) > 8
    for page in pages:
        assert page.image.height == 600 and page.image.mode == "L"
        assert bool(page.lines) == bool(page.regions)
        for (x0, _), (x1, _), text in page.lines:
            assert x1 > x0 and text


def test_targets_of_one_line():
    from PIL import Image

    page = Page(
        Image.new("L", (200, 100)),
        [((50, 60), (150, 60), "text")],
        [[(40, 40), (160, 40), (160, 70), (40, 70)]],
    )
    start, end, body, text = targets.draw_targets(page, line_width=6, overhang=0)
    ys, xs = np.nonzero(body)
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (50, 150, 57, 63)
    assert not (start & body).any() and not (end & body).any()
    assert np.nonzero(start)[1].max() <= 61 and np.nonzero(start)[1].min() == 44
    assert np.nonzero(end)[1].min() >= 139 and np.nonzero(end)[1].max() == 156
    assert text.sum() == 121 * 31


def test_lines_without_length_leave_no_mark():
    from PIL import Image

    page = Page(Image.new("L", (50, 50)), [((20, 20), (20.2, 20), "i")], [])
    assert not targets.draw_targets(page).any()
