"""The package as the index knows it: its name and version, and the command that installs an extra.

The index has another project called ``autoflow``, so the distribution is ``autoflow-lineage``; the import is
``autoflow``. The version is a constant here and read by ``pyproject.toml``: it is the same for a checkout on
``PYTHONPATH``, an editable installation and a wheel.
"""

from __future__ import annotations

NAME = "autoflow-lineage"
VERSION = "0.1.0"


def install(*extras: str) -> str:
    """Return the shell command that installs the package with these extras."""
    return f'pip install "{NAME}[{",".join(extras)}]"' if extras else f"pip install {NAME}"
