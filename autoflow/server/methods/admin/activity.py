"""``teams.activity``: who made what in a team and when, newest first, from the rows that the store has anyway.

Projects and datasets have the SDK's names of actions; ``create_version``, ``create_job``, ``run_app`` and
``upload_file`` are our own. Changes of single images and objects are not stored with their author, and not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from autoflow.model.json_object import JsonObject
from autoflow.server.db import hidden_projects, teams
from autoflow.server.db import jobs as job_store
from autoflow.server.db.schema import datasets, files, jobs, projects, tasks, versions, workspaces
from autoflow.server.db.schema import teams as team_table
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, apply_filter, list_page, page_offset, per_page
from autoflow.server.request_parser import RequestParser

_NO_ID, _NO_NAME = cast(null(), BigInteger), cast(null(), Text)
# The members of an entry that the SDK expects and no action here has.
_ABSENT = dict.fromkeys(("imageId", "image", "classId", "class", "figureId", "tag", "tagId"))


def _events(
    action: str,
    created: tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]],
    *,
    project: bool = False,
    dataset: ColumnElement[Any] = _NO_ID,
    dataset_name: ColumnElement[Any] = _NO_NAME,
    job: ColumnElement[Any] = _NO_ID,
    job_name: ColumnElement[Any] = _NO_NAME,
    name: ColumnElement[Any] = _NO_NAME,
) -> Select[Any]:
    """Return a query for the events of an action; `created` are the id, author and time of what was made."""
    number, author, timestamp = created
    columns: list[ColumnElement[Any]] = [
        literal(action, Text).label("action"),
        number.label("id"),
        author.label("user_id"),
        timestamp.label("date"),
        (projects.c.id if project else _NO_ID).label("project_id"),
        (projects.c.name if project else _NO_NAME).label("project"),
        dataset.label("dataset_id"),
        dataset_name.label("dataset"),
        job.label("job_id"),
        job_name.label("job"),
        name.label("name"),
    ]
    return select(*columns)


def _created(table: Any) -> tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]]:
    return table.c.id, table.c.created_by, table.c.created_at


def _events_of(team_id: int) -> Subquery:
    """Return the events of a team."""
    own_project = (workspaces.c.team_id == team_id, projects.c.state != hidden_projects.STATE)
    version_name = literal("V", Text).concat(cast(versions.c.number, Text))
    in_projects = {
        projects: _events("create_project", _created(projects), project=True),
        datasets: _events(
            "create_dataset", _created(datasets), project=True, dataset=datasets.c.id, dataset_name=datasets.c.name
        ),
        versions: _events("create_version", _created(versions), project=True, name=version_name).where(
            versions.c.status == "committed"
        ),
        jobs: _events("create_job", _created(jobs), project=True, job=jobs.c.id, job_name=jobs.c.name),
    }
    queries = []
    for table, query in in_projects.items():
        joined = query.select_from(table)
        if table is not projects:
            joined = joined.join(projects, projects.c.id == table.c.project_id)
        queries.append(joined.join(workspaces, workspaces.c.id == projects.c.workspace_id).where(*own_project))
    uploaded = (files.c.id, files.c.user_id, files.c.created_at)
    queries.append(_events("run_app", _created(tasks), name=tasks.c.name).where(tasks.c.team_id == team_id))
    queries.append(_events("upload_file", uploaded, name=files.c.path).where(files.c.team_id == team_id))
    return union_all(*queries).subquery()


def _shaped(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    logins = job_store.logins(conn)
    return [
        {
            "userId": row["user_id"],
            "user": logins.get(row["user_id"]),
            "action": row["action"],
            "date": row["date"],
            "projectId": row["project_id"],
            "project": row["project"],
            "datasetId": row["dataset_id"],
            "dataset": row["dataset"],
            "jobId": row["job_id"],
            "job": row["job"],
            **_ABSENT,
            "meta": {} if row["name"] is None else {"id": row["id"], "name": row["name"]},
        }
        for row in rows
    ]


def activity(conn: Connection, request: RequestParser) -> ListPage:
    """``teams.activity`` of a team, by pages, with the filters that the SDK sends."""
    events = _events_of(teams.get(conn, team_table, "team", request.number("teamId"))["id"])
    columns: Mapping[str, ColumnElement[Any]] = {
        "userId": events.c.user_id,
        "projectId": events.c.project_id,
        "jobId": events.c.job_id,
        "type": events.c.action,
        "date": events.c.date,
        "labelerId": _NO_ID,
        "reviewStatus": _NO_NAME,
    }
    query = apply_filter(select(events), columns, request.objects("filter", required=False))
    total = conn.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    size = per_page(request)
    ordered = query.order_by(events.c.date.desc(), events.c.action, events.c.id.desc())
    rows = conn.execute(ordered.limit(size).offset(page_offset(request, size))).mappings().all()
    return list_page(_shaped(conn, rows), total, size)


READS: Mapping[str, Operation] = {"teams.activity": activity}
WRITES: Mapping[str, Operation] = {}
