"""The audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Id, Method, Positive, Query


@dataclass(frozen=True, kw_only=True)
class ListAuditRequest:
    """Return entries of the audit log, the newest first; for admins, with a token of scope admin.

    Args:
        team_id: entries of this team alone; without it those of all teams that the caller is an admin of.
        action: an action, as alias.set, or the beginning of several with its dot, as token.
        entity: reference of an entity, as project:7; a model's, as model:lemons, includes its aliases.
        who: login of a user, or user@host.
        since: entries from this day or time on, in ISO 8601, without an offset in UTC.
        until: entries before this day or time.
        before: entries older than the one with this number, to page.
        limit: most entries.
    """

    team_id: Id | None = None
    action: Query | None = None
    entity: Query | None = None
    who: Query | None = None
    since: Query | None = None
    until: Query | None = None
    before: Id | None = None
    limit: Positive | None = None


class AuditEntry(TypedDict):
    """An entry of the audit log.

    Args:
        at: time in ISO 8601.
        who: login of the user at that time, or user@host on the server's own machine.
        action: what was done, as alias.set.
        entity: reference of what it was done to.
        name: a name of the entity that people know; empty for none.
        before: the changed value before; null if there was none.
        after: the changed value after; null if there is none.
        reason: why, in the user's words; empty without.
    """

    id: Id
    at: str
    teamId: Id | None
    who: str
    action: str
    entity: str
    name: str
    before: str | None
    after: str | None
    reason: str


class ListAuditResponse(TypedDict):
    """A part of the audit log.

    Args:
        next: before of the next request; null after the last part.
    """

    entries: list[AuditEntry]
    next: Id | None


AUDIT_LIST = Method(methods.AUDIT_LIST, ListAuditRequest, ListAuditResponse, (404,))
