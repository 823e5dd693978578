"""``webhooks.*``: addresses that get a team's events; for the admins of the team. See `server.webhook_delivery`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import json_codec, webhooks
from autoflow.server.db.webhook_tables import webhooks as table
from autoflow.server.errors import Invalid
from autoflow.server.methods.admin.members import check_administered
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser
from autoflow.server.webhook_request import check_url
from autoflow.wire.contract import webhooks as contract
from autoflow.wire.contract.method import Success

DEFAULT_ENTRIES, MAX_ENTRIES = 50, 500
MAX_RETRIES, MAX_DELAY, MAX_HEADERS, MAX_VALUE = 100, 3600, 20, 1000
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
_RESERVED = ("host", "content-", "user-agent", "x-autoflow-", "transfer-", "connection")
_COLUMNS = {
    "id": table.c.id,
    "action": table.c.action,
    "url": table.c.url,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def _to_wire(row: RowMapping) -> JsonObject:
    return {
        "id": row["id"],
        "teamId": row["team_id"],
        "action": row["action"],
        "url": row["url"],
        "meta": json_codec.load(row["meta"]),
        "createdBy": row["created_by"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _all_to_wire(rows: Sequence[RowMapping]) -> list[JsonObject]:
    return [_to_wire(row) for row in rows]


def _action(request: RequestParser) -> str:
    action = request.text("action")
    if action not in webhooks.ACTIONS:
        raise Invalid(f'"action" must be one of {", ".join(webhooks.ACTIONS)}', {"field": "action"})
    return action


def _url(request: RequestParser) -> str:
    url = request.text("url")
    try:
        check_url(url)
    except ValueError as error:
        raise Invalid(f'"url": {error}', {"field": "url"}) from error
    return url


def _meta(request: RequestParser) -> dict[str, Any]:
    """Return the options of a webhook that a request sets."""
    own = RequestParser(request.mapping("meta"), "meta.")
    values: dict[str, Any] = {}
    for name, most in (("retriesCount", MAX_RETRIES), ("retriesDelay", MAX_DELAY)):
        if own.has(name):
            values[name] = own.number(name)
            if not 0 <= values[name] <= most:
                raise Invalid(f'"meta.{name}" must be from 0 to {most}', {"field": name})
    for name in ("followRedirect", "rejectUnauthorized"):
        if own.has(name):
            values[name] = own.flag(name, default=True)
    if own.has("headers"):
        values["headers"] = _headers(own.mapping("headers"))
    return values


def _headers(sent: Mapping[str, Any]) -> dict[str, str]:
    if len(sent) > MAX_HEADERS:
        raise Invalid(f'"meta.headers" must have at most {MAX_HEADERS} members', {"field": "headers"})
    for name, value in sent.items():
        text = str(value) if isinstance(value, (str, int)) else ""
        plain = text.isascii() and text.isprintable() and len(text) <= MAX_VALUE
        if not _HEADER.fullmatch(name) or name.lower().startswith(_RESERVED) or not text or not plain:
            raise Invalid(f'"meta.headers": {name!r} is not a header that can be set', {"field": "headers"})
    return {name: str(value) for name, value in sent.items()}


def _get_own(conn: Connection, number: int) -> RowMapping:
    row = webhooks.get(conn, number)
    check_administered(conn, row["team_id"])
    return row


def list_webhooks(conn: Connection, request: RequestParser) -> ListPage:
    """``webhooks.list`` of a team."""
    team_id = request.number("teamId")
    check_administered(conn, team_id)
    return page(conn, webhooks.listing(conn).where(table.c.team_id == team_id), _COLUMNS, request, _all_to_wire)


def webhook(conn: Connection, request: RequestParser) -> JsonObject:
    """``webhooks.info`` by id."""
    return _to_wire(_get_own(conn, request.number("id")))


def add(conn: Connection, request: RequestParser) -> JsonObject:
    """``webhooks.add``; the ``secret`` of the response, by which requests are signed, is returned this once."""
    team_id = request.number("teamId")
    check_administered(conn, team_id)
    row = webhooks.add(conn, team_id, _action(request), _url(request), _meta(request))
    return {**_to_wire(row), "secret": row["secret"]}


def edit(conn: Connection, request: RequestParser) -> JsonObject:
    """``webhooks.update``: the url, the action, and options."""
    row = _get_own(conn, request.number("id"))
    values: dict[str, Any] = {}
    if request.has("action"):
        values["action"] = _action(request)
    if request.has("url"):
        values["url"] = _url(request)
    if request.has("meta"):
        values["meta"] = json_codec.dump({**json_codec.load(row["meta"]), **_meta(request)})
    webhooks.change(conn, row, values)
    return _to_wire(webhooks.get(conn, row["id"]))


def remove_many(conn: Connection, request: RequestParser) -> Success:
    """``webhooks.bulk.remove`` by ``ids``; what waits for them is not delivered."""
    for number in request.unique_numbers("ids"):
        webhooks.remove(conn, _get_own(conn, number))
    return {"success": True}


def test(conn: Connection, request: RequestParser) -> JsonObject:
    """``webhooks.test``: add an event with a ``payload``, which is delivered as others are.

    It goes to a webhook by ``id``, else to all of the team for an ``action``.
    """
    team_id = request.number("teamId")
    check_administered(conn, team_id)
    payload = request.mapping("payload")
    if limits.is_deeper(payload):
        raise Invalid(f'"payload" is nested deeper than {limits.JSON_DEPTH}', {"field": "payload"})
    if len(json_codec.dump(payload)) > limits.WEBHOOK_PAYLOAD:
        raise Invalid(f'"payload" is longer than {limits.WEBHOOK_PAYLOAD} bytes', {"field": "payload"})
    data = {"test": True, **payload}
    if request.has("id"):
        row = _get_own(conn, request.number("id"))
        if row["team_id"] != team_id:
            raise Invalid(f"webhook {row['id']} is not of team {team_id}", {"field": "teamId"})
        webhooks.enqueue(conn, row, _action(request) if request.has("action") else row["action"], data)
    else:
        webhooks.notify(conn, team_id, _action(request), data)
    return {"success": True}


@implements(contract.WEBHOOK_DELIVERIES)
def deliveries(conn: Connection, request: contract.WebhookDeliveriesRequest) -> contract.WebhookDeliveriesResponse:
    """``autoflow.webhooks.deliveries`` of a webhook, the latest first."""
    row = _get_own(conn, request.id)
    limit = min(request.limit or DEFAULT_ENTRIES, MAX_ENTRIES)
    rows = webhooks.deliveries(conn, row["id"], request.before, limit + 1)
    entries: list[contract.WebhookDelivery] = [
        {
            "id": entry["id"],
            "event": entry["event"],
            "action": entry["action"],
            "state": entry["state"],
            "attempts": entry["attempts"],
            "error": entry["error"],
            "nextAt": entry["next_at"] if entry["state"] == "waiting" else None,
            "createdAt": entry["created_at"],
            "updatedAt": entry["updated_at"],
        }
        for entry in rows[:limit]
    ]
    return {"deliveries": entries, "next": entries[-1]["id"] if len(rows) > limit else None}


READS: Mapping[str, Operation] = {
    "webhooks.list": list_webhooks,
    "webhooks.info": webhook,
    **by_name(deliveries),
}
WRITES: Mapping[str, Operation] = {
    "webhooks.add": add,
    "webhooks.update": edit,
    "webhooks.bulk.remove": remove_many,
    "webhooks.test": test,
}
