"""The names of YOLO's classes: from ``data.yaml``, of which the few forms are read that tools write, or a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autoflow.errors import FolderError

_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:(?:\s+(.*)|)$")
_NUMBERED = re.compile(r"""["']?(\d+)["']?\s*:\s*(.+)$""")
_TOKEN = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s,\[\]{}:"'#&*!|>%@`](?:[^,\[\]{}:]|:(?=[^\s]))*))\s*"""
)
_WISH = "write the names as a list, a line each: '  - name'"


class _Strange(ValueError):
    """What is no form of names that is known here."""


def of_lines(text: str) -> list[str]:
    """The names in a file that has one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def keys_of(text: str) -> set[str]:
    """The keys at the top of a YAML file."""
    return {found[1] for line in text.splitlines() if (found := _KEY.match(line.rstrip()))}


def of_yaml(path: str, text: str) -> list[str] | None:
    """The names in a YAML file: ``names:`` with a list or numbered names, in brackets or a line each.

    Args:
        path: of the file, for messages.
        text: what is in it.

    Returns:
        The names in the order of their numbers; None when it has no names.

    Raises:
        FolderError: they are written in a form that is not known here.
    """
    lines = text.splitlines()
    for place, line in enumerate(lines):
        found = _KEY.match(line.rstrip())
        if found is None or found[1] != "names":
            continue
        first = _plain(found[2] or "")
        try:
            names = _flow(first, lines[place + 1 :]) if first[:1] in {"[", "{"} else _block(first, lines[place + 1 :])
        except _Strange as strange:
            raise FolderError(f"{path!r}, below line {place + 1}: {strange} is not understood: {_WISH}") from None
        if not names:
            raise FolderError(f"{path!r}, line {place + 1}: there are no names: {_WISH}")
        return names
    return None


def _plain(line: str) -> str:
    """A line without the comment at its end."""
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (place == 0 or line[place - 1] in " ,[{:"):
            quote = letter
        elif letter == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place].strip()
    return line.strip()


def _block(first: str, lines: Sequence[str]) -> list[str]:
    """Names a line each, with dashes or numbers."""
    if first:
        raise _Strange(repr(first))
    listed: list[str] = []
    numbered: dict[int, str] = {}
    for line in lines:
        text = _plain(line)
        if not text or text.startswith("#"):
            continue
        if text.startswith("- ") and not numbered:
            listed.append(_scalar(text[2:]))
        elif line[:1].isspace() and not listed and (found := _NUMBERED.match(text)):
            numbered[int(found[1])] = _scalar(found[2])
        elif line[:1].isspace() or text.startswith("-"):
            raise _Strange(repr(text))
        else:
            break
    return _in_order(numbered) if numbered else listed


def _scalar(text: str) -> str:
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise _Strange(repr(text))
    return _unquoted(found)


def _unquoted(found: re.Match[str]) -> str:
    if found[1] is not None:
        if re.search(r'\\[^"\\]', found[1]):
            raise _Strange(repr(found[0]))
        return re.sub(r'\\(["\\])', r"\1", found[1])
    return found[2].replace("''", "'") if found[2] is not None else found[3].strip()


def _flow(first: str, lines: Sequence[str]) -> list[str]:
    """Names in brackets, on one line or several."""
    text = first
    closing = {"[": "]", "{": "}"}[first[0]]
    for line in lines:
        if text.endswith(closing):
            break
        text = f"{text} {_plain(line)}"
    if not text.endswith(closing):
        raise _Strange(f"what begins with {first[:20]!r}")
    listed: list[str] = []
    numbered: dict[int, str] = {}
    rest = text[1:-1].strip()
    while rest:
        key = re.match(r"\s*[\"']?(\d+)[\"']?\s*:\s", rest) if closing == "}" else None
        found = _TOKEN.match(rest, key.end() if key else 0)
        if (
            found is None
            or (closing == "}") != (key is not None)
            or rest[found.end() : found.end() + 1] not in {"", ","}
        ):
            raise _Strange(repr(rest[:40]))
        if key:
            numbered[int(key[1])] = _unquoted(found)
        else:
            listed.append(_unquoted(found))
        rest = rest[found.end() + 1 :].strip()
    return _in_order(numbered) if numbered else listed


def _in_order(numbered: dict[int, str]) -> list[str]:
    if sorted(numbered) != list(range(len(numbered))):
        raise _Strange("a numbering that does not count from 0")
    return [numbered[place] for place in range(len(numbered))]
