"""Output for a terminal: symbols in Unicode or ASCII, colors, and the final encoding."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import NamedTuple

# ANSI codes by the meaning of a text.
COLORS = {
    "finished": "32",
    "failed": "31",
    "running": "36",
    "lost": "33",
    "ended": "32",
    "strong": "1",
    "muted": "2",
    "entry": "1;34",
}
UNICODE = {
    "arrow branch": "├─▶ ",
    "last arrow branch": "└─▶ ",
    "branch": "├─ ",
    "last branch": "└─ ",
    "trunk": "│  ",
    "input": "←",
    "output": "→",
    "from": "⇐",
    "to": "⇒",
    "above": "↑ above",
    "below": "↓ below",
    "entry": "◆",
    "finished": "✓",
    "ended": "✓",
    "failed": "✗",
    "running": "▸",
    "lost": "?",
    "dot": "·",
}
ASCII = {
    "arrow branch": "|-> ",
    "last arrow branch": "`-> ",
    "branch": "|- ",
    "last branch": "`- ",
    "trunk": "|  ",
    "input": "<-",
    "output": "->",
    "from": "<=",
    "to": "=>",
    "above": "^ above",
    "below": "v below",
    "entry": "*",
    "finished": "+",
    "ended": "+",
    "failed": "x",
    "running": ">",
    "lost": "?",
    "dot": "-",
}
_REPLACEMENTS = {"\N{MULTIPLICATION SIGN}": "x", "…": "..."}


class Terminal(NamedTuple):
    """The capabilities of a terminal, and text rendered for them.

    Args:
        color: whether it shows ANSI colors.
        unicode: whether it shows more than ASCII; without it, names are escaped too.
        zone: the time zone of its user.
    """

    color: bool
    unicode: bool
    zone: tzinfo

    @property
    def symbols(self) -> dict[str, str]:
        """The symbols by name."""
        return UNICODE if self.unicode else ASCII

    def paint(self, text: str, color: str) -> str:
        """Return a text in one of `COLORS`, or unchanged where the terminal or the name has none."""
        code = COLORS.get(color)
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text

    def join(self, lines: Iterable[str]) -> str:
        """Return lines as one text that ends in a newline, escaped where the terminal shows ASCII only."""
        text = "\n".join(line.rstrip() for line in lines) + "\n"
        if self.unicode:
            return text
        for character, replacement in _REPLACEMENTS.items():
            text = text.replace(character, replacement)
        return text.encode("ascii", "backslashreplace").decode("ascii")
