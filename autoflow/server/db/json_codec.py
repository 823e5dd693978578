"""JSON as it is stored: ASCII text, so that every string survives a round trip on either database."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from autoflow.server import limits
from autoflow.server.errors import Invalid


def _finite(value: Any) -> Any:
    """Return a copy with NaN and infinities as text, as JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value


def dump(value: Any, *, canonical: bool = False) -> str:
    """Return a value as JSON text; with `canonical`, equal values give the same text.

    Raises:
        Invalid: the value is not JSON, or nested deeper than `limits.JSON_DEPTH`.
    """
    try:
        try:
            text = json.dumps(value, sort_keys=canonical, separators=(",", ":"), allow_nan=False)
        except ValueError:
            _check_depth(value)
            text = json.dumps(_finite(value), sort_keys=canonical, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Invalid(f"not JSON: {error}") from None
    except RecursionError:
        raise Invalid(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > limits.JSON_DEPTH:  # most documents have too few brackets to nest that deep
        _check_depth(value)
    return text


_TOO_DEEP = f"a document is nested deeper than {limits.JSON_DEPTH} objects and lists"


def _check_depth(value: Any) -> None:
    if limits.is_deeper(value):
        raise Invalid(_TOO_DEEP)


def load(text: str | None) -> Any:
    """Return the value that `dump` wrote, None for None."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # lone surrogates and infinities, which it does not know
        return json.loads(text)
