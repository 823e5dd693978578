"""How far long work is: one line that is written over on a terminal, a plain line now and then elsewhere.

It goes to standard error, so that what a program reads is the answer alone.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

from autoflow.cli.output import write_rendered
from autoflow.graph.render.labels import printable

EVERY = 0.1  # seconds between two writings on a terminal
PLAIN = 10.0  # and elsewhere


class Progress:
    """A line of progress; call it as often as is liked, close it when the work is over.

    Args:
        quiet: write nothing.
        stream: default standard error.
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._quiet = quiet
        self._last = time.monotonic() - (PLAIN if self._terminal else 0)
        self._shown = 0

    def __call__(self, what: str, done: int, of: int | None = None) -> None:
        """Say that so much of something is done, of so much in all where that is known."""
        now = time.monotonic()
        if self._quiet or now - self._last < (EVERY if self._terminal else PLAIN):
            return
        self._last = now
        share = f"{done / of:>4.0%}  " if of else ""
        line = printable(f"{what}  {share}{done:,}" + (f" of {of:,}" if of else ""))
        if self._terminal:
            write_rendered(self._stream, "\r" + line + " " * max(0, self._shown - len(line)))
            self._shown = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the line of a terminal empty."""
        if self._shown:
            write_rendered(self._stream, "\r" + " " * self._shown + "\r")
            self._stream.flush()
            self._shown = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
