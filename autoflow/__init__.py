"""Workflow lineage and data versioning for ML apps.

Decorate what loads and what saves, put ``with workflow("Train"):`` around the app's main, and autoflow records what
each run read and wrote: it never slows or breaks the app, never loses a record, and delivers them to a Supervisely
instance or to its own server. Everything an app author needs is here; `autoflow.testing` is for their tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoflow.capture import cards, select
from autoflow.capture.decorators import versioned, workflow_input, workflow_output
from autoflow.guard import logger
from autoflow.model.card import WorkflowMeta, WorkflowSettings
from autoflow.model.version import VersionInfo
from autoflow.runtime import integrations as _integrations
from autoflow.runtime.context import current_run
from autoflow.runtime.delivery import flush, status
from autoflow.runtime.propagation import propagate
from autoflow.runtime.workflow import workflow

if TYPE_CHECKING:
    from autoflow.api.client import Api
    from autoflow.api.models import DatasetInfo, FileInfo, ProjectInfo

__all__ = [
    "Api",
    "DatasetInfo",
    "FileInfo",
    "ProjectInfo",
    "VersionInfo",
    "WorkflowMeta",
    "WorkflowSettings",
    "cards",
    "current_run",
    "flush",
    "logger",
    "propagate",
    "select",
    "status",
    "versioned",
    "workflow",
    "workflow_input",
    "workflow_output",
]

_integrations.install_for_workers()  # a worker of Celery imports Celery first, and its tasks may use no decorator

_LAZY = {
    "Api": "autoflow.api.client",
    "DatasetInfo": "autoflow.api.models",
    "FileInfo": "autoflow.api.models",
    "ProjectInfo": "autoflow.api.models",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from autoflow.distribution import VERSION

        return VERSION
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'autoflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
