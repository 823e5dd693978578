"""Threads of autoflow's own: daemons, and none where a thread could never begin.

Once the interpreter is on its way out a thread either cannot be started (Python 3.12) or holds the interpreter for
ever, waiting to have begun; in a process that Python does not know it is in (`forks.announced`) the latter too.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from autoflow.process.forks import announced


def leaving() -> bool:
    """Whether the interpreter is leaving: exit callbacks run, or objects are already torn down.

    Not so while threads of the app go on after its main has ended.
    """
    main = threading.main_thread()
    return sys.is_finalizing() or (threading.current_thread() is main and not main.is_alive())


def start(target: Callable[[], None], name: str) -> threading.Thread | None:
    """Start a daemon thread; None when there can be none: what it would do, another process or a flush does."""
    if leaving() or not announced():
        return None
    thread = threading.Thread(target=target, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system has no more, or Python allows none
        return None
    return thread
