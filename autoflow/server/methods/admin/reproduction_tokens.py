"""Restricted tokens for reproductions: ``autoflow.reproduction.token`` and ``autoflow.reproduction.revoke``.

`autoflow reproduce --run` executes recorded code, which must not have the user's token. It gets one that is restricted
to the team of the reproduced task, and to the methods that read and those in `WRITABLE`. Of these, what changes a
project or a task checks that it was made since the token was issued (`db.access.check_own`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.server import authorization
from autoflow.server.db import clock, tasks, tokens
from autoflow.server.db.access import Caller, caller
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
    """``autoflow.reproduction.token`` for a task: ``id``, ``token``, ``expiresAt``; null without authorization."""
    task = tasks.get(conn, request.task)
    requester = caller(conn)
    if requester.teams is None:
        return {"id": None, "token": None, "expiresAt": None}
    tokens.remove_expired(conn, RETENTION)
    token = authorization.generate()
    row = tokens.add(
        conn,
        requester.user,
        authorization.digest(token),
        token[: authorization.PREFIX_LENGTH],
        expires_at=clock.after(conn, LIFETIME),
        task_id=task["id"],
    )
    return {"id": row["id"], "token": token, "expiresAt": row["expires_at"]}


@implements(contract.REPRODUCTION_REVOKE)
def revoke(conn: Connection, request: contract.RevokeTokenRequest) -> Success:
    """``autoflow.reproduction.revoke`` of one of the caller's own tokens by ``id``."""
    tokens.remove_of_reproduction(conn, request.id, caller(conn).user)
    return {"success": True}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = by_name(issue, revoke)
