"""Display order against the reference implementation and python-bidi."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.bidi import bidi_class, get_display_map
from tests.reference import bidi as reference

LETTERS = "abאבגدر"
DIGITS = "12٣,.:+-$%#/"
SPACES = " \t\n\u2029"
MARKS = "\u0301\u05b0\u200e\u200f\u061c"
BRACKETS = '()[]{}<>«»\u2329\u232a\u3008\u3009!"'
CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200c\u00ad"
base_dirs = st.sampled_from([None, "L", "R"])


@settings(max_examples=100, deadline=None)
@given(st.text(LETTERS + DIGITS + SPACES + MARKS + BRACKETS + CONTROLS, max_size=24), base_dirs)
def test_map_equals_the_reference(text, base_dir):
    assert get_display_map(text, base_dir) == reference.display_map(text, base_dir, bidi_class)


@settings(max_examples=60, deadline=None)
@given(st.text("אa()[]" + "\u2067\u2069\u202b\u202c", max_size=40), base_dirs)
def test_nested_brackets_and_isolates(text, base_dir):
    assert get_display_map(text, base_dir) == reference.display_map(text, base_dir, bidi_class)


@settings(max_examples=60, deadline=None)
@given(st.text("אa1(),\n" + "\u2067\u2066\u2068\u2069\u202b\u202c", max_size=16), base_dirs)
def test_separators_inside_isolates(text, base_dir):
    assert get_display_map(text, base_dir) == reference.display_map(text, base_dir, bidi_class)


@pytest.mark.parametrize(
    "text",
    [
        # The strong type before the bracket is in a run before the isolate.
        "٣a\u2067b\u2069[ב]",
        "א1 a\u2067ב\u2069(ב)",
        # The stack of brackets is full before the isolate.
        "(" * 64 + "\u2067א\u2069" + "[ב]" + ")" * 64,
        "a" + "(" * 63 + "\u2067א\u2069" + "ב" + ")" * 63,
        # Separators at the edges of isolates.
        "ر\u2067(\n\u2069",
        "a$\u2066\n#",
        "\u2067a\n\u2069b\u202b\u2069!ב",
    ],
)
def test_brackets_and_separators_beside_isolates(text):
    for base_dir in (None, "L", "R"):
        assert get_display_map(text, base_dir) == reference.display_map(text, base_dir, bidi_class)


@pytest.mark.parametrize("opening", ["(", "\u2067", "\u2068", "\u202b", "\u202e", "\u202a"])
@pytest.mark.parametrize("depth", [60, 62, 63, 64, 124, 125, 126, 200])
def test_limits_of_nesting(opening, depth):
    closing = {"(": ")", "\u202b": "\u202c", "\u202e": "\u202c", "\u202a": "\u202c"}.get(opening, "\u2069")
    for text in (
        opening * depth + "aא1" + closing * depth + " ב.",
        "א(b)" + opening * depth + "a[ב]" + closing,
    ):
        for base_dir in (None, "L", "R"):
            assert get_display_map(text, base_dir) == reference.display_map(text, base_dir, bidi_class)


@settings(max_examples=100, deadline=None)
@given(st.text(LETTERS + DIGITS + " !" + MARKS, max_size=30), base_dirs)
def test_text_equals_python_bidi_where_both_do_the_same(text, base_dir):
    """Without brackets, quotes, controls and BN characters both implement one algorithm."""
    bidi = pytest.importorskip("bidi")
    if not text:
        return
    assert get_display_map(text, base_dir)[0] == bidi.get_display(text, base_dir=base_dir)
