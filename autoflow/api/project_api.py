"""``sly.api.project_api``: names for projects, where the SDK's module of this name has them."""

from __future__ import annotations

from autoflow.api.models import ProjectInfo
from autoflow.api.project import ProjectApi

__all__ = ["ProjectApi", "ProjectInfo"]
