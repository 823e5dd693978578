"""Receives a version of another store: its rows are added in batches to a hidden project, which is then published.

The state of a transfer is the hidden project's custom data (`db.hidden_projects`): a transfer whose client went away
can be continued until the lease expires, and leaves nothing after that. A version keeps its number, digest, title and
times; its author, who may be no user here, is stored with the ids that it had where it came from (`db.copies`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import copies, hidden_projects, items, json_codec, projects, teams
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import edit_hidden_project
from autoflow.server.db.schema import datasets, project_meta, workspaces
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import projects as project_table
from autoflow.server.db.schema import versions as version_table
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.versions import extending, transfer_rows, versions
from autoflow.wire.contract import transfers as contract

_KEY = "transfer"  # in a hidden project's custom data


class _Plan(TypedDict):
    """The state of a transfer.

    Args:
        origins: the version where it comes from, then those that it was copied from.
        version: the version.
        custom: custom data of the complete project, as text.
        base: the version at the source whose copy this one continues, None for a new project.
        extends: the version that is that copy.
        sources: ids of the datasets at the source, by the original ids.
        after: position of the source's items up to which they are here; None before the datasets are.
    """

    origins: list[JsonObject]
    version: JsonObject
    custom: str
    base: int | None
    extends: int | None
    sources: dict[str, int]
    after: int | None


def begin(conn: Connection, request: contract.TransferBeginRequest) -> contract.TransferState:
    """Begin or continue to receive a version, in a write transaction on the whole store.

    Raises:
        NotFound: the workspace is unknown.
    """
    workspace_id = request.workspace_id
    if workspace_id is None:
        workspace_id = teams.first_workspace(conn, teams.default_team(conn))
    workspace = teams.get(conn, workspaces, "workspace", workspace_id or 0)
    if not request.origins:
        raise Invalid('"origins" must not be empty')
    present = _present(conn, workspace["team_id"], request)
    if present is not None:
        state = _state_of_version(conn, present, None)
        _add_aliases(conn, workspace["team_id"], request.origins, state)
        return state
    project = _unfinished(conn, workspace["team_id"], request)
    if project is not None and _can_continue(conn, project):
        return _state(project)
    return _state(_create(conn, workspace, request))


def _present(conn: Connection, team_id: int, request: contract.TransferBeginRequest) -> int | None:
    """Return the id of the version if the team has it: as a copy, or as the original."""
    store = copies.store_key(conn)
    for origin in request.origins:
        known = copies.ids(conn, team_id, origin.store, copies.VERSION, [origin.version])
        candidates = [*known.values(), *([origin.version] if origin.store == store else [])]
        query = versions.listing(conn).where(version_table.c.id.in_(candidates), workspaces.c.team_id == team_id)
        query = query.where(version_table.c.digest == request.version.digest, project_table.c.state == "active")
        row = conn.execute(query).mappings().first()
        if row is not None:
            return int(row["id"])
    return None


def _unfinished(conn: Connection, team_id: int, request: contract.TransferBeginRequest) -> RowMapping | None:
    """Return the hidden project of the caller's interrupted transfer of the same version."""
    query = select(project_table).join(workspaces)
    query = query.where(project_table.c.state == hidden_projects.STATE, workspaces.c.team_id == team_id)
    query = query.where(project_table.c.created_by == caller(conn).user, visible(conn, project_table))
    wanted = dataclasses.asdict(request.origins[0])
    for row in conn.execute(query).mappings():
        plan = _plan_of(row)
        if plan is not None and plan["origins"][0] == wanted and plan["version"]["digest"] == request.version.digest:
            return row
    return None


def _can_continue(conn: Connection, project: RowMapping) -> bool:
    """Return whether a transfer still fits what it continues; abandon it if not."""
    plan = _plan_of(project)
    if plan is None or plan["extends"] is None or extending.find_unchanged(conn, [plan["extends"]]) is not None:
        return True
    hidden_projects.abandon(conn, project["id"])
    return False


def _base(conn: Connection, team_id: int, request: contract.TransferBeginRequest) -> tuple[int | None, int | None]:
    """Return the version at the source whose copy a project here has not changed since, and that copy, if any."""
    if request.workspace_id is not None or request.name is not None:
        return None, None
    known = copies.ids(conn, team_id, request.origins[0].store, copies.VERSION, request.earlier)
    by_copy = {known[number]: number for number in reversed(request.earlier) if number in known}
    copy = extending.find_unchanged(conn, [known[number] for number in request.earlier if number in known])
    return (by_copy[copy], copy) if copy is not None else (None, None)


