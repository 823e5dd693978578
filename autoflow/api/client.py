"""`Api`: one server, and what an app does with it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from autoflow import settings
from autoflow.api.annotation import AnnotationApi
from autoflow.api.dataset import DatasetApi
from autoflow.api.file import FileApi
from autoflow.api.image import ImageApi
from autoflow.api.project import ProjectApi
from autoflow.api.task import TaskApi
from autoflow.api.workflow import Workflow
from autoflow.graph.graph import Graph
from autoflow.outbox.outbox import Outbox
from autoflow.runtime import inference
from autoflow.runtime.destination import Destination, connect, of_address, outbox_for, resolve
from autoflow.transport.base import Transport
from autoflow.wire import methods


class Api:
    """A server's data and its workflow, with the method names of the SDK.

    Args:
        server_address: as ``SERVER_ADDRESS``, or ``embedded``: data and records go there. Default: where records go.
        token: its token; default the environment's for that server.

    Raises:
        ValueError: the address is none.
    """

    def __init__(self, server_address: str | None = None, token: str | None = None) -> None:
        self._server = of_address(server_address) if server_address else resolve()
        self._records = self._server
        self._token = token
        self.task_id = settings.task()
        self.app = App(self)
        inference.remember_api(self._server.origin)

    @classmethod
    def from_env(cls) -> Api:
        """The server the environment names: ``AUTOFLOW_SERVER``; else ``SERVER_ADDRESS`` with ``API_TOKEN`` for data,
        while records go where `autoflow` sends them (in development to the platform on this machine).
        """
        records = resolve()
        instance = settings.instance()
        if settings.server() is None and instance is not None and settings.instance_token():
            api = cls(instance)
            api._records = records
            return api
        return cls()

    def __repr__(self) -> str:
        return f"Api({self.origin!r})"

    @property
    def origin(self) -> str:
        """Whose numbers this server's answers carry."""
        return self._server.origin

    @property
    def server_address(self) -> str:
        """The server, as given."""
        return self._server.address

    @cached_property
    def transport(self) -> Transport:
        """The way to the server."""
        return connect(self._server, self._token)

    @cached_property
    def project(self) -> ProjectApi:
        """Projects and, as ``project.version``, their versions."""
        return ProjectApi(self.transport)

    @cached_property
    def dataset(self) -> DatasetApi:
        """Datasets."""
        return DatasetApi(self.transport)

    @cached_property
    def image(self) -> ImageApi:
        """Images."""
        return ImageApi(self.transport)

    @cached_property
    def annotation(self) -> AnnotationApi:
        """Labels of images."""
        return AnnotationApi(self.transport)

    @cached_property
    def file(self) -> FileApi:
        """Team files."""
        return FileApi(self.transport)

    @cached_property
    def task(self) -> TaskApi:
        """Tasks."""
        return TaskApi(self.transport)

    def graph(
        self,
        *,
        project: int | None = None,
        task: int | None = None,
        workspace: int | None = None,
        file: int | str | None = None,
    ) -> Graph:
        """The workflow around one entry point; that of the default workspace when none is given. Our platform only.

        Args:
            project, task, workspace: a number.
            file: a team file's number or path.

        Raises:
            ServerError: the server does not know the entry point, or is an instance, which keeps its graph to itself.
        """
        entries = {"project": project, "task": task, "workspace": workspace, "file": file}
        scope = {name: value for name, value in entries.items() if value is not None}
        return Graph.from_json(self.transport.call(methods.GRAPH, scope))

    @property
    def records(self) -> Destination:
        """Where what the workflow methods record goes."""
        return self._records

    @property
    def outbox(self) -> Outbox | None:
        """The outbox of that destination; None when recording is off."""
        return outbox_for(self._records, self._token if self._records == self._server else None)


class App:
    """``api.app``: holds the workflow methods."""

    def __init__(self, api: Api) -> None:
        self.workflow: Any = Workflow(api)
