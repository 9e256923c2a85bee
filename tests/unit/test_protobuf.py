"""The protobuf reader and writer."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraken.models.coreml.protobuf import decode, encode
from kraken.models.coreml.schema import MESSAGES


def dec(data: bytes, message: str) -> dict[str, Any]:
    return decode(memoryview(data), message)


def test_known_bytes() -> None:
    # the examples of the format's documentation, with the fields of this schema
    assert dec(b"\x08\x96\x01", "Model") == {"specificationVersion": 150}
    assert dec(b"\x0a\x07testing", "Feature") == {"name": "testing"}
    assert encode({"specificationVersion": 150}, "Model") == b"\x08\x96\x01"
    assert encode({"name": "testing"}, "Feature") == b"\x0a\x07testing"


def test_repeated_numbers_packed_or_not() -> None:
    packed = b"\x0a\x03\x01\x96\x01"
    single = b"\x08\x01\x08\x96\x01"
    assert dec(packed, "ArrayType") == dec(single, "ArrayType") == {"shape": [1, 150]}
    assert dec(packed + single, "ArrayType") == {"shape": [1, 150, 1, 150]}
    one, two = struct.pack("<f", 1), struct.pack("<f", 2)
    for data in (b"\x0a\x08" + one + two, b"\x0d" + one + b"\x0d" + two, b"\x0a\x04" + one + b"\x0d" + two):
        np.testing.assert_array_equal(dec(data, "Weights")["floatValue"], [1, 2])


def test_negative_numbers() -> None:
    value = {"key": "a", "value": {"intValue": -1}}
    assert dec(encode(value, "Parameter"), "Parameter") == value


def test_unknown_fields_of_all_wire_types_are_skipped() -> None:
    unknown = b"\xf8\x07\x05" + b"\xf9\x07" + bytes(8) + b"\xfa\x07\x02ab" + b"\xfd\x07" + bytes(4)
    assert dec(unknown + b"\x08\x05" + unknown, "Model") == {"specificationVersion": 5}


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",  # no value
        b"\x08" + b"\xff" * 10,  # too long a number
        b"\x0a\x05ab",  # cut off text
        b"\x00\x01",  # field 0
        b"\x0b",  # group
        b"\x0a\x01\xff",  # no UTF-8
        b"\x08\x01",  # wrong wire type
        b"\xfd\x07\x00",  # cut off fixed number
    ],
)
def test_broken_messages(data: bytes) -> None:
    with pytest.raises(ValueError):
        dec(data, "Feature")


def test_floats_of_odd_size() -> None:
    with pytest.raises(ValueError, match="floatValue"):
        dec(b"\x0a\x03abc", "Weights")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(sorted(MESSAGES)))
def test_any_bytes_decode_or_are_a_value_error(data: bytes, message: str) -> None:
    with contextlib.suppress(ValueError):
        dec(data, message)


def messages(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any message of a type, two levels deep."""

    def value(kind: str, depth: int) -> st.SearchStrategy[Any]:
        scalars: dict[str, st.SearchStrategy[Any]] = {
            "uint": st.integers(0, 2**64 - 1),
            "int": st.integers(-(2**63), 2**63 - 1),
            "bool": st.booleans(),
            "float": st.floats(width=32, allow_nan=False),
            "double": st.floats(allow_nan=False),
            "string": st.text(max_size=5),
            "bytes": st.binary(max_size=5),
            "floats": st.lists(st.floats(width=32, allow_nan=False), max_size=3).map(tuple),
        }
        if kind in scalars:
            return scalars[kind]
        return message(kind, depth - 1) if depth else st.just({})

    def message(name: str, depth: int) -> st.SearchStrategy[dict[str, Any]]:
        optional = {}
        for field in MESSAGES[name].values():
            item = value(field.kind, depth)
            optional[field.name] = st.lists(item, min_size=1, max_size=2) if field.repeated else item
        return st.fixed_dictionaries({}, optional=optional)

    return message(name, 2)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(MESSAGES)))
def test_round_trip(data: st.DataObject, name: str) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return tuple(value.tolist())
        if isinstance(value, dict):
            return {key: plain(x) for key, x in value.items()}
        return [plain(x) for x in value] if isinstance(value, list) else value

    message = data.draw(messages(name))
    assert plain(dec(encode(message, name), name)) == message
