"""``reports.*``: named widgets that an app shows as a report of its team; their content is stored as it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from autoflow.model.json_object import JsonObject
from autoflow.server import limits, timestamps
from autoflow.server.db import json_codec, teams
from autoflow.server.db.access import check_own, get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.labeling_tables import reports as table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser

_PARTS = frozenset({"name", "type", "subtitle", "area", "content", "options"})


def _get(conn: Connection, number: int) -> RowMapping:
    return get_row(conn, select(table).where(table.c.id == number, visible(conn, table)), "report", number)


def _stored(widgets: list[JsonObject]) -> str:
    if limits.is_deeper(widgets):
        raise Invalid(f'"widgets" are nested deeper than {limits.JSON_DEPTH}', {"field": "widgets"})
    return json_codec.dump(widgets)


def _position(widgets: list[JsonObject], widget_id: Any) -> int:
    """Return the position of a widget; its id is a text or a number, as the app chose it.

    Raises:
        NotFound: the report has none of that id.
    """
    for position, widget in enumerate(widgets):
        if str(widget["id"]) == str(widget_id):
            return position
    raise NotFound("widget", str(widget_id))


def create(conn: Connection, request: RequestParser) -> JsonObject:
    """``reports.create``: widgets without an ``id`` are numbered from 1."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    widgets = [{"id": number, **widget.fields} for number, widget in enumerate(request.objects("widgets"), 1)]
    values = {
        "team_id": team["id"],
        "name": request.text("name"),
        "layout": request.text("layout", ""),
        "widgets": _stored(widgets),
    }
    return {"id": insert_row(conn, table, values)}


def widget(conn: Connection, request: RequestParser) -> JsonObject:
    """``reports.widgets.get`` by the ids of the report and the widget."""
    widgets: list[JsonObject] = json_codec.load(_get(conn, request.number("reportId"))["widgets"])
    return widgets[_position(widgets, request.fields.get("widgetId"))]


def _change(conn: Connection, request: RequestParser, *, keep: bool) -> JsonObject:
    row = _get(conn, request.number("reportId"))
    check_own(conn, table, "report", row["id"])
    widgets: list[JsonObject] = json_codec.load(row["widgets"])
    sent = request.mapping("widget")
    position = _position(widgets, sent.get("id"))
    before = widgets[position] if keep else {"id": widgets[position]["id"]}
    widgets[position] = {**before, **{name: value for name, value in sent.items() if name in _PARTS}}
    changed = {"widgets": _stored(widgets), "updated_at": timestamps.now()}
    conn.execute(update(table).where(table.c.id == row["id"]).values(**changed))
    return widgets[position]


def update_widget(conn: Connection, request: RequestParser) -> JsonObject:
    """``reports.widgets.update``: the members that are sent; the others stay."""
    return _change(conn, request, keep=True)


def rewrite_widget(conn: Connection, request: RequestParser) -> JsonObject:
    """``reports.widgets.rewrite``: all members but the id."""
    return _change(conn, request, keep=False)


READS: Mapping[str, Operation] = {"reports.widgets.get": widget}
WRITES: Mapping[str, Operation] = {
    "reports.create": create,
    "reports.widgets.update": update_widget,
    "reports.widgets.rewrite": rewrite_widget,
}
