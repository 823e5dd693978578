"""Long-running jobs that are resumed by the client: each call does some work and returns the state to continue from.

The state is an opaque text that the client sends back. The server stores nothing, so any of several servers can do the
next call, and an abandoned job costs nothing.
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

TIME_LIMIT = 2.0  # seconds of work a call

Cursor = str | int | list[Any] | None


@dataclass
class JobState:
    """The progress of a job.

    Args:
        stage: the index of the current stage.
        cursor: the position within the stage, None at its start.
        counts: what has been counted so far, by name.
    """

    stage: int = 0
    cursor: Cursor = None
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def encode(self) -> str:
        """Return the state as the text that the client sends back."""
        text = json.dumps([self.stage, self.cursor, self.counts], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    @classmethod
    def decode(cls, text: str | None) -> JobState:
        """Return the state that `encode` wrote, a new one for None.

        Raises:
            Invalid: the text is not a state.
        """
        if text is None:
            return cls()
        try:
            stage, cursor, counts = json.loads(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True))
            if isinstance(stage, int) and all(type(value) is int for value in counts.values()):
                return cls(stage, cursor, counts)
        except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
            pass
        raise Invalid(_INVALID)


_INVALID = '"state" must be the state that the previous call returned'

Stage = Callable[[JobState], Cursor]


def run_stages(stages: Sequence[Stage], state: JobState) -> bool:
    """Run stages until the time limit; return whether all are complete.

    A stage is called repeatedly. It reads its position from ``state.cursor`` and returns the next one, None when it is
    complete.
    """
    if not 0 <= state.stage <= len(stages):
        raise Invalid(_INVALID)
    until = time.monotonic() + TIME_LIMIT
    while state.stage < len(stages):
        state.cursor = stages[state.stage](state)
        if state.cursor is None:
            state.stage += 1
        if time.monotonic() >= until:
            break
    return state.stage == len(stages)
