r"""Standard output and error of the command line: nothing that a server, a journal or a file says reaches the terminal
as a control character.

While a command runs both streams are replaced, so that messages, tables, JSON, log lines and tracebacks go the same
way. Control characters but for line feed and tab, line and paragraph separators, bidirectional controls and lone
surrogates are written as ``\uXXXX``: in text a reader sees them, and JSON stays the same value.
"""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def escape(text: str) -> str:
    r"""Return the text with each character that a terminal would obey as ``\uXXXX``."""
    return _UNSAFE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


class Escaped:
    """A text stream that escapes what is written; everything else is the stream's own.

    Args:
        stream: where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, escaped; returns its length."""
        self._stream.write(escape(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each text, escaped."""
        for line in lines:
            self.write(line)

    def write_rendered(self, text: str) -> None:
        """Write text that has colours or a carriage return of our own, and names that were escaped before."""
        self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def write_rendered(stream: TextIO, text: str) -> None:
    """Write to a stream what was rendered for a terminal: its names are escaped, its colours are our own."""
    write = stream.write_rendered if isinstance(stream, Escaped) else stream.write
    write(text)


@contextlib.contextmanager
def escaped() -> Iterator[None]:
    """Escape what is written to standard output and error meanwhile, the traceback of an error included.

    Raises:
        SystemExit: 1, after an unexpected error was printed: the interpreter would print its message as it is.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", Escaped(stream)) for stream in before)
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, its message must not reach the terminal as it is
        traceback.print_exc()
        raise SystemExit(1) from None
    finally:
        sys.stdout, sys.stderr = before
