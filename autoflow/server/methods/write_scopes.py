"""The scopes of the methods that write in one transaction (`db.scopes`); those without an entry lock the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from autoflow.errors import ServerRefused
from autoflow.server.db import scopes
from autoflow.server.db.schema import datasets, items, projects, versions, workspaces
from autoflow.server.db.scopes import Scope, ScopeResolver
from autoflow.server.methods.images.figures import image_of
from autoflow.server.methods.lineage.record_scopes import scopes_of_records
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods

MethodScope = Callable[[Connection, RequestParser], Collection[Scope]]
_Numbers = Callable[[RequestParser], Sequence[int]]


def resolver(method: str, request: RequestParser) -> ScopeResolver | None:
    """Return a function that determines the scopes of a request; None for the whole store."""
    scope_of = SCOPES.get(method)
    if scope_of is None:
        return None

    def resolve(conn: Connection) -> Collection[Scope] | None:
        try:
            return scope_of(conn, request)
        except ServerRefused:  # the method refuses it, too
            return None

    return resolve


def projects_of(conn: Connection, table: Table, numbers: Iterable[int]) -> set[Scope]:
    """Return the scopes of the projects of rows by their ids, which are never another project's."""
    project_ids: set[int] = set()
    for part in chunks(sorted(set(numbers))):
        project_ids.update(conn.execute(select(table.c.project_id).where(table.c.id.in_(part)).distinct()).scalars())
    return {scopes.project(number) for number in project_ids}


def projects_of_figures(conn: Connection, figures: Iterable[int]) -> set[Scope]:
    """Return the scopes of the projects of figures."""
    return projects_of(conn, items, map(image_of, figures))


def _number(name: str) -> _Numbers:
    return lambda request: [request.number(name)]


def _numbers(name: str) -> _Numbers:
    return lambda request: request.numbers(name)


def _in_entries(entries: str, name: str) -> _Numbers:
    return lambda request: [entry.number(name) for entry in request.objects(entries)]


def _of_project(name: str) -> MethodScope:
    return lambda _conn, request: [scopes.project(request.number(name))]


def _of_rows(table: Table, numbers: _Numbers) -> MethodScope:
    return lambda conn, request: projects_of(conn, table, numbers(request))


def _of_figures(numbers: _Numbers) -> MethodScope:
    return lambda conn, request: projects_of_figures(conn, numbers(request))


def _new_figures(conn: Connection, request: RequestParser) -> set[Scope]:
    images = [(entry if entry.has("entityId") else request).number("entityId") for entry in request.objects("figures")]
    return projects_of(conn, items, images)


def _files(_conn: Connection, request: RequestParser) -> list[Scope]:
    return [scopes.files(request.number("teamId"))]


def _commit(conn: Connection, request: RequestParser) -> set[Scope]:
    """Return the scopes of committing a version: its project, and the files of the team, which include its archive."""
    number = request.number("id")
    query = select(workspaces.c.team_id).join_from(versions, projects, projects.c.id == versions.c.project_id)
    query = query.join(workspaces, workspaces.c.id == projects.c.workspace_id)
    team_ids = conn.execute(query.where(versions.c.id == number)).scalars()
    return projects_of(conn, versions, [number]).union(map(scopes.files, team_ids))


def _of_task(name: str) -> Callable[[Connection, RequestParser], set[Scope]]:
    return lambda conn, request: scopes_of_records(conn, [{"task": request.number(name)}])


def _discarded(conn: Connection, request: RequestParser) -> set[Scope]:
    return _of_task("id" if request.has("id") else "taskId")(conn, request)


def _logged(conn: Connection, request: RequestParser) -> set[Scope]:
    return scopes_of_records(conn, [{"task": entry.number("task_id")} for entry in request.objects("logs")])


def _edge(conn: Connection, request: RequestParser) -> set[Scope]:
    fields: Mapping[str, Any] = request.fields
    return scopes_of_records(conn, [{"task": request.mapping("node").get("id"), "entity": fields}])


SCOPES: Mapping[str, MethodScope] = {
    **dict.fromkeys(methods.ADD_EDGE.values(), _edge),
    "autoflow.runs.ensure": lambda conn, request: scopes_of_records(conn, [request.fields]),
    **dict.fromkeys(("tasks.output.set", "tasks.data.set"), _of_task("taskId")),
    **dict.fromkeys(("tasks.status.update", "tasks.stop", "autoflow.tasks.ensure"), _of_task("id")),
    **dict.fromkeys(("tasks.meta.update", "tasks.app-v2.data.set"), _discarded),
    "tasks.logs.add": _logged,
    **dict.fromkeys(("file-storage.remove", "file-storage.bulk.remove"), _files),
    **dict.fromkeys(
        (
            *("datasets.add", "projects.tags.remove", "projects.classes.remove", "tags.bulk.add"),
            *("tags.entities.bulk.add", "figures.tags.bulk.add", "projects.versions.reserve"),
            *("autoflow.folders.shape", "autoflow.folders.remove"),
        ),
        _of_project("projectId"),
    ),
    **dict.fromkeys(("projects.meta.update", "projects.settings.update", "projects.editInfo"), _of_project("id")),
    **dict.fromkeys(
        ("autoflow.transfers.link", methods.NOTES_ADD),
        lambda _conn, _request: [],
    ),
    **dict.fromkeys(("autoflow.transfers.datasets", "autoflow.transfers.put"), _of_project("id")),
    **dict.fromkeys(("datasets.editInfo", "datasets.remove"), _of_rows(datasets, _number("id"))),
    "datasets.move": _of_rows(datasets, _number("srcId")),
    **dict.fromkeys(("images.bulk.add", "annotations.bulk.add"), _of_rows(datasets, _number("datasetId"))),
    "images.editInfo": _of_rows(items, _number("id")),
    **dict.fromkeys(
        ("images.update.links", "images.bulk.set-custom-sort"), _of_rows(items, _in_entries("images", "id"))
    ),
    "images.bulk.remove": _of_rows(items, _numbers("imageIds")),
    "annotations.bulk.copy": _of_rows(items, _numbers("destImageIds")),
    **dict.fromkeys(
        ("image-tags.bulk.add-to-image", "image-tags.bulk.remove-from-images"), _of_rows(items, _numbers("ids"))
    ),
    "image-tags.remove-from-image": _of_rows(items, _number("imageId")),
    "figures.bulk.add": _new_figures,
    "figures.bulk.remove": _of_figures(_numbers("figureIds")),
    **dict.fromkeys(("figures.editInfo", "figures.priority.update"), _of_figures(_number("id"))),
    **dict.fromkeys(("object-tags.add-to-object", "object-tags.remove-from-figure"), _of_figures(_number("figureId"))),
    **dict.fromkeys(
        ("projects.versions.cancel-reservation", "projects.versions.update"), _of_rows(versions, _number("id"))
    ),
    "projects.versions.commit": _commit,
    "projects.add": lambda _conn, request: [scopes.workspace(request.number("workspaceId"))],
}
