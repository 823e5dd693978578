r"""Standard output and error of the command line, with escaped control characters: names and texts come from servers,
journals and files, and must not control the terminal.

While a command runs, both streams are replaced, so that messages, tables, JSON, log lines and tracebacks are escaped
alike. Control characters but for line feed and tab, line and paragraph separators, bidirectional controls and lone
surrogates are written as ``\uXXXX``, which is visible in text and does not change the value of JSON.
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
    r"""Return the text with control characters escaped as ``\uXXXX``."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class Escaped:
    """A text stream that escapes what is written, and delegates everything else.

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
        """Write text with our own color codes or carriage returns, whose names are escaped already."""
        self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def write_rendered(stream: TextIO, text: str) -> None:
    """Write text that was rendered for a terminal: its names are escaped, its color codes are our own."""
    write = stream.write_rendered if isinstance(stream, Escaped) else stream.write
    write(text)


@contextlib.contextmanager
def escaped() -> Iterator[None]:
    """Escape standard output and error, including the traceback of an unexpected error.

    Raises:
        SystemExit: 1, after the traceback was printed; the interpreter would print it without escapes.
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
