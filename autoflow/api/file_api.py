"""``sly.api.file_api``: names for team files, where the SDK's module of this name has them."""

from __future__ import annotations

from autoflow.api.file import FileApi
from autoflow.api.models import FileInfo

__all__ = ["FileApi", "FileInfo"]
