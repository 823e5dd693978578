"""``autoflow.audit.list``: the audit log, for the admins of a team."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.model.model_name import start_of
from autoflow.server.db import audit
from autoflow.server.db.access import caller
from autoflow.server.errors import Forbidden, Invalid
from autoflow.server.methods.admin.members import check_administered
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import audit as contract

DEFAULT_ENTRIES, MAX_ENTRIES = 100, 1000


@implements(contract.AUDIT_LIST)
def list_audit(conn: Connection, request: contract.ListAuditRequest) -> contract.ListAuditResponse:
    """``autoflow.audit.list``.

    Raises:
        Forbidden: the caller is an admin of no team, or not of this one, or the token has not the scope.
        Invalid: a time is not one.
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
        since=_timestamp(request.since, "since"),
        until=_timestamp(request.until, "until"),
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


def _timestamp(text: str | None, field: str) -> str | None:
    try:
        return None if text is None else start_of(text)
    except ValueError as error:
        raise Invalid(f'"{field}": {error}', {"field": field}) from error


READS: Mapping[str, Operation] = by_name(list_audit)
WRITES: Mapping[str, Operation] = {}
