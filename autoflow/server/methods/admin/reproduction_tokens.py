"""Restricted tokens for reproductions: ``autoflow.reproduction.token``, ``.view`` and ``.revoke``.

`autoflow reproduce --run` executes recorded code, which must not have the user's token. It gets one that is restricted
to the team of the reproduced task, and to the methods that read and those in `WRITABLE`. Of these, what changes a
project or a task checks that it was made since the token was issued (`db.access.check_own`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.server import authorization
from autoflow.server.db import (
    audit,
    change_tracking,
    clock,
    datasets,
    files,
    projects,
    reproduction_view,
    roles,
    tasks,
    tokens,
)
from autoflow.server.db.access import Caller, caller, not_own
from autoflow.server.db.reproduction_view import ReproductionView
from autoflow.server.errors import Forbidden
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire import methods
from autoflow.wire.contract import admin as contract
from autoflow.wire.contract.method import Success

LIFETIME = 24 * 3600  # seconds
RETENTION = 7 * LIFETIME  # seconds for which an expired token is stored, so that the error can say that it expired

# The methods outside READS and DOWNLOADS that the token may call: they add rows, or change a project or task that
# the reproduction made. All other methods are refused.
WRITABLE = frozenset(
    {
        methods.RECORDS_ADD,
        methods.RUNS_ENSURE,
        methods.TASKS_ENSURE,
        *methods.ADD_EDGE.values(),
        "tasks.output.set",
        "tasks.status.update",
        "tasks.meta.update",
        "tasks.logs.add",
        "tasks.data.set",
        "tasks.app-v2.data.set",
        "projects.add",
        "projects.clone",
        "projects.editInfo",
        "projects.meta.update",
        "projects.settings.update",
        "datasets.add",
        "images.internal.hashes.list",
        "images.bulk.upload",
        "images.bulk.add",
        "annotations.bulk.add",
        "figures.bulk.add",
        "figures.bulk.upload.geometry",
        "tags.bulk.add",
        "tags.entities.bulk.add",
        "image-tags.bulk.add-to-image",
        "file-storage.upload",
        "file-storage.bulk.upload",
        methods.FOLDER_UPLOAD,
        methods.FOLDER_LOOK,
        methods.FOLDER_PATHS,
        methods.FOLDER_SHAPE,
        methods.FOLDER_PUT,
        methods.SNAPSHOT,
    }
)


def check_writable(method: str, requester: Caller) -> None:
    """Check that a caller's token may call a method that writes.

    Raises:
        Forbidden: it is a reproduction's token, and the method is not in `WRITABLE`.
    """
    if requester.since is not None and method not in WRITABLE:
        raise Forbidden(f"the token of a reproduction must not call {method}: use a token of your own")


@implements(contract.REPRODUCTION_ISSUE)
def issue(conn: Connection, request: contract.IssueTokenRequest) -> contract.IssueTokenResponse:
    """``autoflow.reproduction.token`` for a task: ``id``, ``token``, ``expiresAt``.

    A server that needs no token issues one too: it tells the command's requests from others.
    """
    task = tasks.get(conn, request.task)
    requester = caller(conn)
    tokens.remove_expired(conn, RETENTION)
    token = authorization.generate_for_reproduction()
    row = tokens.add(
        conn,
        requester.user,
        authorization.digest(token),
        token[: authorization.PREFIX_LENGTH],
        expires_at=clock.after(conn, LIFETIME),
        task_id=task["id"],
        scope=authorization.UNRESTRICTED if requester.teams is None else roles.WRITE,
    )
    return {"id": row["id"], "token": token, "expiresAt": row["expires_at"]}


@implements(contract.REPRODUCTION_REVOKE)
def revoke(conn: Connection, request: contract.RevokeTokenRequest) -> Success:
    """``autoflow.reproduction.revoke`` of one of the caller's own tokens by ``id``."""
    tokens.remove_of_reproduction(conn, request.id, caller(conn).user)
    return {"success": True}


@implements(contract.REPRODUCTION_VIEW)
def set_view(conn: Connection, request: contract.ReproductionViewRequest) -> contract.ReproductionViewResponse:
    """``autoflow.reproduction.view`` of one of the caller's own tokens: the data that replaces the recorded."""
    token = tokens.get_of_reproduction(conn, request.id, caller(conn).user)
    task = tasks.get(conn, token["task_id"])
    numbers: dict[int, int] = {}
    names: dict[int, str] = {}
    restored_datasets: dict[int, int] = {}
    replaced_names: dict[str, int] = {}
    for project in request.projects:
        restored = projects.get(conn, project.restored)
        if restored["created_by"] != token["user_id"] or restored["created_at"] < token["created_at"]:
            raise not_own("project", project.restored)
        numbers[project.recorded], names[project.recorded] = project.restored, project.name
        restored_datasets.update(datasets.counterparts(conn, project.recorded, project.restored))
        if not projects.is_named(conn, project.recorded, project.name):
            replaced_names[project.name] = project.restored
    for dataset in request.datasets:
        if datasets.get(conn, dataset.restored)["project_id"] not in numbers.values():
            raise not_own("dataset", dataset.restored)
        restored_datasets[dataset.recorded] = dataset.restored
    view = ReproductionView(
        task["id"],
        # the clock of the run's machine, and that of the server: the later one hides less
        before=max(task["started_at"] or "", task["created_at"]),
        projects=numbers,
        datasets=restored_datasets,
        names=names,
        replaced_names=replaced_names,
        files={files.normalize_path(file.path): files.get(conn, file.id)["id"] for file in request.files},
        publish=request.publish,
    )
    tokens.set_view(conn, token["id"], view.to_text())
    return {"namespace": view.namespace}


@implements(contract.REPRODUCTION_DISCARD)
def discard(conn: Connection, request: contract.DiscardReproductionRequest) -> contract.DiscardReproductionResponse:
    """``autoflow.reproduction.discard`` of one of the caller's own tokens: remove what was restored and written."""
    token = tokens.get_of_reproduction(conn, request.id, caller(conn).user)
    task = tasks.get(conn, token["task_id"])
    view = reproduction_view.from_text(token["view"], task["id"], token["created_at"])
    if view is None:
        return {"projects": 0, "files": 0}
    own = [
        row["id"]
        for row in projects.created_since(conn, token["user_id"], token["created_at"])
        if row["id"] in view.projects.values() or (view.suffix and row["name"].endswith(view.suffix))
    ]
    for number in own:
        row = change_tracking.lock_project(conn, number)
        projects.remove(conn, row["id"])
        team_id = projects.team_of(conn, row["id"])
        audit.record(conn, "project.delete", f"project:{row['id']}", team_id=team_id, name=row["name"])
    folder = view.namespace + "/"
    paths = [
        row["path"]
        for row in (files.list_folder(conn, task["team_id"], folder) if view.namespace else ())
        if row["created_at"] >= token["created_at"] and row["user_id"] == token["user_id"]
    ]
    for path in paths:
        files.retire(conn, task["team_id"], path)
    if paths:
        audit.record(conn, "file.delete", folder, team_id=task["team_id"], name=f"{len(paths):,} files")
    return {"projects": len(own), "files": len(paths)}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = by_name(issue, set_view, discard, revoke)
