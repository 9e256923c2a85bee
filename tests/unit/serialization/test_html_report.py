"""The evaluation report as an HTML page."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from kraken.serialization import render_html_report

ARGUMENTS: dict[str, Any] = {
    "model": "a <model> & more",
    "chars": 200,
    "errors": 10,
    "char_accuracy": 0.95,
    "char_CI_accucary": 0.96,
    "word_accuracy": float("nan"),
    "char_confusions": Counter(
        {
            ("a", "<"): 3,
            ("", " "): 1,
            ("\u0301", ""): 4,
            ("\x00", "x"): 2,
            ("a", "a"): 190,
            ("אב", "\ud800"): 1,
        }
    ),
    "scripts": Counter({"Latin": 180, "Hebrew": 20, "Common": 0}),
    "insertions": 1,
    "deletions": Counter({"Latin": 4}),
    "substitutions": Counter({"Latin": 2, "Hebrew": 5}),
}


def rows(page: str, table: str) -> list[list[str]]:
    root = etree.fromstring(page.removeprefix("<!DOCTYPE html>\n").encode())
    (found,) = root.xpath(f"//table[@id='{table}']/tbody")
    return [["".join(cell.itertext()).strip() for cell in row] for row in found]


def test_figures_and_tables() -> None:
    page = render_html_report(**ARGUMENTS)
    assert rows(page, "accuracies") == [
        ["Character accuracy", "95.00%", ""],
        ["Character accuracy (case-insensitive)", "96.00%", ""],
        ["Word accuracy", "nan%", ""],
    ]
    assert rows(page, "counts") == [
        ["Characters", "200"],
        ["Errors", "10"],
        ["Insertions", "1"],
        ["Deletions", "4"],
        ["Substitutions", "7"],
    ]
    assert rows(page, "scripts") == [
        ["Latin", "180", "4", "2", "6", "96.67%", ""],
        ["Hebrew", "20", "0", "5", "5", "75.00%", ""],
        ["Common", "0", "0", "0", "0", "0.00%", ""],
    ]
    assert rows(page, "confusions") == [
        ["4", "40.00%", "", "COMBINING ACUTE ACCENT U+0301 COMBINING ACUTE ACCENT", "nothing"],
        ["3", "30.00%", "", "a U+0061 LATIN SMALL LETTER A", "< U+003C LESS-THAN SIGN"],
        ["2", "20.00%", "", "0x0 U+0000", "x U+0078 LATIN SMALL LETTER X"],
        ["1", "10.00%", "", "nothing", "SPACE U+0020 SPACE"],
        ["1", "10.00%", "", "אב U+05D0 HEBREW LETTER ALEF, U+05D1 HEBREW LETTER BET", "0xd800 U+D800"],
    ]
    assert "<h1>Report on a &lt;model&gt; &amp; more</h1>" in page


def test_page_refers_to_nothing_outside() -> None:
    page = render_html_report(**ARGUMENTS)
    for forbidden in ("http:", "https:", "src=", "href=", "url(", "@import", "<script"):
        assert forbidden not in page


def test_empty_evaluation() -> None:
    nothing: dict[str, Any] = dict.fromkeys(ARGUMENTS, 0)
    nothing |= {"model": "m", "char_confusions": {}, "scripts": {}, "deletions": {}, "substitutions": {}}
    page = render_html_report(**nothing)
    assert rows(page, "confusions") == rows(page, "scripts") == []


@settings(max_examples=50, deadline=None)
@given(
    model=st.text(),
    scripts=st.dictionaries(st.text(max_size=5), st.integers(0, 99), max_size=3),
    confusions=st.dictionaries(
        st.tuples(st.text(max_size=2), st.text(max_size=2)), st.integers(0, 9), max_size=4
    ),
    accuracy=st.floats(),
)
def test_any_report_is_well_formed(model: str, scripts: Any, confusions: Any, accuracy: float) -> None:
    page = render_html_report(
        **{
            **ARGUMENTS,
            "model": model,
            "scripts": scripts,
            "char_confusions": confusions,
            "char_accuracy": accuracy,
        }
    )
    assert len(rows(page, "confusions")) == sum(a != b for a, b in confusions)


@pytest.mark.parametrize("value", [-1.0, 2.0, float("inf"), float("-inf")])
def test_bars_stay_in_their_places(value: float) -> None:
    page = render_html_report(**{**ARGUMENTS, "char_accuracy": value})
    root = etree.fromstring(page.removeprefix("<!DOCTYPE html>\n").encode())
    lengths = [float(rect.get("width")) for rect in root.iter("rect")]
    assert lengths
    assert all(0 <= length <= 100 for length in lengths)
