"""``autoflow.erase.*`` and ``autoflow.retention.*``: what a team removes for good (`maintenance.erasure`).

For admins of the team, with a token of scope admin. Everything is done with the rights of that team alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from autoflow.errors import ServerRefused
from autoflow.model.entity import EntityRef
from autoflow.model.reference import parse, parse_image
from autoflow.server.db import audit, teams
from autoflow.server.db.access import OPTION as CALLER_OPTION
from autoflow.server.db.access import Caller, caller, visible
from autoflow.server.db.engine import CallerStore, Store
from autoflow.server.db.erasure_tables import erased_contents, erasures
from autoflow.server.db.schema import files, items, items_history, projects, tasks, workspaces
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Forbidden, NotFound
from autoflow.server.lineage.model_protection import Protection
from autoflow.server.maintenance.erasure import job, plan, retention, targets
from autoflow.server.maintenance.erasure.job import Erasure
from autoflow.server.maintenance.erasure.report import OUT_OF_REACH
from autoflow.server.maintenance.erasure.targets import Targets
from autoflow.server.maintenance.resumable_job import TIME_LIMIT
from autoflow.server.methods.images import previews
from autoflow.server.methods.lineage.impact import impact
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.wire.content_hash import hex_of
from autoflow.wire.contract import erasure as contract
from autoflow.wire.contract.lineage import ImpactRequest

MAX_IMPACTS = 100  # references whose impact a dry run lists
MAX_MADE = 1000
_ACTIONS: Mapping[str, audit.Action] = {
    targets.HASH: "item.erase",
    targets.IMAGE: "item.erase",
    targets.PROJECT: "project.erase",
    targets.TASK: "run.erase",
}


def _check_administered(conn: Connection, team_id: int) -> None:
    """Check that the caller is an admin of a team.

    Raises:
        NotFound: there is no such team.
        Forbidden: the caller is not, or the token has not the scope.
    """
    teams.get(conn, team_table, "team", team_id)
    administered = caller(conn).administered
    if administered is not None and team_id not in administered:
        raise Forbidden(f"content of team {team_id} is erased by its admins, with a token of scope admin")


def _team(conn: Connection, team_id: int | None, refs: Sequence[str] = ()) -> int:
    """Return the team that a request is about, after checking that the caller is an admin of it."""
    if team_id is None and refs:
        team_id = _team_of(conn, refs[0])
    if team_id is None:
        team_id = teams.default_team(conn)
    _check_administered(conn, team_id)
    return team_id


def _team_of(conn: Connection, ref: str) -> int | None:
    """Return the team of what a reference with a number names, None if it has none or the caller does not see it."""
    image = parse_image(ref)
    of_project = select(workspaces.c.team_id).join(projects, projects.c.workspace_id == workspaces.c.id)
    of_project = of_project.where(visible(conn, projects))
    if image is not None:
        if image.sha256:
            return None
        for table in (items, items_history):
            is_image = table.c.dataset_id == image.id if image.name else table.c.id == image.id
            query = of_project.join(table, table.c.project_id == projects.c.id).where(is_image)
            if (team_id := conn.execute(query.limit(1)).scalar()) is not None:
                return int(team_id)
        return None
    try:
        reference = parse(ref)
    except ValueError:
        return None  # `targets.resolve` refuses it
    queries = {
        targets.PROJECT: of_project.where(projects.c.id == reference.id),
        targets.TASK: select(tasks.c.team_id).where(tasks.c.id == reference.id, visible(conn, tasks)),
        "file": select(files.c.team_id).where(files.c.id == reference.id, visible(conn, files)),
    }
    return conn.execute(queries[reference.kind]).scalar() if reference.kind in queries else None


def _as_team(user: Caller, team_id: int) -> Caller:
    return user._replace(teams=frozenset({team_id}))


def _stores(context: OperationContext) -> tuple[Store, Caller]:
    store = context.store
    return (store.store, store.caller) if isinstance(store, CallerStore) else (store, Caller())


@implements(contract.ERASE_PLAN)
def show_plan(conn: Connection, request: contract.ErasePlanRequest) -> contract.ErasePlanResponse:
    """``autoflow.erase.plan``: the dry run."""
    team_id = _team(conn, request.team_id, request.refs)
    conn = conn.execution_options(**{CALLER_OPTION: _as_team(caller(conn), team_id)})
    selected = targets.resolve(conn, request.refs)
    images, counts = plan.images(conn, selected)
    listed_files, file_count = plan.team_files(conn, selected)
    for name, count in plan.entities(conn, selected).items():
        counts[name] = counts.get(name, 0) + count
    counts |= {
        "files": file_count,
        "contents": len(selected.hashes),
        **plan.counted_texts(conn, team_id, selected),
    }
    made, complete = _made_from(conn, request.refs)
    return {
        "team": team_id,
        "contents": sorted(map(hex_of, selected.hashes)),
        "images": images,
        "files": listed_files,
        "names": sorted(selected.names),
        "counts": counts,
        "keptForOtherTeams": plan.kept_for_other_teams(conn, selected),
        "made": made,
        "complete": complete,
        "outOfReach": list(OUT_OF_REACH),
    }


def _made_from(conn: Connection, refs: Sequence[str]) -> tuple[list[contract.MadeFrom], bool]:
    """Return what was made from what references name, the first ones, and whether that is all."""
    made: dict[str, contract.MadeFrom] = {}
    complete = len(refs) <= MAX_IMPACTS
    for ref in refs[:MAX_IMPACTS]:
        try:
            response = impact.function(conn, ImpactRequest(ref=ref))
        except ServerRefused as refusal:
            if refusal.status != 404:
                raise
            continue  # an item that the history alone has
        complete = complete and response["complete"]
        for run in response["runs"].values():
            made[run["ref"]] = {"ref": run["ref"], "type": "task", "name": run["name"]}
        for key, entity in response["data"].items():
            if key not in response["roots"]:
                made[entity["ref"]] = {"ref": entity["ref"], "type": entity["type"], "name": entity["name"]}
    return list(made.values())[:MAX_MADE], complete and len(made) <= MAX_MADE


@implements(contract.ERASE_RUN)
def run(context: OperationContext, request: contract.EraseRunRequest) -> contract.EraseRunResponse:
    """``autoflow.erase.run``: begin an erasure, or continue one."""
    store, user = _stores(context)
    with store.read(user) as conn:
        if request.id is not None:
            team_id = _team_of_erasure(conn, request.id)
        else:
            team_id = _team(conn, request.team_id, request.refs)
    with store.read(_as_team(user, team_id)) as conn:
        made, _ = _made_from(conn, request.refs if request.id is None else ())
    erasure_id = request.id
    if request.refs and erasure_id is None:
        with store.write(_as_team(user, team_id)) as conn:
            selected = targets.resolve(conn, request.refs)
            _check_not_needed(conn, team_id, selected)
            erasure_id = _begin(conn, team_id, selected.rows(), request.reason, [entity["ref"] for entity in made])
    return _continue(context, team_id, erasure_id)


def _check_not_needed(conn: Connection, team_id: int, selected: Targets) -> None:
    """Check that no alias of a model needs a project or a run that is removed; an image is erased all the same.

    Raises:
        Conflict: one does.
    """
    refs = [EntityRef("", "project", number) for number in sorted(selected.projects)]
    for row in conn.execute(select(tasks.c.origin, tasks.c.number).where(tasks.c.id.in_(selected.tasks))):
        refs.append(EntityRef(row.origin, "task", row.number))
    protection = Protection(conn, team_id)
    for ref in refs:
        protection.check(ref, ref.reference)


def _begin(
    conn: Connection, team_id: int, values: Sequence[tuple[str, str]], reason: str = "", made: Sequence[str] = ()
) -> int:
    erasure_id = job.begin(conn, team_id, caller(conn).user, values, made)
    numbers: dict[tuple[audit.Action, str], int] = {}
    for kind, value in values:
        if kind in _ACTIONS:
            entity = f"{kind}:{value}" if kind in {targets.PROJECT, targets.TASK} else f"erasure:{erasure_id}"
            numbers[_ACTIONS[kind], entity] = numbers.get((_ACTIONS[kind], entity), 0) + 1
    for action, entity in numbers:
        audit.record(conn, action, entity, team_id=team_id, after=f"erasure:{erasure_id}", reason=reason)
    return erasure_id


def _team_of_erasure(conn: Connection, erasure_id: int) -> int:
    query = select(erasures.c.team_id).where(erasures.c.id == erasure_id, visible(conn, erasures))
    team_id = conn.execute(query).scalar()
    if team_id is None:
        raise NotFound("erasure", erasure_id)
    _check_administered(conn, int(team_id))
    return int(team_id)


def _continue(context: OperationContext, team_id: int, erasure_id: int | None) -> contract.EraseRunResponse:
    """Work on the team's erasures, the oldest first, until the time is over."""
    store, _ = _stores(context)
    with store.read() as conn:
        pending = job.unfinished(conn, team_id)
        query = select(erased_contents.c.hash).where(erased_contents.c.erasure_id.in_(pending))
        previews.forget(set(conn.execute(query).scalars()))
    for number in pending:
        if not Erasure(store, context.blobs, number).work(TIME_LIMIT):
            return {"id": number if erasure_id is None else erasure_id, "done": False, "report": None}
    with store.read() as conn:
        query = select(erasures.c.report).where(erasures.c.id == erasure_id)
        report = conn.execute(query).scalar() if erasure_id is not None else None
    return {"id": erasure_id, "done": True, "report": json.loads(report) if report is not None else None}


