"""A version as a new project: its rows are copied some at a time, and the project is shown when all are there.

A project that is being restored is in nobody's list and changed by nobody. Each batch is a short transaction of its
own that also renews the lease; when a client goes away its lease runs out, and `purging` removes what it had begun.
First all content is looked for, so that a version that cannot be restored leaves nothing. No bytes are moved. Batches
find their own size, as the store's write lock is not to be held for long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, select

from autoflow.server.db import hidden_projects, json_codec, projects
from autoflow.server.db.access import visible
from autoflow.server.db.engine import CallerStore, Store
from autoflow.server.db.item_content import ContentRow, format_digest, sum_row_hashes
from autoflow.server.db.schema import items
from autoflow.server.db.schema import projects as table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.versions import copying, snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef

BATCH_SECONDS = 0.04  # seconds that a batch is meant to take
SMALLEST_BATCH, FIRST_BATCH, LARGEST_BATCH = 1_000, 2_000, 20_000  # items of a batch
DATASET_BATCH = 500  # of a batch
CHECK_SECONDS = 0.1  # seconds that content is looked for between two transactions that write
NAMES_SHOWN = 100  # names of missed items that are told

_Plan = dict[str, Any]


class RestoreProgress(NamedTuple):
    """How far a restore is.

    Args:
        done: whether the project is there.
        id, name: the new project's.
        copied, total: items.
        missed: how many were left out, as their content is not there.
        names: of some of those.
    """

    done: bool
    id: int
    name: str
    copied: int
    total: int
    missed: int
    names: list[str]


def begin(
    conn: Connection,
    version: RowMapping,
    workspace_id: int | None = None,
    name: str | None = None,
    description: str | None = None,
    *,
    skip_missed: bool = False,
) -> int:
    """Begin to restore a version, in a write transaction; gives the new project's id.

    Raises:
        ServerRefused: 400, the version's rows were not kept; 404, the workspace is unknown.
    """
    if not versions.has_all_rows(version):
        raise Invalid(
            f"version {version['id']} was made by an older autoflow, which kept no history, and project "
            f"{version['project_id']} has changed since: it cannot be restored"
        )
    source = conn.execute(select(table).where(table.c.id == version["project_id"])).mappings().one()
    origin = {"project_id": source["id"], "version_num": version["number"], "version_id": version["id"]}
    place = workspace_id or source["workspace_id"]
    number = projects.add(
        conn,
        place,
        projects.unused_name(conn, place, name or f"{source['name']}, from ver. {version['number']}"),
        description=_described(version) if description is None else description,
        **{column: source[column] for column in ("readme", "type", "settings", "import_settings")},
        state=hidden_projects.STATE,
    )
    _keep(
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
            "custom": {**json_codec.load(source["custom_data"]), "restored_from": origin},
        },
    )
    return number


def _described(version: RowMapping) -> str:
    source = f"Source project ID: {version['project_id']}, version ID: {version['id']}"
    return f"Restored from version {version['number']}. {source}"


def step(store: Store | CallerStore, number: int) -> RestoreProgress:
    """Go on with a restore, by one batch.

    Raises:
        ServerRefused: 404, there is no such restore, or its lease ran out; 400, content is missing, or the version
            was deleted or is damaged: then nothing is left.
    """
    with store.read() as conn:
        project = _project(conn, number)
        if project["state"] == "active":
            return _told(project)
        plan: _Plan = json_codec.load(project["custom_data"])
        version = _version(conn, plan)
        ahead = _PHASES[plan["phase"]].read(conn, version, plan) if version is not None else None
    with store.write() as conn:
        now = _project(conn, number)
        if now["custom_data"] != project["custom_data"]:
            return _told(now)  # another call has gone on
        # what was read stays true as long as the version is there
        version = _version(conn, plan)
        problem = _go_on(conn, number, version, plan, ahead)
        if problem is not None:
            hidden_projects.abandon(conn, number)
    if problem is not None:
        raise Invalid(problem)
    return _told({**now, "custom_data": json_codec.dump(plan)})


def _go_on(conn: Connection, number: int, version: RowMapping | None, plan: _Plan, ahead: Any) -> str | None:
    """Write what was read ahead; gives what is wrong, in words, when the restore cannot go on."""
    if version is None:
        return f"version {plan['version']} was deleted before it was restored"
    problem = _PHASES[plan["phase"]].write(conn, number, version, plan, ahead)
    if problem is None and plan["phase"] == "done":
        _show(conn, number, version, plan)
    elif problem is None:
        _keep(conn, number, plan)
    return problem


def _project(conn: Connection, number: int) -> RowMapping:
    query = select(table).where(table.c.id == number, visible(conn, table), table.c.state != "removed")
    found = conn.execute(query).mappings().one_or_none()
    if found is not None:
        told = json_codec.load(found["custom_data"])
        if ("restored_from" in told) if found["state"] == "active" else _is_plan(told):
            return found
    raise NotFound("restore", number)


def _is_plan(told: Mapping[str, Any]) -> bool:
    """Whether a hidden project is being restored, and not made in another way."""
    return "phase" in told and "version" in told


def _version(conn: Connection, plan: _Plan) -> RowMapping | None:
    query = select(version_table).where(version_table.c.id == plan["version"], versions.COMMITTED)
    return conn.execute(query).mappings().one_or_none()


def _keep(conn: Connection, number: int, plan: _Plan) -> None:
    hidden_projects.renew(conn, number, custom_data=json_codec.dump(plan))


def _told(project: ContentRow) -> RestoreProgress:
    plan = json_codec.load(project["custom_data"])
    if project["state"] == "active":
        count = project["items_count"]
        return RestoreProgress(True, project["id"], project["name"], count, count, 0, [])
    missed = plan["missed"]
    return RestoreProgress(
        plan["phase"] == "done",
        project["id"],
        project["name"],
        plan["copied"],
        plan["total"] - missed["count"],
        missed["count"],
        missed["names"],
    )


# -- the phases: what each reads, and what it then writes; a problem is told in words


def _look(conn: Connection, version: RowMapping, plan: _Plan) -> None:
    """Look for items whose content is missing, as long as a moment allows."""
    moment, until = SnapshotRef.of(version), time.monotonic() + CHECK_SECONDS
    known = snapshot.original_ids(snapshot.datasets_at(conn, moment))
    while plan["after"] is not None and time.monotonic() < until:
        found, missed = copying.items_without_content(conn, moment, plan["after"], FIRST_BATCH), plan["missed"]
        plan["missed"] = {
            "count": missed["count"] + len(found),
            "size": missed["size"] + sum(row["size"] or 0 for row in found),
            "sum": format_digest(int(missed["sum"], 16) + sum_row_hashes(items, found, known)),
            "names": [*missed["names"], *(row["name"] for row in found)][:NAMES_SHOWN],
        }
        plan["after"] = found[-1]["id"] if len(found) == FIRST_BATCH else None


def _looked(_conn: Connection, _number: int, version: RowMapping, plan: _Plan, _ahead: Any) -> str | None:
    if plan["after"] is not None:
        return None
    missed = plan["missed"]
    if missed["count"] and not plan["skip"]:
        return (
            f"the content of {missed['count']} items of version {version['id']} is missing, the first one is "
            f"{missed['names'][0]!r}: restore it without them, or upload them again"
        )
    plan.update(phase="datasets", after=0)
    return None


def _read_datasets(conn: Connection, version: RowMapping, _plan: _Plan) -> list[RowMapping]:
    return snapshot.datasets_at(conn, SnapshotRef.of(version))


def _copy_datasets(
    conn: Connection, number: int, version: RowMapping, plan: _Plan, ahead: list[RowMapping]
) -> str | None:
    upto = plan["after"] + DATASET_BATCH
    copying.copy_datasets(conn, number, ahead[plan["after"] : upto], snapshot.original_ids(ahead))
    plan["after"] = upto
    if upto >= len(ahead):
        copying.copy_meta(conn, number, SnapshotRef.of(version))
        plan.update(phase="items", after=0)
    return None


def _read_items(conn: Connection, version: RowMapping, plan: _Plan) -> copying.Window:
    moment = SnapshotRef.of(version)
    return copying.with_tag_ids(conn, moment, copying.next_window(conn, moment, plan["after"], plan["batch"]))


def _copy_items(conn: Connection, number: int, version: RowMapping, plan: _Plan, ahead: copying.Window) -> str | None:
    started = time.monotonic()
    skip = plan["missed"]["count"] > 0
    plan["copied"] += copying.copy_items(conn, number, SnapshotRef.of(version), ahead, skip=skip)
    plan["after"] = ahead.upto
    pace = BATCH_SECONDS / max(time.monotonic() - started, 1e-4)
    plan["batch"] = int(min(max(plan["batch"] * min(max(pace, 0.5), 2), SMALLEST_BATCH), LARGEST_BATCH))
    if ahead.upto is not None:
        return None
    wanted = plan["total"] - plan["missed"]["count"]
    if plan["copied"] != wanted:
        return f"version {version['id']} is damaged: of its {wanted} items {plan['copied']} are there"
    plan["phase"] = "done"
    return None


def _show(conn: Connection, number: int, version: RowMapping, plan: _Plan) -> None:
    """Let the project be seen: its content is the version's, so its digest is."""
    missed = plan["missed"]
    values = {
        "custom_data": json_codec.dump(plan["custom"]),
        "items_count": plan["copied"],
        "size": version["size"] - missed["size"],
        "digest": format_digest(int(version["digest"], 16) - int(missed["sum"], 16)),
        "change_seq": 1,
    }
    hidden_projects.publish(conn, number, **values)


class _Phase(NamedTuple):
    read: Callable[[Connection, RowMapping, _Plan], Any]
    write: Callable[[Connection, int, RowMapping, _Plan, Any], str | None]


_PHASES: Mapping[str, _Phase] = {
    "look": _Phase(_look, _looked),
    "datasets": _Phase(_read_datasets, _copy_datasets),
    "items": _Phase(_read_items, _copy_items),
}
