"""JSON of requests, read within bounds: of nesting, and of the memory that its values take.

Fifteen megabytes of ``[[],[],...`` become half a gigabyte of lists. How much a text becomes follows from how many
values it has, which can be counted in bytes before it is read.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from autoflow.server.budget import Budget
from autoflow.server.errors import Invalid, TooLarge

MAX_DEPTH = 200  # levels of lists and objects
MEMORY = Budget("memory", total=512 << 20, share=256 << 20)

# Bytes of memory for each of these bytes of a text: a list, an object, a number or a pointer, half of a string.
_COSTS = {b"[": 96, b"{": 240, b",": 40, b'"': 30}
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# Of a text only its brackets, each as the signed byte by which it changes the level.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


def memory_cost(content: bytes) -> int:
    """Return about how many bytes of memory a JSON text, or a part of one, and its values take at most."""
    return 3 * len(content) + sum(content.count(byte) * each for byte, each in _COSTS.items())


@contextlib.contextmanager
def reserve_memory(client: str, needed: int) -> Iterator[None]:
    """Hold a part of the memory that all requests share, waiting for it up to a time limit.

    Raises:
        TooLarge: a single request may never hold that much.
        Busy: other requests still hold it at the end of the time limit.
    """
    if needed > MEMORY.share:
        message = (
            f"the body has too many values: they would take more than {MEMORY.share >> 20} MiB; send fewer at once"
        )
        raise TooLarge(message, details={"limit": MEMORY.share})
    with MEMORY.held(client, needed):
        yield


def parse(content: bytes) -> Any:
    """Return the value of a JSON text; an empty text is an empty object.

    Raises:
        Invalid: it is not JSON, or nested too deeply.
    """
    if _is_deep(content) and _is_deep(_STRING.sub(b"", content)):
        raise Invalid(f"the body is nested more than {MAX_DEPTH} levels deep")
    if not content.strip():
        return {}
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(content)
    # What Python's `json` writes and msgspec refuses: NaN, infinities, lone surrogates, a byte order mark. Text that
    # is no JSON either gets its message here, with line and column.
    try:
        return json.loads(content)
    except RecursionError:
        raise Invalid("the body is nested too deep") from None
    except ValueError as error:
        raise Invalid(f"the body is no JSON: {error}") from None


def _is_deep(content: bytes) -> bool:
    """Whether brackets are nested deeper than allowed; those in texts count as well."""
    steps = content.translate(_STEPS, _OTHERS)
    if steps.count(1) <= MAX_DEPTH:
        return False
    return max(itertools.accumulate(memoryview(steps).cast("b"))) > MAX_DEPTH
