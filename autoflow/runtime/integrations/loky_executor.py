"""loky, by itself or inside joblib: a task belongs to the run that submitted it, whenever its worker was made."""

from __future__ import annotations

from typing import Any

from autoflow.runtime.integrations import patching


def install(process_executor: Any) -> None:
    """Have `submit`, which `map` goes through, carry the run with the function."""
    patching.around(process_executor.ProcessPoolExecutor, "submit", patching.carrying)
