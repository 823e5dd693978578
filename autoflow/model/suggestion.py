"""The closest known name to one that is not known, for error messages."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``; did you mean 'known'?`` with the closest of some names, empty if none is close."""
    import difflib  # most processes need it never

    close = difflib.get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
