"""Parsers of the command line: suggestions after typing errors, and commands listed by what they are for."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

# Each command is in one of them.
GROUPS: Mapping[str, Sequence[str]] = {
    "what was made from what": ("graph", "open", "trace", "impact", "note"),
    "runs": ("watch", "runs", "compare", "reproduce"),
    "data and models": ("versions", "files", "models", "push"),
    "delivery of this machine's records": ("outbox", "doctor"),
    "administration of a team": ("audit", "webhooks", "erase", "retention"),
    "a server of your own": ("serve", "server", "token", "backup", "restore"),
}
_INDENT, _COLUMN = 2, 13


class Parser(argparse.ArgumentParser):
    """A parser that suggests the closest command after a typing error."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with code 2."""
        if match := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            from autoflow.model.suggestion import did_you_mean

            message += did_you_mean(match[1], (name.strip(" '") for name in match[2].split(",")))
        super().error(message)


class Commands:
    """The commands of a parser; the line that lists a command also begins its own help.

    Args:
        parser: the parser.
    """

    def __init__(self, parser: Parser) -> None:
        self._actions = parser.add_subparsers(
            metavar="COMMAND", help="one of these: autoflow COMMAND --help prints its options"
        )
        self._lines: dict[str, str] = {}

    def add(self, name: str, line: str) -> Parser:
        """Add a command with the line that lists it."""
        self._lines[name] = line
        return self._actions.add_parser(name, description=f"{line[:1].upper()}{line[1:]}.")

    def listing(self) -> str:
        """Return all commands by their groups, wrapped to the width of the terminal."""
        return "\n".join(self._listing(max(shutil.get_terminal_size().columns - 2, 40)))

    def _listing(self, width: int) -> Iterator[str]:
        for title, names in GROUPS.items():
            yield f"\n{title}:"
            for name in names:
                first = f"{'':{_INDENT}}{name}".ljust(_COLUMN)
                yield textwrap.fill(self._lines[name], width, initial_indent=first, subsequent_indent=" " * _COLUMN)
