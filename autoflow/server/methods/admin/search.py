"""``autoflow.search``: everything the caller sees, by a part of its name, or by its number.

Each kind is one query over one table's names: what is called so comes first, then what begins so, then what has it
anywhere, the newest first within each. Letters count alike in both cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, func, or_, select

from autoflow.server import limits
from autoflow.server.db import datasets, items, jobs, projects, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import apps, workspaces
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import files as file_table
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import jobs as job_table
from autoflow.server.db.schema import projects as project_table
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_number, as_text
from autoflow.server.versions import versions

PART = 8  # of each kind
LARGEST = 100
ENOUGH = 2000  # that begin or contain it are ranked; of more, any

Text = ColumnElement[str]


class Kind(NamedTuple):
    """One kind of thing that is looked for.

    Args:
        query: all of them that the caller sees.
        number: their number.
        texts: what they are found by, the name first.
        told: a row as a result: title, detail, link, at.
    """

    query: Callable[[Connection], Select[Any]]
    number: ColumnElement[int]
    texts: Sequence[Text]
    told: Callable[[RowMapping], dict[str, Any]]


def _told(title: str, detail: str, link: str, at: str | None) -> dict[str, Any]:
    return {"title": title, "detail": detail, "link": link, "at": at}


def _datasets(conn: Connection) -> Select[Any]:
    return datasets.listing(conn).add_columns(project_table.c.name.label("project_name"))


def _images(conn: Connection) -> Select[Any]:
    return items.listing(conn).add_columns(project_table.c.name.label("project_name"))


def _versions(conn: Connection) -> Select[Any]:
    return versions.listing(conn).where(projects.ACTIVE).add_columns(project_table.c.name.label("project_name"))


def _files(conn: Connection) -> Select[Any]:
    return select(file_table).where(file_table.c.current, visible(conn, file_table))


KINDS: Mapping[str, Kind] = {
    "project": Kind(
        lambda rows: projects.listing(rows).add_columns(workspaces.c.name.label("workspace_name")),
        project_table.c.id,
        (project_table.c.name, project_table.c.description),
        lambda row: _told(row["name"], row["workspace_name"], f"/projects/{row['id']}", row["updated_at"]),
    ),
    "dataset": Kind(
        _datasets,
        dataset_table.c.id,
        (dataset_table.c.name,),
        lambda row: _told(
            row["name"],
            row["project_name"],
            f"/projects/{row['project_id']}/datasets/{row['id']}",
            row["updated_at"],
        ),
    ),
    "run": Kind(
        tasks.listing,
        task_table.c.id,
        (func.coalesce(apps.c.name, task_table.c.name), task_table.c.name),
        lambda row: _told(
            row["app_name"] or row["name"] or f"Task {row['number']}",
            row["state"],
            f"/apps/sessions/{row['id']}",
            row["started_at"] or row["created_at"],
        ),
    ),
    "file": Kind(
        _files,
        file_table.c.id,
        (file_table.c.name, file_table.c.path),
        lambda row: _told(row["name"], row["path"], f"/files/{row['id']}", row["created_at"]),
    ),
    "version": Kind(
        _versions,
        version_table.c.id,
        (func.coalesce(version_table.c.name, ""), func.coalesce(version_table.c.description, "")),
        lambda row: _told(
            f"V{row['number']} {row['name'] or ''}".strip(),
            row["project_name"],
            f"/projects/{row['project_id']}/versions#v{row['number']}",
            row["created_at"],
        ),
    ),
    "job": Kind(
        jobs.listing,
        job_table.c.id,
        (job_table.c.name,),
        lambda row: _told(row["name"], row["project_name"], f"/labeling/jobs/{row['id']}", row["created_at"]),
    ),
    "image": Kind(
        _images,
        item_table.c.id,
        (item_table.c.name,),
        lambda row: _told(row["name"], row["project_name"], f"/images/{row['id']}", row["updated_at"]),
    ),
}


def _cases(text: str) -> list[str]:
    """A text as it may be written: a database folds the letters of ASCII, SQLite no others."""
    return [text] if text.isascii() else sorted({text, text.lower(), text.upper(), text.title(), text.capitalize()})


def _ranked(kind: Kind, query: Select[Any], text: str, size: int) -> Select[Any]:
    forms = _cases(text)
    name = kind.texts[0]
    exact = or_(*(func.lower(name) == func.lower(form) for form in forms))
    begins = or_(*(name.istartswith(form, autoescape=True) for form in forms))
    within = or_(*(column.icontains(form, autoescape=True) for column in kind.texts for form in forms))
    # of what is in very many names, the newest are as good as any: they are not sorted all
    numbers = query.with_only_columns(kind.number, case((exact, 0), (begins, 1), else_=2).label("rank"))
    some = numbers.where(within).order_by(kind.number.desc()).limit(ENOUGH).subquery()
    best = select(some.c.id).order_by(some.c.rank, some.c.id.desc()).limit(size)
    return query.where(kind.number.in_(best.scalar_subquery()))


def _found(conn: Connection, kind: Kind, text: str, number: int | None, size: int) -> list[dict[str, Any]]:
    """One kind's results; the thing of that number leads."""
    query = kind.query(conn)
    found: list[RowMapping] = []
    if number is not None:
        found += conn.execute(query.where(kind.number == number)).mappings().all()
    if text:
        matching = conn.execute(_ranked(kind, query, text, size + 1)).mappings().all()
        found += [row for row in matching if row["id"] != number]
    return [{"id": row["id"], **kind.told(row)} for row in found]


def _order(text: str, told: Mapping[str, Any]) -> tuple[int, int]:
    title = told["title"].lower()
    return (0 if title == text else 1 if title.startswith(text) else 2, -told["id"])


def search(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.search`` for ``q``: ``{"results": [{"kind", "id", "title", "detail", "link", "at"}],
    "more": [kind]}``.

    ``kinds`` are those looked for (all), ``limit`` how many of each. ``project:7``, ``#7`` and ``7`` name a number.
    """
    text = request.text("q", "", max_length=limits.QUERY).strip()
    asked = [as_text(value) or "" for value in request.array("kinds", required=False)]
    if not KINDS.keys() >= set(asked):
        raise Invalid(f'"kinds" must be some of {", ".join(KINDS)}')
    kind, colon, rest = text.partition(":")
    if colon and kind.lower() in KINDS and as_number(rest) is not None:
        asked, text = [kind.lower()], f"#{rest.strip()}"
    number = as_number(text.removeprefix("#"))
    words = "" if text.startswith("#") and number is not None else text
    size = min(max(request.optional_number("limit") or PART, 1), LARGEST)
    results: list[dict[str, Any]] = []
    more: list[str] = []
    for name in dict.fromkeys(asked) or KINDS:
        found = _found(conn, KINDS[name], words, number, size) if text else []
        first = [one for one in found if one["id"] == number]
        others = sorted((one for one in found if one["id"] != number), key=lambda one: _order(words.lower(), one))
        shown = [*first, *others][:size]
        results += [{"kind": name, **one} for one in shown]
        more += [name] if len(found) > size else []
    return {"results": results, "more": more}


READS: Mapping[str, Operation] = {"autoflow.search": search}
WRITES: Mapping[str, Operation] = {}
