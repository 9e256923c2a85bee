import numpy as np

from examples import draw_page


def test_same_page_every_time():
    first, second = draw_page.draw_page(), draw_page.draw_page()
    assert first.mode == "L" and first.size == draw_page.SIZE
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != draw_page.draw_page(seed=1).tobytes()


def test_one_row_of_ink_per_line_inside_the_margins():
    grey = np.asarray(draw_page.draw_page())
    dark = grey < 120
    rows = dark.any(axis=1).astype(int)
    assert (np.diff(rows) == 1).sum() == len(draw_page.LINES)
    columns = np.flatnonzero(dark.any(axis=0))
    assert columns[0] >= draw_page.MARGIN - 5
    assert columns[-1] < draw_page.SIZE[0] - 40


def test_paper_is_off_white_and_noisy():
    corner = np.asarray(draw_page.draw_page())[:80, :80]
    assert 230 < corner.mean() < 250
    assert 1 < corner.std() < 6


def test_every_letter_has_a_glyph():
    from models.common.fonts import faces

    assert faces()[0].covers("".join(draw_page.LINES))


def test_program_writes_picture_and_text(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["draw_page.py", str(tmp_path / "page.png")])
    draw_page.main()
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert (tmp_path / "page.txt").read_text("utf-8").splitlines() == list(draw_page.LINES)
