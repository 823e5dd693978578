"""The kinds of entities that a search finds: their rows, texts and results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from textwrap import shorten
from typing import Any, NamedTuple, TypedDict
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, func, select

from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.db import datasets, items, jobs, models, notes, projects, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.model_tables import models as model_table
from autoflow.server.db.page_tables import notes as note_table
from autoflow.server.db.schema import apps, blobs, workspaces
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import files as file_table
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import jobs as job_table
from autoflow.server.db.schema import projects as project_table
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.versions import versions
from autoflow.wire.contract import admin as contract

NOTE_TITLE = 120  # characters of a note that a result shows

Text = ColumnElement[str]


class Kind(NamedTuple):
    """The search over one table.

    Args:
        query: selects the rows that the caller sees.
        table: the table, whose ids are the numbers.
        texts: the columns that are searched, the name first.
        result: makes a row a result, without its kind and number.
        of_version: the column of the number that is written V4.
        of_hash: the condition that a row has the bytes of a hash, as the wire writes it.
    """

    query: Callable[[Connection], Select[Any]]
    table: Table
    texts: Sequence[Text]
    result: Callable[[RowMapping], ResultTexts]
    of_version: ColumnElement[int] | None = None
    of_hash: Callable[[str], ColumnElement[bool]] | None = None


class ResultTexts(TypedDict):
    """The members of a result but its kind and number."""

    title: str
    detail: str
    link: str
    at: str | None


def _result(title: str, detail: str, link: str, at: str | None) -> ResultTexts:
    return {"title": title, "detail": detail, "link": link, "at": at}


def _datasets(conn: Connection) -> Select[Any]:
    return datasets.listing(conn).add_columns(project_table.c.name.label("project_name"))


def _images(conn: Connection) -> Select[Any]:
    return items.listing(conn).add_columns(project_table.c.name.label("project_name"))


def _versions(conn: Connection) -> Select[Any]:
    return versions.listing(conn).where(projects.ACTIVE).add_columns(project_table.c.name.label("project_name"))


def _files(conn: Connection) -> Select[Any]:
    return select(file_table).where(file_table.c.current, visible(conn, file_table))


def _note_link(row: RowMapping) -> str:
    """Return the address of the map around a noted card; of one that has none, that of its team's first workspace."""
    kind, _, number = row["card"].partition(":")
    workflow = ENTITY_TYPES[kind].workflow if number.isdecimal() and kind in ENTITY_TYPES else ""
    page = workflow.replace("{id}", number) or f"/workspace/{row['workspace_id']}"
    return f"{page}?card={quote(row['card'], safe='')}"


KINDS: Mapping[contract.SearchKind, Kind] = {
    "project": Kind(
        lambda conn: projects.listing(conn).add_columns(workspaces.c.name.label("workspace_name")),
        project_table,
        (project_table.c.name, project_table.c.description),
        lambda row: _result(row["name"], row["workspace_name"], f"/projects/{row['id']}", row["updated_at"]),
    ),
    "dataset": Kind(
        _datasets,
        dataset_table,
        (dataset_table.c.name,),
        lambda row: _result(
            row["name"],
            row["project_name"],
            f"/projects/{row['project_id']}/datasets/{row['id']}",
            row["updated_at"],
        ),
    ),
    "run": Kind(
        tasks.listing,
        task_table,
        (func.coalesce(apps.c.name, task_table.c.name), task_table.c.name),
        lambda row: _result(
            row["app_name"] or row["name"] or f"Task {row['number']}",
            row["state"],
            f"/apps/sessions/{row['id']}",
            row["started_at"] or row["created_at"],
        ),
    ),
    "file": Kind(
        _files,
        file_table,
        (file_table.c.name, file_table.c.path),
        lambda row: _result(row["name"], row["path"], f"/files/{row['id']}", row["created_at"]),
        of_hash=lambda content_hash: file_table.c.hash == content_hash,
    ),
    "model": Kind(
        models.listing,
        model_table,
        (model_table.c.name,),
        lambda row: _result(
            row["name"], f"V{row['latest']}", f"/file?path=model:{quote(row['name'])}", row["latest_at"]
        ),
    ),
    "version": Kind(
        _versions,
        version_table,
        (func.coalesce(version_table.c.name, ""), func.coalesce(version_table.c.description, "")),
        lambda row: _result(
            f"V{row['number']} {row['name'] or ''}".strip(),
            row["project_name"],
            f"/projects/{row['project_id']}/versions#v{row['number']}",
            row["created_at"],
        ),
        of_version=version_table.c.number,
    ),
    "job": Kind(
        jobs.listing,
        job_table,
        (job_table.c.name,),
        lambda row: _result(row["name"], row["project_name"], f"/labeling/jobs/{row['id']}", row["created_at"]),
    ),
    "note": Kind(
        notes.listing,
        note_table,
        (note_table.c.text,),
        lambda row: _result(
            shorten(row["text"], NOTE_TITLE, placeholder="…"),
            f"Note by {row['author'] or 'an unknown user'} on {row['card']}",
            _note_link(row),
            row["created_at"],
        ),
    ),
    "image": Kind(
        _images,
        item_table,
        (item_table.c.name,),
        lambda row: _result(row["name"], row["project_name"], f"/images/{row['id']}", row["updated_at"]),
        of_hash=lambda content_hash: item_table.c.blob_id.in_(
            select(blobs.c.id).where(blobs.c.hash == content_hash).scalar_subquery()
        ),
    ),
}
