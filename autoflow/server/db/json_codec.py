"""JSON as the store keeps it: text in ASCII, so that any string comes back as it was sent, on any database."""

from __future__ import annotations

import json
import math
from typing import Any

from autoflow.server import limits
from autoflow.server.errors import Invalid


def _finite(value: Any) -> Any:
    """A copy whose NaN and infinities are texts: JSON has no number for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value


def dump(value: Any, *, canonical: bool = False) -> str:
    """Write JSON; canonical: the same value gives the same text.

    Raises:
        ServerRefused: the value is no JSON, or nested deeper than `limits.JSON_DEPTH`.
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
    if text.count("[") + text.count("{") > limits.JSON_DEPTH:  # few brackets cannot nest deep: most documents end here
        _check_depth(value)
    return text


_TOO_DEEP = f"a document is nested deeper than {limits.JSON_DEPTH} objects and lists"


def _check_depth(value: Any) -> None:
    if limits.is_deeper(value):
        raise Invalid(_TOO_DEEP)


def load(text: str | None) -> Any:
    """Read what `dump` wrote; None for None."""
    return None if text is None else json.loads(text)
