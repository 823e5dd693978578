"""loky, by itself or inside joblib: a task belongs to the run that submitted it, whenever its worker was made.

joblib kills the workers of a call that failed. That is its way to end them: their runs are not lost.
"""

from __future__ import annotations

import signal
from typing import Any

from autoflow.runtime.integrations import patching, reaping


def install(process_executor: Any) -> None:
    """Have `submit`, which `map` goes through, carry the run with the function, and note which workers are killed."""
    patching.around(process_executor.ProcessPoolExecutor, "submit", patching.carrying)
    patching.around(process_executor, "kill_process_tree", _kill)


def _kill(original: Any, process: Any, *args: Any, **kwargs: Any) -> Any:
    reaping.expect(getattr(process, "_popen", None), signal.SIGKILL)
    return original(process, *args, **kwargs)
