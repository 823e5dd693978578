"""``sly.api.dataset_api``: names for datasets, where the SDK's module of this name has them."""

from __future__ import annotations

from autoflow.api.dataset import DatasetApi
from autoflow.api.models import DatasetInfo

__all__ = ["DatasetApi", "DatasetInfo"]
