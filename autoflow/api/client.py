"""`Api`: access to the data of one server, to its lineage, and to the workflow methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autoflow import settings
from autoflow.api.annotation import AnnotationApi
from autoflow.api.dataset import DatasetApi
from autoflow.api.erase import EraseApi
from autoflow.api.file import FileApi
from autoflow.api.image import ImageApi
from autoflow.api.instance import is_at_least
from autoflow.api.local_files import is_local_path, sha256_of_file
from autoflow.api.missing_names import missing_name
from autoflow.api.model import ModelApi
from autoflow.api.note import NoteApi
from autoflow.api.project import ProjectApi
from autoflow.api.task import TaskApi
from autoflow.api.webhook import WebhookApi
from autoflow.api.workflow import Workflow
from autoflow.graph.notebook import NotebookGraph, NotebookImpact, NotebookTrace
from autoflow.model.reference import Reference, parse, parse_image
from autoflow.model.reproduction import Reproduction, ReproductionPlan
from autoflow.model.run_query import among
from autoflow.outbox.outbox import Outbox
from autoflow.runtime import inference
from autoflow.runtime.destination import Destination, connect, outbox_for, parse_address, resolve
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire import methods
from autoflow.wire.contract import lineage
from autoflow.wire.contract import runs as run_contract
from autoflow.wire.contract.audit import AUDIT_LIST, AuditEntry, ListAuditRequest

OLDEST_VERSION = "6.9.31"  # of an instance with the workflow methods


class Api:
    """Client of one server, with the method names of the SDK.

    Args:
        server_address: URL of the server, or ``embedded``; data and records go there. Default: the destination of
            records, see `autoflow.runtime.destination.resolve`.
        token: API token. Default: the environment's token for that server.

    Raises:
        ValueError: the address is not valid.
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
        """Return an `Api` for the server that the environment names.

        ``AUTOFLOW_SERVER`` is used for data and records. Without it data comes from ``SERVER_ADDRESS`` with
        ``API_TOKEN``, and records go to the default destination (in development the embedded server).
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
        """Server that issued the ids: scheme://host[:port]."""
        return self._server.origin

    @property
    def server_address(self) -> str:
        """Address of the server, as passed in."""
        return self._server.address

    @cached_property
    def transport(self) -> Transport:
        """Transport of the server."""
        return connect(self._server, self._token)

    @cached_property
    def instance_version(self) -> str:
        """Version of the instance; our server has that of the instances whose methods it has."""
        return str(self.transport.call(methods.INSTANCE_VERSION, {})["version"])

    def is_version_supported(self, version: str | None = None) -> bool:
        """Return whether the instance is not older than a version, by default than the oldest with workflows."""
        return is_at_least(self.instance_version, version or OLDEST_VERSION)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise missing_name("Api", name, f"api.{name}")

    @cached_property
    def project(self) -> ProjectApi:
        """Projects; ``project.version`` has their versions."""
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
        """Annotations of images."""
        return AnnotationApi(self.transport)

    @cached_property
    def file(self) -> FileApi:
        """Team files."""
        return FileApi(self.transport)

    @cached_property
    def model(self) -> ModelApi:
        """Models, their versions and aliases. Our server only."""
        return ModelApi(self.transport)

    @cached_property
    def note(self) -> NoteApi:
        """Notes on cards. Our server only."""
        return NoteApi(self.transport)

    @cached_property
    def webhook(self) -> WebhookApi:
        """Webhooks of teams."""
        return WebhookApi(self.transport)

    @cached_property
    def task(self) -> TaskApi:
        """Tasks."""
        return TaskApi(self.transport, self.task_id)

    @cached_property
    def erase(self) -> EraseApi:
        """Content that is erased for good, and rules of retention. Our server only."""
        return EraseApi(self.transport)

    def graph(
        self,
        *,
        project: int | None = None,
        task: int | None = None,
        workspace: int | None = None,
        file: int | str | None = None,
    ) -> NotebookGraph:
        """Return the workflow graph around one entity, by default of the default workspace. Our server only.

        Args:
            project, task, workspace: an id.
            file: id or path of a team file.

        Raises:
            ServerError: the server does not know the entity, or is a Supervisely instance, whose API has no graph.
        """
        request = lineage.GraphRequest(project=project, task=task, workspace=workspace, file=file)
        response = call(self.transport, lineage.GRAPH, request)
        return NotebookGraph.from_json(response)

    def trace(self, ref: str, *, every: bool = False, team_id: int | None = None) -> NotebookTrace:
        """Return the ancestry of an entity: all runs and data it was produced from. Our server only.

        Args:
            ref: ``file:9``, ``version:12``, ``project:7``, ``project:7#3``, ``dataset:4``, ``task:5``, ``job:2``, or a
                path in Team Files with a leading slash.
            every: follow all runs that wrote an entity, not only the latest.
            team_id: team of the path. Default: the first team.

        Raises:
            ValueError: `ref` is not a valid reference.
            ServerError: the server does not know the entity, or is a Supervisely instance.
        """
        request = lineage.TraceRequest(ref=str(parse(ref)), every=every, team_id=team_id)
        response = call(self.transport, lineage.TRACE, request)
        return NotebookTrace.from_json(response)

    def impact(self, ref: str, *, team_id: int | None = None) -> NotebookImpact:
        """Return everything that was made from an entity or an image. Our server only.

        Args:
            ref: as in `trace`; also ``image:3``, ``dataset:4/a.png``, the sha256 of an image or a file, or a local file
                as ``./a.png``, whose sha256 is computed here.
            team_id: team of a path. Default: the first team.

        Raises:
            ValueError: `ref` is not a valid reference.
            OSError: the local file cannot be read.
            ServerError: the server does not know the entity or the image, or is a Supervisely instance.
        """
        reference = sha256_of_file(ref) if is_local_path(ref) else str(parse_image(ref) or parse(ref))
        response = call(self.transport, lineage.IMPACT, lineage.ImpactRequest(ref=reference, team_id=team_id))
        return NotebookImpact.from_json(response)

    def audit(
        self,
        *,
        team_id: int | None = None,
        action: str | None = None,
        entity: str | None = None,
        who: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Return entries of the audit log, the newest first, for admins of a team. Our server only.

        Args:
            team_id: of this team alone. Default: all teams that the user is an admin of.
            action: an action, as ``alias.set``, or the beginning of several, as ``token.``.
            entity: reference of an entity; a model's, as ``model:lemons``, includes its aliases.
            who: login of a user, or ``user@host``.
            since: day or time in ISO 8601, without an offset in UTC, of the first entries.
            until: day or time that entries are before.
            limit: most entries.

        Raises:
            ServerRefused: a time is not one.
            NotAllowed: the user is no admin, or the token has not the scope admin.
            ServerError: the server is a Supervisely instance.
        """
        entries: list[AuditEntry] = []
        before: int | None = None
        while True:
            request = ListAuditRequest(
                team_id=team_id,
                action=action,
                entity=entity,
                who=who,
                since=since,
                until=until,
                before=before,
                limit=limit - len(entries),
            )
            response = call(self.transport, AUDIT_LIST, request)
            entries += response["entries"]
            before = response["next"]
            if before is None or len(entries) >= limit:
                return entries

    def runs(
        self,
        where: str | None = None,
        *,
        refs: Sequence[int | str] = (),
        sort: str | None = None,
        limit: int = 50,
    ) -> list[run_contract.ScoredRun]:
        """Return runs with their results and parameters, by default the latest. Our server only.

        Args:
            where: condition, as ``result.mAP > 0.6 and parameters.epochs = 20 and state = finished``.
            refs: these runs alone, see `compare`.
            sort: field, as ``result.loss``, or ``-result.mAP`` for the greatest first; runs without it are left out.
            limit: most runs, up to 1,000.

        Raises:
            ValueError: a reference does not name a run.
            ServerError: `where` or `sort` is not valid, or the server is a Supervisely instance.
        """
        return self.search_runs(where, refs=refs, sort=sort, limit=limit)["runs"]

    def search_runs(
        self,
        where: str | None = None,
        *,
        refs: Sequence[int | str] = (),
        sort: str | None = None,
        limit: int | None = None,
    ) -> run_contract.SearchRunsResponse:
        """Return what `runs` does, and whether there are more."""
        if refs:
            tasks = [self._task_of(parse(str(run), default_kind="task")) for run in refs]
            where = among(tasks, where)
        request = run_contract.SearchRunsRequest(where=where, sort=sort, limit=limit)
        return call(self.transport, run_contract.RUNS_SEARCH, request)

    def compare(self, first: int | str, second: int | str) -> run_contract.CompareRunsResponse:
        """Return the differences of two runs, and whether their results can be compared. Our server only.

        Args:
            first, second: a task's id, or a reference as ``task:5``, or a model's as ``model:lemons@champion``, which
                stands for the run that wrote its weights.

        Raises:
            ValueError: a reference does not name a run.
            ServerError: the server does not know a run, or is a Supervisely instance.
        """
        tasks = [self._task_of(parse(str(run), default_kind="task")) for run in (first, second)]
        request = run_contract.CompareRunsRequest(first=tasks[0], second=tasks[1])
        return call(self.transport, run_contract.RUNS_COMPARE, request)

    def _task_of(self, reference: Reference) -> int:
        """Return the task of a run that a reference names, or that wrote the model that it names.

        Raises:
            ValueError: there is none.
        """
        number: int | None = reference.id if reference.kind == "task" else None
        if reference.kind == "model":
            number = self.model.get(str(reference))["task"]
        if number is None:
            what = "was written by no run" if reference.kind == "model" else "is not a run: write task:5, or 5"
            raise ValueError(f"{str(reference)!r} {what}")
        return number

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
        confirm: Callable[[ReproductionPlan], bool] | None = None,
        twice: bool = False,
        publish: bool = False,
        discard: bool = False,
        timeout: float | None = None,
        chain: bool = False,
        no_env: bool = False,
    ) -> Reproduction:
        """Restore the input data of the run that produced an entity as new projects, and write a lock file of the run.

        Args:
            ref: as in `trace`.
            run: run the recorded command on the restored data, in a working tree of the recorded commit, and compare
                its outputs. This executes a command that somebody else recorded, with your rights and without your
                token.
            confirm: called with the plan of the execution before anything is executed; False cancels it. By default
                nobody is asked.
            allow_dirty: run the commit although the recorded run had uncommitted changes.
            lock: path of the lock file; the packages are listed in a second file beside it.
            workdir: folder of the working tree. Default: a temporary folder.
            keep: keep the working tree.
            python: the interpreter. Default: the recorded one, or the current one if that no longer exists.
            workspace_id: workspace of the restored projects. Default: that of the original project.
            progress: called with the entity being restored, the number of items done, and the total.
            twice: run the command a second time; `Reproduction.deterministic` then says whether it wrote the same.
            publish: let the command write to the recorded paths of Team Files. Default: below ``/reproduced/task-N``.
            discard: remove the restored projects and what the command wrote, when it has been compared.
            timeout: seconds after which the command is ended, with all processes it started.
            chain: repeat the runs that its input files came from, too, back to the data; each reads what the earlier
                ones wrote. `Reproduction.stages` has their results.
            no_env: use the interpreter that is there. Default: if its version or packages differ from the recorded,
                a new environment is made from the recorded ``uv.lock`` or packages.

        Raises:
            NotReproducible: the run cannot be repeated; the message has the reason and what was restored until then.
            ValueError, ServerError: as `trace`.
        """
        from autoflow.reproduction.chain import reproduce_chain
        from autoflow.reproduction.job import ReproduceOptions
        from autoflow.reproduction.reproduce import reproduce

        options = ReproduceOptions(
            *(run, allow_dirty, lock, workdir, keep, python, workspace_id, progress),
            confirm=confirm,
            twice=twice,
            publish=publish,
            discard=discard,
            timeout=timeout,
            no_env=no_env,
        )
        return (reproduce_chain if chain else reproduce)(self, ref, options)

    @property
    def records(self) -> Destination:
        """Destination of what the workflow methods record."""
        return self._records

    @property
    def outbox(self) -> Outbox | None:
        """Outbox of that destination; None when recording is off."""
        return outbox_for(self._records, self._token if self._records == self._server else None)


class App:
    """``api.app``: holds the workflow methods."""

    def __init__(self, api: Api) -> None:
        self.workflow: Any = Workflow(api)
