"""Long work a step at a time: each call does some of it, and gives a state from which the next one goes on.

The state is a text for whoever asked, who sends it back; nothing of it is kept here, so that any server of several may
do the next step, and work that nobody goes on with costs nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autoflow.server.errors import Invalid

SECONDS = 2.0  # a call works for about so long

Cursor = str | int | list[Any] | None


@dataclass
class Progress:
    """How far the work is: the stage it is at, where in it, and what was counted so far."""

    stage: int = 0
    place: Cursor = None
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def text(self) -> str:
        """As the client keeps it."""
        told = json.dumps([self.stage, self.place, self.counts], separators=(",", ":"))
        return base64.urlsafe_b64encode(told.encode()).decode()

    @classmethod
    def of(cls, text: str | None) -> Progress:
        """What `text` wrote; the beginning for None.

        Raises:
            Invalid: it is nothing that a call gave.
        """
        if text is None:
            return cls()
        try:
            stage, place, counts = json.loads(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True))
            if isinstance(stage, int) and all(type(value) is int for value in counts.values()):
                return cls(stage, place, counts)
        except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
            pass
        raise Invalid('"state" must be what the call before answered')


Stage = Callable[[Progress], Cursor]


def work(stages: Sequence[Stage], progress: Progress) -> bool:
    """Take steps until the time is over, or all is done; whether it is.

    A stage is called again and again, with its place in the progress (None at its beginning), and gives the next
    place, None when it is through.
    """
    if not 0 <= progress.stage <= len(stages):
        raise Invalid('"state" must be what the call before answered')
    until = time.monotonic() + SECONDS
    while progress.stage < len(stages):
        progress.place = stages[progress.stage](progress)
        if progress.place is None:
            progress.stage += 1
        if time.monotonic() >= until:
            break
    return progress.stage == len(stages)
