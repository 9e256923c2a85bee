"""Scores of baselines against annotated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kraken.lib.baseline_score import BaselineScore, interline_distances, mean_score, score_baselines
from models.common import layout

LINES = [[(0, 100 * i), (1000, 100 * i)] for i in range(1, 6)]


def moved(y: float) -> list[list[tuple[float, float]]]:
    return [[(a, b + y) for a, b in line] for line in LINES]


def halves(lines: list[list[tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    return [half for a, b in lines for half in ([a, (500, a[1])], [(500, a[1]), b])]


def test_distances_to_the_lines_above_and_below() -> None:
    assert interline_distances(LINES, 7).tolist() == pytest.approx([100] * 5)
    # neighbours in the same row don't count, nor does it matter how a page is turned
    assert interline_distances(halves(LINES), 7).tolist() == pytest.approx([100] * 10)
    turned = [[(y, x) for x, y in line] for line in LINES]
    assert interline_distances(turned, 7).tolist() == pytest.approx([100] * 5)
    # a line of its own has the mean of the others
    alone = [*LINES, [(5000, 100), (5500, 100)]]
    assert interline_distances(alone, 7).tolist() == pytest.approx([100] * 6)
    assert interline_distances(LINES[:1], 7).tolist() == [7]
    assert interline_distances([], 7).tolist() == []
    assert interline_distances([[(3, 3), (3, 3)], *LINES], 7)[1] == pytest.approx(100)


def test_tolerance_is_a_quarter_of_the_distance() -> None:
    for shift, share in ((0, 1), (25, 1), (50, 0.5)):
        score = score_baselines(moved(shift), LINES, 10)
        assert (score.recall, score.precision, score.f1) == pytest.approx((share,) * 3)
    larger = [[(3 * x, 3 * y) for x, y in line] for line in moved(50)]
    score = score_baselines(larger, [[(3 * x, 3 * y) for x, y in line] for line in LINES], 10)
    assert score.f1 == pytest.approx(0.5)
    assert score_baselines(moved(50), LINES, 10, tolerance=0.5).f1 == pytest.approx(1)


def test_precision_punishes_pieces_and_recall_does_not() -> None:
    split = score_baselines(halves(LINES), LINES, 10)
    assert (split.recall, split.precision) == pytest.approx((1, 0.5))
    joined = score_baselines(LINES, halves(LINES), 10)
    assert joined.recall == pytest.approx(1)
    assert 0.5 < joined.precision < 0.6
    missed = score_baselines(LINES[:3], LINES, 10)
    assert missed.precision == pytest.approx(1)
    assert 0.6 <= missed.recall < 0.7
    twice = score_baselines([*LINES, *LINES], LINES, 10)
    assert (twice.recall, twice.precision) == pytest.approx((1, 0.5))


def test_empty_pages_and_bad_arguments() -> None:
    assert score_baselines([], [], 10).f1 == 1
    assert score_baselines([], LINES, 10).f1 == score_baselines(LINES, [], 10).f1 == 0
    with pytest.raises(ValueError, match="numbers"):
        score_baselines([[(0, float("nan")), (1, 1)]], LINES, 10)
    with pytest.raises(ValueError, match="above 0"):
        score_baselines(LINES, LINES, 0)


def test_mean_is_over_pages() -> None:
    assert mean_score([]) == BaselineScore(0, 0, 0, 0, 0)
    found = mean_score([BaselineScore(1, 0.5, 4, 2), BaselineScore(0, 0.5, 1, 9)])
    assert found == BaselineScore(0.5, 0.5, 5, 11, 2)


PAGE = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
<Page imageFilename="{image}" imageWidth="{width}" imageHeight="600"><TextRegion id="r">
<Coords points="0,0 1000,0 1000,599 0,599"/>{lines}</TextRegion></Page></PcGts>"""
LINE = '<TextLine id="l{y}"><Coords points="0,{top} 1000,{top} 1000,{y} 0,{y}"/>{baseline}</TextLine>'


def write_page(folder: Path, name: str, width: int = 1000, baselines: bool = True) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    Image.new("L", (1000, 600), 255).save(folder / f"{name}.png")
    lines = "".join(
        LINE.format(y=y, top=y - 50, baseline=f'<Baseline points="0,{y} 1000,{y}"/>' if baselines else "")
        for y in range(100, 600, 100)
    )
    content = PAGE.format(image=f"{name}.png", width=width, lines=lines)
    (folder / f"{name}.xml").write_text(content, encoding="utf-8")


def test_table_of_sets(tmp_path: Path) -> None:
    write_page(tmp_path / "a", "one")
    write_page(tmp_path / "a", "two")
    write_page(tmp_path / "b", "boxes", baselines=False)
    write_page(tmp_path / "c", "turned", width=600)
    (tmp_path / "c" / "broken.xml").write_text("<no", encoding="utf-8")
    # the same picture, annotated a second time
    (tmp_path / "a" / "two.alto.xml").write_bytes((tmp_path / "a" / "two.xml").read_bytes())
    answers = iter([LINES, LINES[:2], moved(-11)])
    reports: list[str] = []
    table = layout.evaluate(lambda image: next(answers), tmp_path, progress=reports.append)
    rows = [row.split(" | ") for row in table.markdown().splitlines()]
    assert rows[2][:4] == ["| a", "2", "10", "7"]
    assert rows[3][:4] == ["| **all**", "2", "10", "7"]
    assert rows[4][0] == "| b (boxes)"
    assert rows[4][6] == "1.000"
    assert len(reports) == 3
    assert len(table.problems) == 2
    assert any("turned.xml" in problem and "600" in problem for problem in table.problems)
    assert table.total.recall == pytest.approx(np.mean([1, 0.46]), abs=0.06)
    # pages of one name in two folders of a set
    write_page(tmp_path / "a" / "book", "one")
    answers = iter([LINES] * 4)
    assert layout.evaluate(lambda image: next(answers), tmp_path, sets=["a"]).total.pages == 3
    only = layout.evaluate(lambda image: [], tmp_path, sets=["a"], limit=1)
    assert only.total == BaselineScore(0, 0, 0, 5, 1)
