"""Values that honest clients never send, and bodies of requests with them."""

from __future__ import annotations

from autoflow.server.limits import LIST_ENTRIES


def nested(depth, kind=list):
    """Return lists or objects nested to a depth."""
    value = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


VALUES = {
    "null": None,
    "true": True,
    "minus": -1,
    "zero": 0,
    "largest": 2**53 - 1,
    "beyond 64 bits": 2**70,
    "a part": 1.5,
    "nan": float("nan"),
    "infinity": float("inf"),
    "empty": "",
    "blank": " ",
    "nul": "a\0b",
    "surrogate": "\ud800",
    "long": "x" * 5000,
    "wildcards": "%_" * 200,
    "digits": "9" * 400,
    "empty list": [],
    "nulls": [None, None],
    "lists": [[[]]],
    "odd objects": [{"id": {}, "name": [], "value": {"from": []}}],
    "numbers": [1, 1, 2**70],
    "empty object": {},
    "odd object": {"a": [None], "objects": 5, "classes": 5, "tags": 5, "restored_from": 5, "phase": 1, "id": "x"},
    "deep": nested(900),
    "deep object": nested(900, dict),
    "too many": [1] * (LIST_ENTRIES + 1),
}


def members(body, path=()):
    """Yield the paths of the values in a body; a list is represented by its first entry."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield (*path, name)
            yield from members(value, (*path, name))
    elif isinstance(body, list) and body:
        yield (*path, 0)
        yield from members(body[0], (*path, 0))


def put(body, path, value):
    """Return a copy of a body with another value at a path."""
    if not path:
        return value
    step, *rest = path
    copied = dict(body) if isinstance(body, dict) else list(body)
    copied[step] = put(copied[step], rest, value)
    return copied
