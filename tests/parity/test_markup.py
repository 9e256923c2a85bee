"""The kernel that writes words and glyphs against the same in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken._rust import text as rust
from kraken.containers import BaselineLine, BaselineOCRRecord, BBoxLine, BBoxOCRRecord, Segmentation
from kraken.serialization.geometry import Frame
from kraken.serialization.model import build
from kraken.serialization.rows import flat_cuts, plain_segments, segments

FIELDS = "{number}|{text}|{x},{y},{right},{bottom},{width},{height}|{points}|{pairs}|{confidence}|{percent}|"
GLYPH = f"<{FIELDS}{{start}}>"
WORD = f"[{FIELDS}{{confidences}}|{{outline}}|{{glyphs}}]"
OUTLINE = "({points})"
SPACE = "_{number} {x} {y} {width} {height}_"

texts = st.text(
    st.one_of(st.sampled_from("ab &<>\"'{}%\t\u2003\u3000é\U00010330"), st.characters(codec="utf-8")),
    max_size=12,
)
# Ties of the fourth decimal and the ends of what prints without exponent matter.
fractions = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.03125, 0.90005, 5e-5, 1e-4, 9.9999e-5, 0.99995, 1e-300])
)
whole = st.integers(-40, 1200)
limits = st.sampled_from([(None, None), (600, 400), (1, 1), (0, 5)])


@st.composite
def records(draw: st.DrawFn) -> Any:
    text = draw(texts)
    values = [draw(fractions) for _ in text]
    extra = draw(st.integers(0, 1)) * draw(st.integers(0, 2))
    if draw(st.booleans()):
        cuts = [[(draw(whole), draw(whole)) for _ in range(4)] for _ in range(len(text) + extra)]
        return BBoxOCRRecord(text, cuts, values, BBoxLine(id="l", bbox=(0, 0, 9, 9)))
    line = BaselineLine(
        id="l",
        baseline=[(50, 100), (draw(st.integers(60, 900)), draw(st.integers(50, 200)))],
        boundary=[(draw(whole), draw(whole)) for _ in range(draw(st.integers(1, 6)))],
    )
    spans = [(draw(st.integers(-5, 900)), draw(st.integers(-5, 900))) for _ in range(len(text) + extra)]
    return BaselineOCRRecord(text, spans, values, line)


def page(*found: Any) -> Segmentation:
    kind = found[0].type
    return Segmentation(
        type=kind, imagename="", text_direction="horizontal-lr", script_detection=False, lines=list(found)
    )


@settings(max_examples=60)
@given(first=records(), second=records(), limit=limits, space=st.sampled_from([None, SPACE]))
def test_kernel_writes_what_python_writes(first: Any, second: Any, limit: Any, space: Any) -> None:
    frame = Frame(*limit)
    for line in build(page(first, second), sub_line=True).lines:
        if line.content:
            assert line.cut_outlines is not None, "the kernel wasn't asked"
        expected = plain_segments(line, frame, GLYPH, WORD, OUTLINE, space)
        assert str(segments(line, frame, GLYPH, WORD, OUTLINE, space)) == expected
        assert flat_cuts(line, frame) == " ".join(map(frame.spaced, line.cuts))


@pytest.mark.parametrize(
    ("corner", "count", "value", "expected"),
    [
        ((0, 0), 3, 0.5, "0 0 5 0 5 5 0.5"),
        ((0.4, -2), 4, 0.5, "0 0 5 0 5 5 0 5 0.5"),
        ((0, 0), 4, 1, "0 0 5 0 5 5 0 5 1"),
        ((0, 0), 4, 1.5, "0 0 5 0 5 5 0 5 1.0"),
        ((10**30, 0), 4, 0.25, f"{2**63 - 1} 0 5 0 5 5 0 5 0.25"),
        ((float("nan"), 0), 4, 0.25, "0 0 5 0 5 5 0 5 0.25"),
    ],
)
def test_odd_values_are_left_to_python(corner: Any, count: int, value: Any, expected: str) -> None:
    cut = [corner, (5, 0), (5, 5), (0, 5)][:count]
    line = BBoxLine(id="l", bbox=(0, 0, 9, 9))
    (built,) = build(page(BBoxOCRRecord("a", [cut], [value], line)), sub_line=True).lines
    assert str(segments(built, Frame(), "{points} {confidence}", "{glyphs}")) == expected


def call(**changes: Any) -> str:
    corners, present = np.zeros((2, 4, 2), np.int64), np.ones(2, bool)
    arguments: dict[str, Any] = {
        "text": "ab",
        "starts": [0],
        "glyphs": (corners, present),
        "words": None,
        "confidences": [0.5, 0.5],
        "numbers": (0, 0),
        "limits": (9, 9),
        "patterns": ("{x}", "{glyphs}", "", None),
    }
    return rust.line_markup(**{**arguments, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "abc"},
        {"starts": []},
        {"starts": [1]},
        {"starts": [0, 2]},
        {"starts": [0, 1, 1]},
        {"glyphs": (np.zeros((1, 4, 2), np.int64), np.ones(2, bool))},
        {"glyphs": (np.zeros((4, 4, 2), np.int64)[::2], np.ones(2, bool))},
        {"words": (np.zeros((2, 4, 2), np.int64), np.ones(2, bool))},
        {"confidences": [0.5]},
        {"confidences": [0.5, float("nan")]},
        {"confidences": [0.5, 1.5]},
        {"patterns": ("{x", "", "", None)},
        {"patterns": ("{nothing}", "", "", None)},
    ],
)
def test_bad_arguments_are_errors(changes: Any) -> None:
    assert call() == "00"
    with pytest.raises(ValueError, match=r"\w"):
        call(**changes)
