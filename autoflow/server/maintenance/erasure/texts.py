"""Names in texts: logs, facts, messages of errors, and whatever else runs and versions say.

A name is replaced where it stands as a whole word, by one that is derived from the erasure's number, so that an entity
keeps one name. Nothing tells whether an equal name of another image was meant, so that it is replaced, too.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, bindparam, or_, select, true, update

from autoflow.server.db import json_codec
from autoflow.server.db.access import caller, visible
from autoflow.server.db.app_tables import collections, task_data
from autoflow.server.db.labeling_tables import issue_comments, issues, labeling_queues, reports
from autoflow.server.db.model_tables import alias_moves, model_versions, models
from autoflow.server.db.page_tables import notes, views
from autoflow.server.db.schema import (
    edges,
    entities,
    jobs,
    logs,
    projects,
    run_values,
    task_facts,
    tasks,
    versions,
)
from autoflow.server.db.webhook_tables import webhook_deliveries, webhooks

MIN_LENGTH = 4  # characters of a name; a shorter one would be replaced everywhere
WINDOW = 2000  # rows that are searched at once
COUNT_SECONDS = 10.0  # of counting the texts of a dry run
_IDENTIFIERS = frozenset({"entity", "entity_key", "card"})  # columns with the number of an entity, or its path
_NUMBER = re.compile(r"(\w+:)?\d+(@.*)?", re.DOTALL | re.ASCII)
_MANY = 20  # names from which on every row is read, instead of a condition for each name


class TextColumns(NamedTuple):
    """Columns with texts.

    Args:
        table: with an integer key, by which it is read.
        plain: columns with texts.
        documents: columns with JSON.
    """

    table: Table
    plain: Sequence[str] = ()
    documents: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """The names of all of them."""
        return [*self.plain, *self.documents]


TEXTS = (
    TextColumns(tasks, ("name", "error"), ("facts", "card_settings")),
    TextColumns(task_facts, (), ("facts",)),
    TextColumns(logs, ("lines",)),
    TextColumns(edges, ("entity", "entity_key"), ("meta",)),
    TextColumns(entities, ("entity", "name")),
    TextColumns(run_values, ("text", "name")),
    TextColumns(task_data, (), ("document",)),
    TextColumns(versions, ("name", "description")),
    TextColumns(projects, ("description", "readme"), ("custom_data", "settings", "import_settings")),
    TextColumns(jobs, ("name", "readme", "description"), ("meta", "custom_data")),
    TextColumns(labeling_queues, ("name", "readme", "description"), ("meta",)),
    TextColumns(issues, ("name",), ("meta",)),
    TextColumns(issue_comments, ("comment",)),
    TextColumns(reports, ("name", "layout"), ("widgets",)),
    TextColumns(model_versions, ("entity", "entity_key")),
    TextColumns(alias_moves, ("reason",)),
    TextColumns(webhook_deliveries, ("error",), ("payload",)),
    TextColumns(collections, ("name", "description"), ("meta",)),
    TextColumns(notes, ("card", "text")),
    TextColumns(views, ("name", "address")),
)


class Redaction:
    """The replacement of names in texts.

    Args:
        names: the names; those that are too short are ignored.
        erasure_id: number of the erasure, None to count matches only.
    """

    def __init__(self, names: Sequence[str], erasure_id: int | None = None) -> None:
        self.too_short = sorted(name for name in names if len(name) < MIN_LENGTH)
        replacements: dict[str, str] = {}
        for number, name in enumerate(sorted(set(names) - set(self.too_short)), 1):
            # two forms of a name may be two entities of one run
            replacements |= {quote(name): f"erased-{erasure_id}-{number}q", name: f"erased-{erasure_id}-{number}"}
        self._replacements = replacements
        # the longest first: a name may begin with another one
        forms = sorted(map(re.escape, replacements), key=len, reverse=True)
        # a hyphen belongs to a longer name, but at the beginning of a line: that is a patch's
        pattern = rf"(?:(?<![\w.-])|(?<=^-))(?:{'|'.join(forms)})(?!\w)"
        self._pattern = re.compile(pattern, re.MULTILINE) if forms else None

    @property
    def is_empty(self) -> bool:
        """True if there is no name to search for."""
        return self._pattern is None

    def text(self, text: str) -> str:
        """Return a text without the names."""
        return text if self._pattern is None else self._pattern.sub(lambda match: self._replacements[match[0]], text)

    def value(self, value: Any) -> Any:
        """Return a JSON value without the names; a key is changed only if the name has a suffix."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(part) for part in value]
        if isinstance(value, dict):
            return {self.text(key) if "." in key else key: self.value(part) for key, part in value.items()}
        return value

    def may_match(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """Return a condition that rows with a name in a column meet, and few others."""
        forms = {form for name in self._replacements for form in (name, json.dumps(name)[1:-1])}
        if len(forms) > 2 * _MANY:
            return column.is_not(None)
        return or_(*(column.contains(form, autoescape=True) for form in sorted(forms)))


class Window(NamedTuple):
    """A part of a table that was searched.

    Args:
        keys: of the rows that have a name.
        position: the key after which the next part begins, None at the end.
    """

    keys: list[dict[str, Any]]
    position: list[Any] | None


def search(conn: Connection, text_columns: TextColumns, redaction: Redaction, after: Sequence[Any] | None) -> Window:
    """Search the next rows of a table for names.

    Args:
        conn: the transaction.
        text_columns: where to look.
        redaction: the names.
        after: the position that the previous call returned, None at the start.
    """
    table = text_columns.table
    key = list(table.primary_key.columns)
    names = dict.fromkeys([*_names(key), *text_columns.columns])
    query = select(*(table.c[name] for name in names)).where(of_team(conn, table))
    if after is not None:
        query = query.where(_after(key, after))
    rows = query.order_by(*key).limit(WINDOW).subquery()
    matches = or_(*(redaction.may_match(rows.c[name]) for name in text_columns.columns))
    matching = conn.execute(select(rows).where(matches)).mappings()
    keys = [{name: row[name] for name in _names(key)} for row in matching if _changed(row, text_columns, redaction)]
    last = select(*(rows.c[name] for name in _names(key))).offset(WINDOW - 1).limit(1)
    position = conn.execute(last.order_by(*(rows.c[name] for name in _names(key)))).first()
    return Window(keys, list(position) if position is not None else None)


def _names(columns: Sequence[ColumnElement[Any]]) -> list[str]:
    return [str(column.key) for column in columns]


def _after(key: Sequence[ColumnElement[Any]], position: Sequence[Any]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = key[-1] > position[-1]
    for column, value in zip(reversed(key[:-1]), reversed(position[:-1]), strict=True):
        condition = or_(column > value, (column == value) & condition)
    return condition


def _changed(row: Mapping[str, Any] | RowMapping, text_columns: TextColumns, redaction: Redaction) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in text_columns.columns:
        old = row[name]
        if old is None or (name in _IDENTIFIERS and _NUMBER.fullmatch(old)):
            continue
        if name in text_columns.documents:
            document = json_codec.load(old)
            new_document = redaction.value(document)
            new = old if new_document == document else json_codec.dump(new_document)
        else:
            new = redaction.text(old)
        if new != old:
            values[name] = new
    return values


def replace(
    conn: Connection, text_columns: TextColumns, redaction: Redaction, keys: Sequence[Mapping[str, Any]]
) -> int:
    """Replace the names in rows, as they are now, in a write transaction; return the number of changed rows."""
    table = text_columns.table
    changed = 0
    for key in keys:
        same = [table.c[name] == bindparam(f"key_{name}") for name in key]
        parameters = {f"key_{name}": value for name, value in key.items()}
        row = conn.execute(select(table).where(*same).with_for_update(), parameters).mappings().first()
        values = _changed(row, text_columns, redaction) if row is not None else {}
        if values:
            conn.execute(update(table).where(*same).values(**values), parameters)
            changed += 1
    return changed


def count(conn: Connection, redaction: Redaction, until: float) -> tuple[int, bool]:
    """Return how many rows have a name, and whether all were read before a time of the monotonic clock."""
    total = 0
    for text_columns in TEXTS if not redaction.is_empty else ():
        after: list[Any] | None = None
        while True:
            if time.monotonic() > until:
                return total, False
            window = search(conn, text_columns, redaction, after)
            total += len(window.keys)
            after = window.position
            if after is None:
                break
    return total, True


def of_team(conn: Connection, table: Table) -> ColumnElement[bool]:
    """Return the condition that a row with texts belongs to a team of the caller."""
    if caller(conn).teams is None:
        return true()
    if table is webhook_deliveries:
        return table.c.webhook_id.in_(select(webhooks.c.id).where(visible(conn, webhooks)))
    if "model_id" in table.c:
        return table.c.model_id.in_(select(models.c.id).where(visible(conn, models)))
    if "task_id" in table.c and table is not edges:
        return table.c.task_id.in_(select(tasks.c.id).where(visible(conn, tasks)))
    return visible(conn, table)
