"""Reader and writer of the protobuf wire format for the few messages of model files.

Messages are dictionaries from field name to value, repeated fields are lists (of
numbers: arrays of float32 for ``floats``). Unknown fields are skipped on reading.
See https://protobuf.dev/programming-guides/encoding for the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kraken.models.coreml.schema import MESSAGES, Field

Message = dict[str, Any]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_MASK = (1 << 64) - 1


def decode(data: memoryview, message: str) -> Message:
    """Decode a message.

    Raises:
        ValueError: The bytes aren't such a message.
    """
    fields = MESSAGES[message]
    result: Message = {}
    for number, wire, value in _fields(data):
        field = fields.get(number)
        if field is None:
            continue
        try:
            _store(result, field, wire, value)
        except UnicodeDecodeError as e:
            raise ValueError(f"Field {field.name} of {message} isn't UTF-8 text.") from e
    for field in fields.values():
        if field.kind == "floats" and field.name in result:
            result[field.name] = np.concatenate(result[field.name])
    return result


def encode(value: Mapping[str, Any], message: str) -> bytes:
    """Encode a message; fields that are missing or None are left out."""
    by_name = {field.name: (number, field) for number, field in MESSAGES[message].items()}
    parts: list[bytes] = []
    for name, content in value.items():
        number, field = by_name[name]
        if content is None:
            continue
        for item in content if field.repeated else (content,):
            parts.append(_encode_field(number, field, item))
    return b"".join(parts)


# -- reading ------------------------------------------------------------------


def _fields(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Field number, wire type and raw value of each field."""
    pos, end = 0, len(data)
    while pos < end:
        key, pos = _varint(data, pos)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("Field number 0 in a protobuf message.")
        if wire == VARINT:
            value, pos = _varint(data, pos)
            yield number, wire, value
            continue
        if wire == LENGTH:
            size, pos = _varint(data, pos)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"Wire type {wire} in a protobuf message is unknown.")
        if size > end - pos:
            raise ValueError(
                f"Field {number} of a protobuf message is cut off: {size} bytes, {end - pos} left."
            )
        yield number, wire, data[pos : pos + size]
        pos += size


def _varint(data: memoryview, pos: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if pos >= len(data):
            raise ValueError("A number in a protobuf message is cut off.")
        byte = data[pos]
        pos += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result & _MASK, pos
    raise ValueError("A number in a protobuf message is longer than 10 bytes.")


def _store(result: Message, field: Field, wire: int, value: Any) -> None:
    if field.kind == "floats":
        if wire not in (LENGTH, FIXED32) or len(value) % 4:
            raise ValueError(f"Field {field.name} isn't a list of 32 bit floats.")
        # a copy: aligned, and independent of the file's bytes
        result.setdefault(field.name, []).append(np.frombuffer(value, "<f4").astype(np.float32))
        return
    if field.repeated and wire == LENGTH and field.kind in ("int", "uint"):
        items, pos = result.setdefault(field.name, []), 0
        while pos < len(value):
            number, pos = _varint(value, pos)
            items.append(_scalar(field, VARINT, number))
        return
    item = _scalar(field, wire, value)
    if field.repeated:
        result.setdefault(field.name, []).append(item)
    elif isinstance(item, dict):
        result.setdefault(field.name, {}).update(item)
    else:
        result[field.name] = item


def _scalar(field: Field, wire: int, value: Any) -> Any:
    expected = _WIRES.get(field.kind, LENGTH)
    if wire != expected:
        raise ValueError(f"Field {field.name} has wire type {wire} instead of {expected}.")
    match field.kind:
        case "uint":
            return value
        case "int":
            return value - (1 << 64) if value >> 63 else value
        case "bool":
            return bool(value)
        case "float":
            return struct.unpack("<f", value)[0]
        case "double":
            return struct.unpack("<d", value)[0]
        case "string":
            return str(value, "utf-8")
        case "bytes":
            return bytes(value)
    return decode(value, field.kind)


_WIRES = {"uint": VARINT, "int": VARINT, "bool": VARINT, "float": FIXED32, "double": FIXED64}


# -- writing ------------------------------------------------------------------


def _encode_varint(value: int) -> bytes:
    value &= _MASK
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _encode_field(number: int, field: Field, value: Any) -> bytes:
    wire = _WIRES.get(field.kind, LENGTH)
    key = _encode_varint(number << 3 | wire)
    match field.kind:
        case "uint" | "int" | "bool":
            return key + _encode_varint(int(value))
        case "float":
            return key + struct.pack("<f", value)
        case "double":
            return key + struct.pack("<d", value)
        case "floats":
            floats: NDArray[np.float32] = np.ascontiguousarray(value, dtype="<f4")
            data = floats.tobytes()
        case "string":
            data = value.encode("utf-8")
        case "bytes":
            data = bytes(value)
        case _:
            data = encode(value, field.kind)
    return key + _encode_varint(len(data)) + data
