"""Progress of long commands on standard error: one updated line on a terminal, a line from time to time elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from autoflow.cli.output import write_rendered
from autoflow.graph.render.labels import printable

TERMINAL_INTERVAL = 0.1  # seconds between two updates
LOG_INTERVAL = 10.0  # seconds between two lines if standard error is not a terminal


class Progress:
    """Prints progress; it may be called often, and limits its own output.

    Args:
        quiet: write nothing.
        stream: where to write. Default: standard error.
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._quiet = quiet
        self._last = time.monotonic() - (LOG_INTERVAL if self._terminal else 0)
        self._shown = 0

    def __call__(self, label: str, done: int, total: int | None = None) -> None:
        """Report the number of items done, and the total if it is known."""
        now = time.monotonic()
        if self._quiet or now - self._last < (TERMINAL_INTERVAL if self._terminal else LOG_INTERVAL):
            return
        self._last = now
        share = f"{done / total:>4.0%}  " if total else ""
        line = printable(f"{label}  {share}{done:,}" + (f" of {total:,}" if total else ""))
        if self._terminal:
            write_rendered(self._stream, "\r" + line + " " * max(0, self._shown - len(line)))
            self._shown = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Clear the line on a terminal."""
        if self._shown:
            write_rendered(self._stream, "\r" + " " * self._shown + "\r")
            self._stream.flush()
            self._shown = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