@implements(contract.ERASE_LIST)
def list_erasures(conn: Connection, request: contract.EraseListRequest) -> contract.EraseListResponse:
    """``autoflow.erase.list``: the erasures of a team with their reports."""
    team_id = _team(conn, request.team_id)
    query = select(erasures).where(erasures.c.team_id == team_id).order_by(erasures.c.id.desc())
    return {
        "erasures": [
            {
                "id": row["id"],
                "requestedAt": row["created_at"],
                "finishedAt": row["finished_at"],
                "report": json.loads(row["report"]) if row["report"] is not None else None,
            }
            for row in conn.execute(query.limit(MAX_MADE)).mappings()
        ]
    }


@implements(contract.RETENTION)
def show_rules(conn: Connection, request: contract.RetentionRequest) -> contract.RetentionResponse:
    """``autoflow.retention``: the rules, and what they would remove now."""
    return _describe_rules(conn, _team(conn, request.team_id))


@implements(contract.RETENTION_SET)
def set_rules(conn: Connection, request: contract.RetentionSetRequest) -> contract.RetentionResponse:
    """``autoflow.retention.set``: change the rules."""
    team_id = _team(conn, request.team_id)
    before = retention.rules(conn, team_id)
    changes: dict[contract.RetentionKind, int | None] = {"logs": request.logs, "versions": request.versions}
    for kind, days in changes.items():
        if days is not None and days != before.get(kind, 0):
            retention.set_rule(conn, team_id, kind, days)
            old, new = (str(number) if number else None for number in (before.get(kind), days))
            audit.record(conn, "retention.set", f"retention:{kind}", team_id=team_id, before=old, after=new)
    return _describe_rules(conn, team_id)


