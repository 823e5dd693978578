"""`Api`: one server, and what an app does with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autoflow import settings
from autoflow.api.annotation import AnnotationApi
from autoflow.api.dataset import DatasetApi
from autoflow.api.file import FileApi
from autoflow.api.image import ImageApi
from autoflow.api.project import ProjectApi
from autoflow.api.task import TaskApi
from autoflow.api.workflow import Workflow
from autoflow.graph.graph import Graph
from autoflow.graph.trace import Trace
from autoflow.model.reference import parse
from autoflow.outbox.outbox import Outbox
from autoflow.runtime import inference
from autoflow.runtime.destination import Destination, connect, outbox_for, parse_address, resolve
from autoflow.transport.base import Transport
from autoflow.wire import methods

if TYPE_CHECKING:
    from autoflow.reproduction.plan import Plan
    from autoflow.reproduction.reproduce import Reproduction


class Api:
    """A server's data and its workflow, with the method names of the SDK.

    Args:
        server_address: as ``SERVER_ADDRESS``, or ``embedded``: data and records go there. Default: where records go.
        token: its token; default the environment's for that server.

    Raises:
        ValueError: the address is none.
    """

    def __init__(self, server_address: str | None = None, token: str | None = None) -> None:
        self._server = parse_address(server_address) if server_address else resolve()
        self._records = self._server
        self._token = token
        self.task_id = settings.task()
        self.app = App(self)
        inference.remember_api(self._server.origin)

    @classmethod
    def from_env(cls) -> Api:
        """The server the environment names: ``AUTOFLOW_SERVER``; else ``SERVER_ADDRESS`` with ``API_TOKEN`` for data,
        while records go where `autoflow` sends them (in development to the server on this machine).
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
        """The workflow around one entry point; that of the default workspace when none is given. Our server only.

        Args:
            project, task, workspace: a number.
            file: a team file's number or path.

        Raises:
            ServerError: the server does not know the entry point, or is an instance, which keeps its graph to itself.
        """
        entries = {"project": project, "task": task, "workspace": workspace, "file": file}
        scope = {name: value for name, value in entries.items() if value is not None}
        return Graph.from_json(self.transport.call(methods.GRAPH, scope))

    def trace(self, ref: str, *, every: bool = False, team_id: int | None = None) -> Trace:
        """Everything a thing came from, down to the first data. Our server only.

        Args:
            ref: ``file:9``, ``version:12``, ``project:7``, ``project:7#3``, ``dataset:4``, ``task:5``, ``job:2``, or a
                path in Team Files with its leading slash.
            every: follow every run that wrote a thing, not the latest alone.
            team_id: whose path it is; default the first team's.

        Raises:
            ValueError: `ref` names nothing.
            ServerError: the server does not know it, or is an instance.
        """
        body: dict[str, Any] = {"ref": str(parse(ref)), "every": every}
        if team_id is not None:
            body["teamId"] = team_id
        return Trace.from_json(self.transport.call(methods.TRACE, body))

    def reproduce(
        self,
        ref: str,
        *,
        run: bool = False,
        allow_dirty: bool = False,
        lock: str = "autoflow.lock",
        workdir: str | None = None,
        keep: bool = False,
        python: str | None = None,
        workspace_id: int | None = None,
        progress: Callable[[str, int, int], Any] | None = None,
        confirm: Callable[[Plan], bool] | None = None,
    ) -> Reproduction:
        """Restore the data of the run that made something as new projects, and write a lock file of that run.

        Args:
            ref: as in `trace`.
            run: run the recorded command on it, in a working tree of the recorded commit, and compare what it writes.
                That executes what somebody else recorded, with your rights and without your token.
            confirm: asked with the `Plan` of what is about to be executed, before anything is; what is not agreed to
                is not run. By default the call itself is the consent.
            allow_dirty: run the commit although the run had changes that it does not have.
            lock: path of the lock file; the packages are listed beside it.
            workdir: where the working tree is made; default a temporary folder.
            keep: leave the working tree there.
            python: the interpreter; default the recorded one, or this one where that is gone.
            workspace_id: where the projects are made; default where they were.
            progress: called with what is restored, how much of it is done, and of how much.

        Raises:
            NotReproducible: it cannot be run again; the message says why, and what was made until then.
            ValueError, ServerError: as `trace`.
        """
        from autoflow.reproduction.reproduce import Wish, reproduce

        wish = Wish(run, allow_dirty, lock, workdir, keep, python, workspace_id, progress, confirm=confirm)
        return reproduce(self, ref, wish)

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
