"""The messages of ``/agent/*``: those of the SDK's ``worker_api.proto``, each after its length in four bytes.

Only two types are needed, of strings and bytes, so that they are read and written here without protobuf.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from autoflow.server.errors import Invalid

KEEP_ALIVE = bytes(4)  # an empty message, which the SDK skips
_LENGTH = struct.Struct(">I")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_SIZES = {_FIXED64: 8, _FIXED32: 4}


def general_event(request_id: str, data: bytes) -> bytes:
    """Return a ``GeneralEvent`` of a request, framed by its length."""
    message = _bytes_field(1, request_id.encode()) + _bytes_field(2, data)
    return _LENGTH.pack(len(message)) + message


def read_chunks(body: bytes) -> bytes:
    """Return the bytes that a stream of framed ``Chunk`` messages consists of.

    Raises:
        Invalid: it is no such stream.
    """
    parts = []
    position = 0
    try:
        while position < len(body):
            (size,) = _LENGTH.unpack_from(body, position)
            position += _LENGTH.size + size
            message = body[position - size : position]
            if len(message) != size:
                raise ValueError("a message is cut off")
            parts += [value for number, value in _fields(message) if number == 1]
    except (ValueError, IndexError, struct.error) as error:
        raise Invalid(f"the body is no stream of chunks: {error}") from None
    return b"".join(parts)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a number is too long")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of bytes or strings by their numbers, skipping others."""
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        if key & 7 == _BYTES:
            size, position = _read_varint(message, position)
            if position + size > len(message):
                raise ValueError("a field is cut off")
            yield key >> 3, message[position : position + size]
            position += size
        elif key & 7 == _VARINT:
            _, position = _read_varint(message, position)
        elif key & 7 in _SIZES:
            position += _SIZES[key & 7]
        else:
            raise ValueError("a field has an unknown type")
