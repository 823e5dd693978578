"""Restores a version as a new project: its rows are copied in batches, and the project is published when complete.

A project that is being restored is not listed and cannot be changed. Each batch is a short transaction that also renews
a lease; if the client goes away, the lease expires and `maintenance.purge` deletes the copy. All content is checked
first, so that a version that cannot be restored leaves nothing behind. No files are copied. The batch size is adapted,
so that the write lock is held briefly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypedDict

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import hidden_projects, json_codec, projects, scopes
from autoflow.server.db.access import visible
from autoflow.server.db.engine import CallerStore, Store
from autoflow.server.db.item_content import ContentRow, format_digest, sum_row_hashes
from autoflow.server.db.schema import items
from autoflow.server.db.schema import projects as table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.versions import copying, snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef

BATCH_SECONDS = 0.04  # the duration of a batch that the size is adapted to
SMALLEST_BATCH, FIRST_BATCH, LARGEST_BATCH = 1_000, 2_000, 20_000  # items of a batch
DATASET_BATCH = 500  # of a batch
CHECK_SECONDS = 0.1  # of checking content between two write transactions
NAMES_SHOWN = 100  # of items that are left out

_PhaseName = Literal["look", "datasets", "items", "done"]


class _Missed(TypedDict):
    count: int
    size: int
    sum: str
    names: list[str]


class _Erased(TypedDict):
    count: int
    size: int
    sum: str


class _Plan(TypedDict):
    """The state of a restore, stored as the hidden project's custom data.

    Args:
        version: id of the version.
        skip: whether items without content are left out.
        after: position in the phase; None when nothing is left of it.
        batch: items of the next batch.
        copied: items copied so far.
        total: items of the version.
        missed: what is left out: the number of items, their bytes, the sum of their hashes, the first names.
        erased: the same of items that were erased, which have no names.
        custom: custom data of the complete project.
    """

    version: int
    skip: bool
    phase: _PhaseName
    after: int | None
    batch: int
    copied: int
    total: int
    missed: _Missed
    erased: _Erased
    custom: JsonObject


class RestoreProgress(NamedTuple):
    """The progress of a restore.

    Args:
        done: whether the project is complete.
        id, name: the new project's.
        copied, total: numbers of items.
        missed: the number of items left out because their content is missing.
        names: the names of some of those.
        erased: the number of items of the version that were erased.
    """

    done: bool
    id: int
    name: str
    copied: int
    total: int
    missed: int
    names: list[str]
    erased: int


def begin(
    conn: Connection,
    version: RowMapping,
    workspace_id: int | None = None,
    name: str | None = None,
    description: str | None = None,
    *,
    skip_missed: bool = False,
) -> int:
    """Start restoring a version, in a write transaction; return the new project's id.

    Raises:
        Invalid: the version is of an older autoflow, which kept no history of its rows.
        NotFound: the workspace is unknown.
    """
    if not versions.has_all_rows(version):
        raise Invalid(
            f"version {version['id']} was made by an older autoflow, which kept no history, and project "
            f"{version['project_id']} has changed since: it cannot be restored"
        )
    source = conn.execute(select(table).where(table.c.id == version["project_id"])).mappings().one()
    origin = {"project_id": source["id"], "version_num": version["number"], "version_id": version["id"]}
    workspace = workspace_id or source["workspace_id"]
    number = projects.add(
        conn,
        workspace,
        projects.unused_name(conn, workspace, name or f"{source['name']}, from ver. {version['number']}"),
        description=_described(version) if description is None else description,
        **{column: source[column] for column in ("readme", "type", "settings", "import_settings")},
        state=hidden_projects.STATE,
    )
    _save(
        conn,
        number,
        {
            "version": version["id"],
            "skip": skip_missed,
            "phase": "look",
            "after": 0,
            "batch": FIRST_BATCH,
            "copied": 0,
            "total": version["items_count"],
            "missed": {"count": 0, "size": 0, "sum": "0", "names": []},
            "erased": _erased_in(conn, version),
            "custom": {**json_codec.load(source["custom_data"]), "restored_from": origin},
        },
    )
    return number


def _erased_in(conn: Connection, version: RowMapping) -> _Erased:
    rows = copying.erased_items(conn, SnapshotRef.of(version))
    size = sum(row["size"] or 0 for row in rows)
    return {"count": len(rows), "size": size, "sum": format_digest(sum_row_hashes(items, rows, {}))}


def _described(version: RowMapping) -> str:
    source = f"Source project ID: {version['project_id']}, version ID: {version['id']}"
    return f"Restored from version {version['number']}. {source}"


def step(store: Store | CallerStore, number: int) -> RestoreProgress:
    """Continue a restore by one batch.

    Raises:
        NotFound: there is no such restore, or its lease has expired.
        Invalid: content is missing, or the version was deleted or is damaged; the new project is removed.
    """
    with store.read() as conn:
        project = _project(conn, number)
        if project["state"] == "active":
            return _progress_of(project)
        plan: _Plan = json_codec.load(project["custom_data"])
        version = _version(conn, plan)
        ahead = _PHASES[plan["phase"]].read(conn, version, plan) if version is not None else None
    with store.write(scope=[scopes.project(number)]) as conn:
        now = _project(conn, number)
        if now["custom_data"] != project["custom_data"]:
            return _progress_of(now)  # another call has continued it meanwhile
        # what was read ahead stays valid while the version exists
        version = _version(conn, plan)
        problem = _write_batch(conn, number, version, plan, ahead)
        if problem is not None:
            hidden_projects.abandon(conn, number)
    if problem is not None:
        raise Invalid(problem)
    return _progress_of({**now, "custom_data": json_codec.dump(plan)})


def _write_batch(conn: Connection, number: int, version: RowMapping | None, plan: _Plan, ahead: Any) -> str | None:
    """Write the batch that was read ahead; return the problem as text if the restore cannot continue."""
    if version is None:
        return f"version {plan['version']} was deleted before it was restored"
    problem = _PHASES[plan["phase"]].write(conn, number, version, plan, ahead)
    if problem is None and plan["phase"] == "done":
        _publish(conn, number, version, plan)
    elif problem is None:
        _save(conn, number, plan)
    return problem


def _project(conn: Connection, number: int) -> RowMapping:
    query = select(table).where(table.c.id == number, visible(conn, table), table.c.state != "removed")
    project = conn.execute(query).mappings().one_or_none()
    if project is not None:
        custom_data = json_codec.load(project["custom_data"])
        if ("restored_from" in custom_data) if project["state"] == "active" else _is_plan(custom_data):
            return project
    raise NotFound("restore", number)


def _is_plan(custom_data: JsonObject) -> bool:
    """Return whether a hidden project is being restored, and not created in another way."""
    return "phase" in custom_data and "version" in custom_data


def _version(conn: Connection, plan: _Plan) -> RowMapping | None:
    query = select(version_table).where(version_table.c.id == plan["version"], versions.COMMITTED)
    return conn.execute(query).mappings().one_or_none()


def _save(conn: Connection, number: int, plan: _Plan) -> None:
    hidden_projects.renew(conn, number, custom_data=json_codec.dump(plan))


def _progress_of(project: ContentRow) -> RestoreProgress:
    plan: _Plan = json_codec.load(project["custom_data"])
    if project["state"] == "active":
        count = project["items_count"]
        return RestoreProgress(True, project["id"], project["name"], count, count, 0, [], 0)
    missed = plan["missed"]
    return RestoreProgress(
        plan["phase"] == "done",
        project["id"],
        project["name"],
        plan["copied"],
        plan["total"] - missed["count"] - plan["erased"]["count"],
        missed["count"],
        missed["names"],
        plan["erased"]["count"],
    )


# -- the phases: each reads a batch ahead, then writes it; a problem is returned as text


def _read_missing(conn: Connection, version: RowMapping, plan: _Plan) -> None:
    """Search for items whose content is missing, for `CHECK_SECONDS`."""
    ref, until = SnapshotRef.of(version), time.monotonic() + CHECK_SECONDS
    known = snapshot.original_ids(snapshot.datasets_at(conn, ref))
    while plan["after"] is not None and time.monotonic() < until:
        rows = copying.items_without_content(conn, ref, plan["after"], FIRST_BATCH)
        missed = plan["missed"]
        plan["missed"] = {
            "count": missed["count"] + len(rows),
            "size": missed["size"] + sum(row["size"] or 0 for row in rows),
            "sum": format_digest(int(missed["sum"], 16) + sum_row_hashes(items, rows, known)),
            "names": [*missed["names"], *(row["name"] for row in rows)][:NAMES_SHOWN],
        }
        plan["after"] = rows[-1]["id"] if len(rows) == FIRST_BATCH else None


def _check_missing(_conn: Connection, _number: int, version: RowMapping, plan: _Plan, _ahead: Any) -> str | None:
    if plan["after"] is not None:
        return None
    missed = plan["missed"]
    if missed["count"] and not plan["skip"]:
        return (
            f"the content of {missed['count']} items of version {version['id']} is missing, the first one is "
            f"{missed['names'][0]!r}: restore it without them, or upload them again"
        )
    plan["phase"], plan["after"] = "datasets", 0
    return None


def _read_datasets(conn: Connection, version: RowMapping, _plan: _Plan) -> list[RowMapping]:
    return snapshot.datasets_at(conn, SnapshotRef.of(version))


def _copy_datasets(
    conn: Connection, number: int, version: RowMapping, plan: _Plan, ahead: list[RowMapping]
) -> str | None:
    start = plan["after"] or 0
    upto = start + DATASET_BATCH
    copying.copy_datasets(conn, number, ahead[start:upto], snapshot.original_ids(ahead))
    plan["after"] = upto
    if upto >= len(ahead):
        copying.copy_meta(conn, number, SnapshotRef.of(version))
        plan["phase"], plan["after"] = "items", 0
    return None


def _read_items(conn: Connection, version: RowMapping, plan: _Plan) -> copying.Window:
    ref = SnapshotRef.of(version)
    return copying.with_tag_ids(conn, ref, copying.next_window(conn, ref, plan["after"] or 0, plan["batch"]))


def _copy_items(conn: Connection, number: int, version: RowMapping, plan: _Plan, ahead: copying.Window) -> str | None:
    started = time.monotonic()
    skip = plan["missed"]["count"] > 0
    plan["copied"] += copying.copy_items(conn, number, SnapshotRef.of(version), ahead, skip=skip)
    plan["after"] = ahead.upto
    pace = BATCH_SECONDS / max(time.monotonic() - started, 1e-4)
    plan["batch"] = int(min(max(plan["batch"] * min(max(pace, 0.5), 2), SMALLEST_BATCH), LARGEST_BATCH))
    if ahead.upto is not None:
        return None
    plan["erased"] = _erased_in(conn, version)  # since the beginning, too
    expected = plan["total"] - plan["missed"]["count"] - plan["erased"]["count"]
    if plan["copied"] != expected:
        return f"version {version['id']} is damaged: it has {plan['copied']} items instead of {expected}"
    plan["phase"] = "done"
    return None


def _publish(conn: Connection, number: int, version: RowMapping, plan: _Plan) -> None:
    """Publish the project; its digest is the version's, as its content is."""
    missed, erased = plan["missed"], plan["erased"]
    left_out = int(missed["sum"], 16) + int(erased["sum"], 16)
    values = {
        "custom_data": json_codec.dump(plan["custom"]),
        "items_count": plan["copied"],
        "size": version["size"] - missed["size"] - erased["size"],
        "digest": format_digest(int(version["digest"], 16) - left_out),
        "change_seq": 1,
    }
    hidden_projects.publish(conn, number, **values)


class _Phase(NamedTuple):
    read: Callable[[Connection, RowMapping, _Plan], Any]
    write: Callable[[Connection, int, RowMapping, _Plan, Any], str | None]


_PHASES: Mapping[_PhaseName, _Phase] = {
    "look": _Phase(_read_missing, _check_missing),
    "datasets": _Phase(_read_datasets, _copy_datasets),
    "items": _Phase(_read_items, _copy_items),
}
