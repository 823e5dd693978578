"""``sly.api.app_api``: names for apps, where the SDK's module of this name has them."""

from __future__ import annotations

from autoflow.model.card import WorkflowMeta, WorkflowSettings

__all__ = ["WorkflowMeta", "WorkflowSettings"]
