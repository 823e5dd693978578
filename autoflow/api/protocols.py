"""Interfaces of the `Api` object that lower modules use, so that none of them imports `autoflow.api.client`."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from autoflow.api.dataset import DatasetApi
from autoflow.api.file import FileApi
from autoflow.api.project import ProjectApi
from autoflow.graph.trace import Trace
from autoflow.outbox.outbox import Outbox
from autoflow.runtime.destination import Destination
from autoflow.transport.base import Transport


class RecordingApi(Protocol):
    """The part of `Api` that the workflow methods need."""

    task_id: int | None

    @property
    def origin(self) -> str:
        """Server that issued the ids: scheme://host[:port]."""
        ...

    @property
    def records(self) -> Destination:
        """Destination of records."""
        ...

    @property
    def outbox(self) -> Outbox | None:
        """Outbox of that destination; None when recording is off."""
        ...


class DataApi(Protocol):
    """The part of `Api` that a reproduction needs."""

    @property
    def origin(self) -> str:
        """Server that issued the ids: scheme://host[:port]."""
        ...

    @property
    def records(self) -> Destination:
        """Destination of records."""
        ...

    @cached_property
    def transport(self) -> Transport:
        """Transport of the server."""
        ...

    @cached_property
    def project(self) -> ProjectApi:
        """Projects."""
        ...

    @cached_property
    def dataset(self) -> DatasetApi:
        """Datasets."""
        ...

    @cached_property
    def file(self) -> FileApi:
        """Team files."""
        ...

    def trace(self, ref: str, *, every: bool = False, team_id: int | None = None) -> Trace:
        """Return the ancestry of an entity."""
        ...
