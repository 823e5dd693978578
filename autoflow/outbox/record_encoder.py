"""Encode records as the journal takes them: the members of a JSON object, without its braces.

What is the same in all records of a run, or of a decorator, is encoded once; a call encodes what is its own and joins
the parts. No other module splices JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_encoder = json.JSONEncoder(separators=(",", ":"))


def encode(value: Any) -> bytes:
    """Encode a value as compact JSON."""
    return _encoder.encode(value).encode()


def encode_members(members: Mapping[str, Any]) -> bytes:
    """Encode the members of an object, without its braces; empty when there are none."""
    return encode(members)[1:-1]


def encode_member(name: str, encoded: bytes) -> bytes:
    """Encode one member whose value is encoded already."""
    return b"%b:%b" % (encode(name), encoded)


def join(*members: bytes) -> bytes:
    """Join encoded members, leaving out empty ones."""
    return b",".join(filter(None, members))


def encode_object(members: Iterable[bytes]) -> bytes:
    """Return an object of encoded members."""
    return b"{%b}" % b",".join(members)


def encode_edge(head: bytes, entity: int | tuple[str, Any], options: bytes, tail: bytes) -> bytes:
    """Encode an edge. It is the record written most often: the usual one takes a single format operation.

    Args:
        head: the members that all edges of a decorator share.
        entity: the entity's id, or the name and value of another member that identifies it.
        options: members of this edge alone; empty for most.
        tail: the members that all edges of a run share.
    """
    subject = b'{"id":%d}' % entity if isinstance(entity, int) else encode(dict([entity]))
    if options:
        return b'%b,"subject":%b,%b,%b' % (head, subject, options, tail)
    return b'%b,"subject":%b,%b' % (head, subject, tail)
