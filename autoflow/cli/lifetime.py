"""Lifetimes on the command line and in files of options: ``12h``, ``30d``, ``8w``."""

from __future__ import annotations

_UNITS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_LONGEST = 100 * 365 * _UNITS["d"]


def parse_lifetime(text: str) -> float:
    """Return a lifetime such as ``30d`` in seconds.

    Raises:
        ValueError: it is not a number of hours, days or weeks.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or not 0 < int(number) * _UNITS[unit] <= _LONGEST:
        raise ValueError(f"{text!r} is not a lifetime: write a number of hours, days or weeks, such as 12h, 30d or 8w")
    return float(int(number) * _UNITS[unit])
