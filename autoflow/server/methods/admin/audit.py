"""``autoflow.audit.list``: the audit log, for the admins of a team."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.server.db import audit
from autoflow.server.db.access import caller
from autoflow.server.errors import Forbidden
from autoflow.server.methods.admin.members import check_administered
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import audit as contract

DEFAULT_ENTRIES, MAX_ENTRIES = 100, 1000


@implements(contract.AUDIT_LIST)
def list_audit(conn: Connection, request: contract.ListAuditRequest) -> contract.ListAuditResponse:
    """``autoflow.audit.list``.

    Raises:
        Forbidden: the caller is an admin of no team, or not of this one, or the token has not the scope.
    """
    if request.team_id is not None:
        check_administered(conn, request.team_id)
    administered = caller(conn).administered
    if administered is not None and not administered:
        raise Forbidden("the audit log is for the admins of a team, with a token of scope admin")
    limit = min(request.limit or DEFAULT_ENTRIES, MAX_ENTRIES)
    rows = audit.latest(
        conn,
        administered=administered,
        team_id=request.team_id,
        action=request.action,
        entity=request.entity,
        who_did=request.who,
        since=request.since,
        until=request.until,
        before_id=request.before,
        limit=limit + 1,
    )
    entries: list[contract.AuditEntry] = [
        {
            "id": row["id"],
            "at": row["at"],
            "teamId": row["team_id"],
            "who": row["who"],
            "action": row["action"],
            "entity": row["entity"],
            "name": row["name"],
            "before": row["before"],
            "after": row["after"],
            "reason": row["reason"],
        }
        for row in rows[:limit]
    ]
    return {"entries": entries, "next": entries[-1]["id"] if len(rows) > limit else None}


READS: Mapping[str, Operation] = by_name(list_audit)
WRITES: Mapping[str, Operation] = {}
