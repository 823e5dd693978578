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
    from autoflow import api as api
    from autoflow.api import env as env
    from autoflow.api import file_api as file_api
    from autoflow.api.client import Api
    from autoflow.api.instance import (
        ProjectType,
        is_community,
        is_debug_with_sly_net,
        is_development,
        is_production,
    )
    from autoflow.api.models import DatasetInfo, FileInfo, ProjectInfo

__all__ = [
    "Api",
    "DatasetInfo",
    "FileInfo",
    "ProjectInfo",
    "ProjectType",
    "VersionInfo",
    "WorkflowMeta",
    "WorkflowSettings",
    "cards",
    "current_run",
    "flush",
    "is_community",
    "is_debug_with_sly_net",
    "is_development",
    "is_production",
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
    "ProjectType": "autoflow.api.instance",
    "is_community": "autoflow.api.instance",
    "is_debug_with_sly_net": "autoflow.api.instance",
    "is_development": "autoflow.api.instance",
    "is_production": "autoflow.api.instance",
}
_LAZY_MODULES = {"api": "autoflow.api", "env": "autoflow.api.env", "file_api": "autoflow.api.file_api"}


def __getattr__(name: str) -> Any:
    from importlib import import_module, util

    if name == "__version__":
        from autoflow.distribution import VERSION

        return VERSION
    if name in _LAZY_MODULES:
        return import_module(_LAZY_MODULES[name])
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if util.find_spec(f"autoflow.{name}") is not None:  # `from autoflow import server` asks before it imports
        raise AttributeError(name)
    from autoflow.api.missing_names import missing_name

    raise missing_name("module 'autoflow'", name, f"sly.{name}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
