"""The guide's `Api` object, on our server and on an instance alike: it speaks through a transport only."""

from __future__ import annotations

from types import ModuleType

_SDK_MODULES = {"app_api", "dataset_api", "file_api", "project_api"}


def __getattr__(name: str) -> ModuleType:
    from importlib import import_module, util

    if name in _SDK_MODULES:
        return import_module(f"autoflow.api.{name}")
    if util.find_spec(f"autoflow.api.{name}") is not None:  # `from autoflow.api import env` asks before it imports
        raise AttributeError(name)
    from autoflow.api.missing_names import missing_name

    raise missing_name("module 'autoflow.api'", name, f"sly.api.{name}")