def _describe_rules(conn: Connection, team_id: int) -> contract.RetentionResponse:
    conn = conn.execution_options(**{CALLER_OPTION: _as_team(caller(conn), team_id)})
    due = retention.due(conn, team_id)
    return {
        "team": team_id,
        "rules": dict(retention.rules(conn, team_id)),
        "due": {"logs": due.logs, "versions": len(due.versions)},
        "versions": [f"version:{number}" for number in due.versions[:MAX_MADE]],
        "needed": due.needed,
        "nextAt": retention.next_application(conn, team_id),
    }


@implements(contract.RETENTION_APPLY)
def apply_rules(context: OperationContext, request: contract.RetentionApplyRequest) -> contract.EraseRunResponse:
    """``autoflow.retention.apply``: begin the erasure of what the rules do not keep."""
    store, user = _stores(context)
    with store.read(user) as conn:
        team_id = _team(conn, request.team_id)
    with store.read(_as_team(user, team_id)) as conn:
        due = retention.due(conn, team_id)
    with store.write(_as_team(user, team_id)) as conn:
        erasure_id = retention.begin(conn, team_id, due)
    return _continue(context, team_id, erasure_id)


READS: Mapping[str, Operation] = by_name(show_plan, list_erasures, show_rules)
WRITES: Mapping[str, Operation] = by_name(set_rules)
BATCHES: Mapping[str, Batch] = by_name(run, apply_rules)