def _create(conn: Connection, workspace: RowMapping, request: contract.TransferBeginRequest) -> RowMapping:
    project = request.project
    for name in ("settings", "import_settings", "custom_data"):
        transfer_rows.parse_object(getattr(project, name), name)
    transfer_rows.check_times(request.version.created_at, request.version.project_updated_at)
    base, extends = _base(conn, workspace["team_id"], request)
    plan: _Plan = {
        "origins": [dataclasses.asdict(origin) for origin in request.origins],
        "version": dataclasses.asdict(request.version),
        "custom": project.custom_data,
        "base": base,
        "extends": extends,
        "sources": {},
        "after": None,
    }
    columns = ("description", "readme", "type", "settings", "import_settings")
    number = projects.add(
        conn,
        workspace["id"],
        projects.unused_name(conn, workspace["id"], request.name or project.name),
        **{name: getattr(project, name) for name in columns},
        state=hidden_projects.STATE,
    )
    _save(conn, number, plan)
    return _find(conn, number)[0]


def add_datasets(conn: Connection, request: contract.TransferDatasetsRequest) -> contract.TransferState:
    """Add the datasets, classes and tags of a version, in a write transaction; a repeated call changes nothing.

    Raises:
        NotFound: there is no such transfer, or its lease has expired.
        Invalid: a dataset has no number of its own or no parent, is nested too deep, or the classes and tags are not
            valid.
    """
    project, plan = _find(conn, request.id)
    if plan["after"] is not None:
        return _state(project)
    with edit_hidden_project(conn, request.id) as edit:
        ids: dict[int, int] = {}
        remaining = list(request.datasets)
        if len({entry.original for entry in remaining}) < len(remaining):
            raise Invalid('"datasets": each must have a number of its own')
        depth = 0
        while remaining:
            level = [entry for entry in remaining if entry.parent is None or entry.parent in ids]
            if not level:
                raise Invalid('"datasets": each must have a parent that is sent, too')
            depth += 1
            if depth > limits.DATASET_DEPTH:
                raise Invalid(f"datasets can be nested at most {limits.DATASET_DEPTH} deep")
            numbers = edit.insert_many(datasets, [_dataset(conn, request.id, entry, ids) for entry in level])
            ids.update(zip((entry.original for entry in level), numbers, strict=True))
            remaining = [entry for entry in remaining if entry.original not in ids]
        if request.meta is not None:
            transfer_rows.check_definitions(request.meta)
            edit.insert(project_meta, {"project_id": request.id, "document": request.meta})
    sources = {str(entry.original): entry.id for entry in request.datasets if entry.id is not None}
    return _advance(conn, request.id, {**plan, "sources": sources, "after": 0})


def _dataset(
    conn: Connection, project_id: int, entry: contract.TransferDataset, ids: Mapping[int, int]
) -> dict[str, Any]:
    transfer_rows.parse_object(entry.custom_data, '"customData"')
    transfer_rows.check_times(entry.created_at, entry.updated_at)
    same = ("name", "description", "custom_data", "created_at", "updated_at")
    return {
        **{name: getattr(entry, name) for name in same},
        "project_id": project_id,
        "parent_id": None if entry.parent is None else ids[entry.parent],
        "original_id": entry.original,
        "created_by": caller(conn).user,
    }


def put_items(conn: Connection, request: contract.TransferPutRequest) -> contract.TransferState:
    """Add items of a version, in a write transaction; unless they follow those that are here, nothing changes.

    Raises:
        NotFound: there is no such transfer, or its lease has expired.
        Invalid: content of an item was not sent, or a row is not valid.
    """
    project, plan = _find(conn, request.id)
    if plan["after"] != request.after or request.upto <= request.after:
        return _state(project)
    documents = transfer_rows.encode_documents(request.documents)
    items.save_encoded_documents(conn, documents)
    transfer_rows.check_contents(conn, request.items, documents)
    query = select(datasets.c.original_id, datasets.c.id).where(datasets.c.project_id == request.id)
    dataset_ids: dict[int, int] = {row.original_id: row.id for row in conn.execute(query)}
    with edit_hidden_project(conn, request.id) as edit:
        if plan["extends"] is not None:
            extending.stage_removed(edit, request, dataset_ids)
        edit.insert_many(item_table, transfer_rows.item_values(conn, request.items, request.id, dataset_ids))
    return _advance(conn, request.id, {**plan, "after": request.upto})


def project_of(conn: Connection, transfer_id: int) -> int | None:
    """Return the project that a transfer continues, None for a new one."""
    _, plan = _find(conn, transfer_id)
    if plan["extends"] is None:
        return None
    query = select(version_table.c.project_id).where(version_table.c.id == plan["extends"])
    return int(conn.execute(query).scalar_one())


