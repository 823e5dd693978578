"""Names of models, their aliases, and times in references: ``model:lemons@champion on 2026-06-01``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_NAME = r"\w[\w./-]{0,99}"
_ALIAS = r"[^\W\d][\w.-]{0,99}"
_REFERENCE = re.compile(
    rf"model:(?P<name>{_NAME})(?:@(?:(?P<version>\d{{1,9}})|(?P<alias>{_ALIAS})(?: +on +(?P<on>\S.*))?))?"
)


def check_model_name(name: str) -> str:
    """Return a model's name.

    Raises:
        ValueError: it has other characters than letters, digits, ``_``, ``-``, ``.`` and ``/``, or too many.
    """
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"{name!r} is not a model's name: write up to 100 letters, digits, '_', '-', '.' and '/'")
    return name


def check_alias(alias: str) -> str:
    """Return a model's alias.

    Raises:
        ValueError: it begins with a digit, which would name a version, or has characters that an alias has not.
    """
    if not re.fullmatch(_ALIAS, alias):
        raise ValueError(
            f"{alias!r} is not an alias: begin with a letter, and write up to 100 letters, digits, '_', '-' and '.'"
        )
    return alias


def match_model(text: str) -> re.Match[str] | None:
    """Return the parts ``name``, ``version``, ``alias`` and ``on`` of a reference to a model, None for another text."""
    return _REFERENCE.fullmatch(text)


def end_of(on: str) -> str:
    """Return the first timestamp after a day, or after a time, in the form that the server stores; all in UTC.

    Args:
        on: ``2026-06-01``, the end of which is meant, or ``2026-06-01T12:30``, also with seconds and an offset.

    Raises:
        ValueError: it is neither.
    """
    is_day = len(on.strip()) == len("2026-06-01")
    return _stored(_parse(on) + (timedelta(days=1) if is_day else timedelta(milliseconds=1)))


def start_of(on: str) -> str:
    """Return the first timestamp of a day, or a time, see `end_of`.

    Raises:
        ValueError: it is neither.
    """
    return _stored(_parse(on))


def _parse(on: str) -> datetime:
    text = on.strip()
    try:
        time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    except ValueError:
        raise ValueError(f"{on!r} is not a time: write 2026-06-01, or 2026-06-01T12:30 in UTC") from None
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)


def _stored(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
