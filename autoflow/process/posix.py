"""The POSIX modules that recording needs, or None where there are none (Windows: decorators pass calls through)."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import fcntl
    import resource
else:

    def _optional(name: str) -> Any:
        try:
            return import_module(name)
        except ImportError:
            return None

    fcntl = _optional("fcntl")
    resource = _optional("resource")

SUPPORTED = fcntl is not None and resource is not None and hasattr(os, "register_at_fork")

__all__ = ["SUPPORTED", "fcntl", "resource"]
