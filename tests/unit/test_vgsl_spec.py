"""Parsing of network descriptions."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.lib.vgsl.spec import ConvOp, DropoutOp, Group, ReshapeOp, join_spec, leaves, parse_spec


def stored(text: str) -> str:
    return join_spec(parse_spec(text).named_spec)


def test_names_are_inserted_before_the_numbers() -> None:
    text = "[1,0,0,1 Cr3,3,32 Do0.1,2 Do S1(1x0)1,3 Lfys3 (CTlr2,2,1 [I A3,1]) O2l4]"
    assert stored(text) == (
        "[1,0,0,1 Cr{C_0}3,3,32 Do{Do_1}0.1,2 Do{Do_2} S{S_3}1(1x0)1,3 Lfys{L_4}3 "
        "(CTlr{C_5}2,2,1 [I{I_6} A{A_7}3,1]) O{l_8}2l4]"
    )


def test_operations_carry_their_numbers() -> None:
    parsed = parse_spec("[2,48,0,3 Clr{x}3,5,7,2,1,1,2 S1(12x0)1,3 Do,2 Mp2,3]")
    conv, reshape, dropout, pool = (leaf.op for leaf in leaves(*parsed.nodes))
    assert parsed.input_dims == (2, 48, 0, 3)
    assert conv == ConvOp("lr", (3, 5), 7, (2, 1), (1, 2), False)
    assert reshape == ReshapeOp(2, 12, -1, 2, 1)
    assert dropout == DropoutOp(0.5, 2)
    assert (pool.kernel, pool.stride) == ((2, 3), (2, 3))


def test_groups_are_named_by_everything_inside() -> None:
    (group,) = parse_spec("[1,1,1,1 ([I I] (I I))]").nodes
    assert isinstance(group, Group)
    assert group.parallel
    assert group.name == "I_0 I_1 I_2 I_3"
    assert [child.name for child in group.children] == ["I_0 I_1", "I_2 I_3"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[1,48,0,1 Cr3,3,2", "Non-sequential"),
        ("", "Non-sequential"),
        ("[", "Non-sequential"),
        ("[]", "Invalid input"),
        ("[1,48,0,1]", "no operation"),
        ("[1,48,0,1  ]", "no operation"),
        ("[1,48,0,1 I ]", "invalid layer"),
        ("[1,48,0,1 I  I]", "invalid layer"),
        ("[1,48,0,1 ()]", "invalid layer"),
        ("[1,48,0,1 (I)I]", "invalid layer"),
        ("[1,48,0,1 (I]]", "Unbalanced"),
        ("[1,48,0,1 ((I I)]", "Unbalanced"),
        ("[1,48,0,1 I) (I]", "Unbalanced"),
        ("[1,48,0,1 Cr0,3,2]", "at least 1"),
        ("[1,48,0,1 Cr3,3,2,0,1]", "at least 1"),
        ("[1,48,0,1 Mp2,2,0,2]", "at least 1"),
        ("[1,48,0,1 Lbx0]", "at least 1"),
        ("[1,48,0,1 Gn0]", "at least 1"),
        ("[1,48,0,1 Do0.5,3]", "Dropout dimension"),
        ("[1,48,0,1 Do2]", "probability"),
        ("[1,48,0,1 A5,1]", "Dimension 5"),
        ("[1,48,0,1 S7(1x0)7,1]", "Dimension 7"),
        ("[1,48,0,1 S1(0x0)1,3]", "only one part"),
        ("[1,48,0,1 S1(1x0)2,3]", "source dimension"),
        ("[1,48,0,1 O0c5]", "categorical output not supported, yet."),
        ("[1,48,0,1 O2c5]", "CTC not supported for heatmap output"),
        ("[1,48,0,1 O1s0]", "unsupported output specification"),
        ("[1,48,0,1 I{a} I{a}]", "in use already"),
        ("[1,48,0,1 I{I_1} I]", "in use already"),
        ("[1,48,0,1 C{a}]", "invalid layer"),
        ("[1,48,0,1 Cr{}3,3,1]", "invalid layer"),
    ],
)
def test_errors_say_what_is_wrong(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        parse_spec(text)


def test_spec_has_to_be_text() -> None:
    with pytest.raises(ValueError, match="string"):
        parse_spec(None)  # type: ignore[arg-type]


def test_trailing_text_is_kept_and_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert stored("[1,48,0,1 Cr3,3,2junk Ijunk]") == "[1,48,0,1 Cr{C_0}3,3,2junk I{I_1}junk]"
    assert "junk" in caplog.text


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="[]()CLGDoMpAISOWTrlfbxyscm{}_a0123456789., ", max_size=40))
def test_any_text_parses_stably_or_is_a_value_error(text: str) -> None:
    for candidate in (text, f"[1,48,0,1 {text}]"):
        try:
            first = stored(candidate)
        except ValueError:
            continue
        assert stored(first) == first


def test_parser_needs_no_torch() -> None:
    code = "import sys, kraken.lib.vgsl.spec; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