def finish(conn: Connection, transfer_id: int) -> contract.TransferState:
    """Publish a complete version, in a write transaction.

    Raises:
        NotFound: there is no such transfer, or its lease has expired.
        Conflict: the content is not that of the source, or the project that it continues has changed meanwhile.
    """
    project, plan = _find(conn, transfer_id)
    version = contract.TransferVersion(**plan["version"])
    if plan["after"] is None:
        raise Conflict(f"transfer {transfer_id} has no datasets yet")
    if plan["extends"] is not None:
        project = extending.apply(conn, project, plan["extends"])
    if (project["digest"], project["items_count"]) != (version.digest, version.items_count):
        raise Conflict(
            f"the content that arrived is not that of version {version.number}: {project['items_count']} items instead "
            f"of {version.items_count}, digest {project['digest'][:12]} instead of {version.digest[:12]}; nothing was "
            "kept. Check the source with `autoflow versions verify`, then copy the version again"
        )
    times = {"created_at": version.created_at, "project_updated_at": version.project_updated_at}
    labels = {"name": version.name, "description": version.description}
    number = versions.unused_number(conn, project["id"], version.number)
    saved = versions.close_epoch(conn, dict(project), number=number, **labels, **times)
    if plan["extends"] is None:
        hidden_projects.publish(conn, transfer_id, custom_data=plan["custom"])
    else:
        hidden_projects.abandon(conn, transfer_id)
    state = _state_of_version(conn, saved.id, transfer_id)
    team_id = versions.get(conn, saved.id)["team_id"]
    _add_copies(conn, team_id, plan["origins"], version.author, state)
    _add_dataset_copies(conn, team_id, plan, project["id"])
    return state


def _add_copies(
    conn: Connection, team_id: int, origins: Sequence[JsonObject], author: str, state: contract.TransferState
) -> None:
    """Store the ids that a version and its project have where they come from."""
    project_id, version_id = state["project"], state["version"]
    assert project_id is not None
    assert version_id is not None
    for distance, origin in enumerate(origins):
        details = {"author": author, "project": origin["project"], "distance": distance}
        copies.add(conn, team_id, origin["store"], copies.VERSION, {origin["version"]: version_id}, details)
        copies.add(conn, team_id, origin["store"], copies.PROJECT, {origin["project"]: project_id})


def _add_aliases(
    conn: Connection, team_id: int, origins: Sequence[contract.VersionOrigin], state: contract.TransferState
) -> None:
    """Store the ids that a version which was here before has elsewhere, so that they are known next time."""
    store = copies.store_key(conn)
    assert state["version"] is not None
    assert state["project"] is not None
    for origin in origins:
        known = copies.ids(conn, team_id, origin.store, copies.VERSION, [origin.version])
        if origin.store == store or known:
            continue
        copies.add(conn, team_id, origin.store, copies.VERSION, {origin.version: state["version"]}, copies.ALIAS)
        copies.add(conn, team_id, origin.store, copies.PROJECT, {origin.project: state["project"]}, copies.ALIAS)


def _add_dataset_copies(conn: Connection, team_id: int, plan: _Plan, project_id: int) -> None:
    query = select(datasets.c.original_id, datasets.c.id).where(datasets.c.project_id == project_id)
    by_original = {str(row.original_id): row.id for row in conn.execute(query)}
    ids = {number: by_original[name] for name, number in plan["sources"].items() if name in by_original}
    copies.add(conn, team_id, plan["origins"][0]["store"], copies.DATASET, ids)


def abandon(conn: Connection, transfer_id: int) -> None:
    """Abandon a transfer: nothing of it is left."""
    hidden_projects.abandon(conn, transfer_id)


def _find(conn: Connection, number: int) -> tuple[RowMapping, _Plan]:
    """Return a transfer's hidden project and its state.

    Raises:
        NotFound: there is none of that number.
    """
    query = select(project_table).where(project_table.c.id == number, project_table.c.state == hidden_projects.STATE)
    project = conn.execute(query.where(visible(conn, project_table))).mappings().one_or_none()
    plan = _plan_of(project) if project is not None else None
    if project is None or plan is None:
        raise NotFound("transfer", number)
    return project, plan


def _plan_of(project: RowMapping) -> _Plan | None:
    plan = json_codec.load(project["custom_data"]).get(_KEY)
    return cast("_Plan", plan) if isinstance(plan, dict) else None


def _save(conn: Connection, number: int, plan: _Plan) -> None:
    hidden_projects.renew(conn, number, custom_data=json_codec.dump({_KEY: plan}))


def _advance(conn: Connection, number: int, plan: _Plan) -> contract.TransferState:
    _save(conn, number, plan)
    return _state(_find(conn, number)[0])


def _state(project: RowMapping) -> contract.TransferState:
    plan = _plan_of(project)
    assert plan is not None
    return {
        "done": False,
        "id": project["id"],
        "base": plan["base"],
        "after": plan["after"],
        "project": None,
        "version": None,
        "number": plan["version"]["number"],
        "name": project["name"],
    }


def _state_of_version(conn: Connection, version_id: int, transfer_id: int | None) -> contract.TransferState:
    version = versions.get(conn, version_id)
    query = select(project_table.c.name).where(project_table.c.id == version["project_id"])
    return {
        "done": True,
        "id": transfer_id,
        "base": None,
        "after": None,
        "project": version["project_id"],
        "version": version_id,
        "number": version["number"],
        "name": conn.execute(query).scalar_one(),
    }
