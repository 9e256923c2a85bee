"""Bidirectional text."""

from __future__ import annotations

import pytest

from kraken.lib.bidi import UCD_VERSION, bidi_class, get_display, get_display_map


def test_version():
    assert UCD_VERSION == "17.0.0"


@pytest.mark.parametrize(
    ("text", "base_dir", "display", "order"),
    [
        ("", None, "", []),
        ("abc", None, "abc", [0, 1, 2]),
        ("אב", None, "בא", [1, 0]),
        ("אב", "L", "בא", [1, 0]),
        ("a!", "R", "!a", [1, 0]),
        ("a\nב", None, "a\nב", [0, 1, 2]),
        ("ב\na", None, "a\nב", [2, 1, 0]),
        ("א(12)", None, "(12)א", [4, 2, 3, 1, 0]),
        ("a\u200cb\u00adc", None, "abc", [0, 2, 4]),
        ("\u2067ab\u2069", None, "ab", [1, 2]),
        ("א\u05b0ב", None, "ב\u05b0א", [2, 1, 0]),
        ("\u202eabc", None, "cba", [3, 2, 1]),
        ("\ud800א\udfff", None, "\ud800א\udfff", [0, 1, 2]),
        ("😀א😀", "R", "😀א😀", [2, 1, 0]),
    ],
)
def test_maps(text, base_dir, display, order):
    assert get_display_map(text, base_dir) == (display, order)
    assert get_display(text, base_dir) == display
    assert get_display_map(list(text), base_dir) == (display, order)


@pytest.mark.parametrize("base_dir", ["auto", "", "l", True, False, 0, [], "X"])
def test_other_base_directions(base_dir):
    with pytest.raises(ValueError, match="base_dir"):
        get_display("a", base_dir)


@pytest.mark.parametrize(
    ("code_point", "name"),
    [
        (0x41, "L"),
        (0x5D0, "R"),
        (0x627, "AL"),
        (0x660, "AN"),
        (0x10940, "R"),
        (0x1E6E3, "NSM"),
        (0xFFFF, "BN"),
    ],
)
def test_classes(code_point, name):
    assert bidi_class(code_point) == name


@pytest.mark.parametrize("code_point", [-1, 0x110000, 2**70])
def test_no_code_points(code_point):
    with pytest.raises(ValueError, match="code point"):
        bidi_class(code_point)


def test_long_nested_text():
    text = "(\u2067א" * 5000
    display, order = get_display_map(text)
    assert sorted(order) == [i for i in range(15000) if i % 3 != 1]
    assert len(display) == 10000
