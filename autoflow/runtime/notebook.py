"""The cells of a notebook that IPython executed: the code of its runs, whatever the notebook's file says by now."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from autoflow.model.run import Notebook
from autoflow.model.run_contents import split
from autoflow.process.threads import yield_gil
from autoflow.runtime import masking
from autoflow.runtime.secret_shapes import MASK

_PRIVATE_KEY = "PRIVATE KEY-----"


def count_cells() -> int:
    """Return how many cells this process has executed, with the present one; 0 outside of IPython."""
    return len(_sources())


def describe(count: int) -> tuple[Notebook, dict[str, str]]:
    """Return the first cells that were executed, and the pieces of their content; secrets are masked.

    Args:
        count: how many of them.
    """
    cells, masked = [], []
    for number, source in enumerate(_sources()[:count], 1):
        cell = _masked(source)
        cells.append(cell)
        if cell != source:
            masked.append(number)
    notebook: Notebook = {"cells": count}
    if (path := _path()) is not None:
        notebook["path"] = path
    if masked:
        notebook["masked"] = masked
    stored = split(json.dumps(cells, ensure_ascii=False).encode("utf-8", "replace"))
    if stored is None:
        return notebook, {}
    notebook["content"] = stored[0]
    return notebook, stored[1]


def _masked(source: str) -> str:
    if _PRIVATE_KEY in source:
        return MASK
    lines = []
    for line in source.split("\n"):
        yield_gil()
        lines.append(masking.mask_fast(line) if line else line)
    return "\n".join(lines)


def _shell() -> Any:
    """Return IPython's shell; None if this process has none."""
    ipython = sys.modules.get("IPython")
    get_ipython = getattr(ipython, "get_ipython", None)
    return get_ipython() if callable(get_ipython) else None


def _sources() -> list[str]:
    """Return the cells as they were typed; IPython's own list begins with an empty one."""
    history = getattr(_shell(), "history_manager", None)
    return [str(source) for source in list(getattr(history, "input_hist_raw", ()))[1:]]


def _path() -> str | None:
    """Return the notebook's path, which Jupyter's server and VS Code tell the kernel; None if it is not known."""
    names: Any = getattr(_shell(), "user_ns", {})
    path = names.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return os.path.abspath(path) if isinstance(path, str) and path.endswith(".ipynb") else None
