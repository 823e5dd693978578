"""Execution of recorded cells in a new kernel of this interpreter: ``python -m autoflow.reproduction.notebook FILE``.

A cell that fails does not end it, as in a notebook; the exit code is 1 if the last one fails. A cell never waits for
input. Needs the extra ``notebooks``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from autoflow.errors import NotReproducible

MODULE = "autoflow.reproduction.notebook"
# the user's history of IPython is left alone
_KERNEL = ("-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False")


def to_ipynb(cells: bytes) -> bytes:
    """Return recorded cells, a JSON list of sources, as a notebook in version 4 of the format.

    Raises:
        ValueError: they are something else.
    """
    sources = json.loads(cells)
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise ValueError("the recorded cells are no list of texts")
    listed = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for source in sources
    ]
    document = {"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def execute(path: str) -> bool:
    """Execute the cells of a file in a new kernel; return whether the last one succeeded.

    Raises:
        NotReproducible: nbclient is not installed.
    """
    try:
        nbclient, nbformat = importlib.import_module("nbclient"), importlib.import_module("nbformat")
        kernel = _kernel_class()
    except ImportError as error:
        raise NotReproducible(
            f"{error}: executing a notebook needs nbclient and ipykernel: pip install 'autoflow-lineage[notebooks]'"
        ) from error
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, kernel_manager_class=kernel, timeout=None, allow_errors=True)
    client.execute(cwd=os.getcwd())
    failed = False
    for number, cell in enumerate(notebook.cells, 1):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        failed = bool(errors)
        for output in errors:
            sys.stderr.write(f"cell {number}: {output.ename}: {output.evalue}\n")
    return not failed


def _kernel_class() -> Any:
    """Return a manager of kernels of this interpreter, whichever kernels are installed for the user."""
    manager = importlib.import_module("jupyter_client").AsyncKernelManager
    kernelspec = importlib.import_module("jupyter_client.kernelspec")
    spec = kernelspec.KernelSpec(argv=[sys.executable, *_KERNEL], display_name="recorded", language="python")
    # as a subclass of a class that is known only now; its sockets are files, which no other user can open
    return type("Kernel", (manager,), {"kernel_spec": spec, "_transport_default": lambda self: "ipc"})


def main(arguments: Sequence[str]) -> int:
    """Execute the notebook that the command line names; return the exit code."""
    try:
        return 0 if execute(arguments[0]) else 1
    except NotReproducible as error:
        sys.stderr.write(f"autoflow: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
