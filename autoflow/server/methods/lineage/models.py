"""``autoflow.models.*``: models, their versions, and the aliases that move between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, Text, cast, func, select

from autoflow.model.local_file import local_file
from autoflow.model.model_name import check_alias, check_model_name
from autoflow.server.db import jobs, models, teams
from autoflow.server.db.access import visible
from autoflow.server.db.model_tables import models as model_table
from autoflow.server.db.schema import edges, files
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid
from autoflow.server.lineage.model_cards import is_file
from autoflow.server.methods.lineage.references import model_version, parse_reference, resolve
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import models as contract

DEFAULT_ENTRIES, MAX_ENTRIES = 50, 500


def _checked(check: Callable[[str], str], value: str, field: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise Invalid(f'"{field}": {error}', {"field": field}) from error


@implements(contract.MODELS_REGISTER)
def register(conn: Connection, request: contract.RegisterModelRequest) -> contract.ModelVersion:
    """``autoflow.models.register``: a file as a version of a model.

    Raises:
        Invalid: the name is not one, or the reference is not a file's.
        NotFound: there is no such file.
    """
    name = _checked(check_model_name, request.name, "name")
    team_id = request.team_id or teams.default_team(conn)
    teams.get(conn, team_table, "team", team_id)
    ref = resolve(conn, parse_reference(request.ref), team_id)
    if not is_file(ref):
        raise Invalid(f'"ref": {request.ref} is no file, and a version of a model is one', {"field": "ref"})
    row = models.register(conn, team_id, name, ref)
    return _versions(conn, name, row["model_id"], [row])[0]


def _versions(conn: Connection, name: str, model_id: int, rows: Sequence[RowMapping]) -> list[contract.ModelVersion]:
    """Return versions of a model as the wire has them."""
    own_files = {
        file.key: file
        for file in conn.execute(
            select(files.c.path, files.c.size, ("file:" + cast(files.c.id, Text)).label("key")).where(
                files.c.id.in_([int(row["entity"]) for row in rows if not row["origin"]]), visible(conn, files)
            )
        )
    }
    written = select(func.max(edges.c.id)).where(
        edges.c.entity_key.in_([row["entity_key"] for row in rows]), edges.c.direction == "output", visible(conn, edges)
    )
    last = written.group_by(edges.c.entity_key)
    query = select(edges.c.entity_key, edges.c.task_id).where(edges.c.id.in_(last))
    tasks: dict[str, int] = {row.entity_key: row.task_id for row in conn.execute(query)}
    logins, aliases = jobs.logins(conn), models.aliases(conn, [model_id])[model_id]
    versions: list[contract.ModelVersion] = []
    for row in rows:
        ref = models.ref_of(row)
        own, local = own_files.get(row["entity_key"]), local_file(ref)
        versions.append(
            {
                "model": name,
                "version": row["number"],
                "ref": ref.reference,
                "path": own.path if own is not None else local.path if local is not None else None,
                "size": own.size if own is not None else local.size if local is not None else None,
                "sha256": row["sha256"] or None,
                "aliases": [alias for alias, number in aliases.items() if number == row["number"]],
                "task": row["task_id"] or tasks.get(row["entity_key"]),
                "createdBy": logins.get(row["created_by"]),
                "createdAt": row["created_at"],
            }
        )
    return versions


def _summaries(conn: Connection, rows: Sequence[RowMapping]) -> list[contract.ModelSummary]:
    logins, aliases = jobs.logins(conn), models.aliases(conn, [row["id"] for row in rows])
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "teamId": row["team_id"],
            "latest": row["latest"],
            "aliases": aliases[row["id"]],
            "createdBy": logins.get(row["created_by"]),
            "createdAt": row["created_at"],
            "latestAt": row["latest_at"],
        }
        for row in rows
    ]


def _limit(limit: int | None) -> int:
    return min(limit or DEFAULT_ENTRIES, MAX_ENTRIES)


@implements(contract.MODELS_LIST)
def list_models(conn: Connection, request: contract.ListModelsRequest) -> contract.ListModelsResponse:
    """``autoflow.models.list``."""
    query = models.listing(conn)
    if request.team_id is not None:
        query = query.where(model_table.c.team_id == teams.get(conn, team_table, "team", request.team_id)["id"])
    if request.q:
        query = query.where(func.lower(model_table.c.name).contains(request.q.lower(), autoescape=True))
    limit, offset = _limit(request.limit), request.offset or 0
    query = query.order_by(model_table.c.updated_at.desc(), model_table.c.id.desc())
    rows = conn.execute(query.limit(limit + 1).offset(offset)).mappings().all()
    return {"models": _summaries(conn, rows[:limit]), "next": offset + limit if len(rows) > limit else None}


@implements(contract.MODELS_SHOW)
def show(conn: Connection, request: contract.ShowModelRequest) -> contract.ShowModelResponse:
    """``autoflow.models.show``: a model with its versions."""
    model = models.get(conn, request.name, request.team_id)
    limit = _limit(request.limit)
    rows = models.versions_of(conn, model["id"], request.before, limit + 1)
    summary = conn.execute(models.listing(conn).where(model_table.c.id == model["id"])).mappings().all()
    return {
        "model": _summaries(conn, summary)[0],
        "versions": _versions(conn, model["name"], model["id"], rows[:limit]),
        "next": rows[limit - 1]["number"] if len(rows) > limit else None,
    }


@implements(contract.MODELS_RESOLVE)
def resolve_model(conn: Connection, request: contract.ResolveModelRequest) -> contract.ModelVersion:
    """``autoflow.models.resolve``: the version that a reference names.

    Raises:
        Invalid: it is no reference of a model.
        NotFound: there is no such version.
    """
    reference = parse_reference(request.ref)
    if reference.kind != "model":
        raise Invalid('"ref" must name a model, as model:lemons@champion', {"field": "ref"})
    row = model_version(conn, reference, request.team_id)
    return _versions(conn, reference.name, row["model_id"], [row])[0]


@implements(contract.MODELS_ALIAS)
def set_alias(conn: Connection, request: contract.SetAliasRequest) -> contract.SetAliasResponse:
    """``autoflow.models.alias``: move an alias to a version, or remove it.

    Raises:
        Invalid: the alias is not one.
        NotFound: there is no such model or version, or no alias to remove.
    """
    alias = _checked(check_alias, request.alias, "alias")
    model = models.get(conn, request.name, request.team_id)
    if request.version is None:
        before: int | None = models.number_of_alias(conn, model, alias)
    else:
        models.version(conn, model, request.version)
        before = models.aliases(conn, [model["id"]])[model["id"]].get(alias)
    move = models.move_alias(conn, model, alias, request.version, request.reason)
    return {
        "moved": move is not None,
        "alias": alias,
        "before": move["before"] if move is not None else before,
        "version": request.version,
    }


@implements(contract.MODELS_HISTORY)
def history(conn: Connection, request: contract.AliasHistoryRequest) -> contract.AliasHistoryResponse:
    """``autoflow.models.history``: the moves of a model's aliases."""
    model = models.get(conn, request.name, request.team_id)
    limit = _limit(request.limit)
    rows = models.moves(conn, model["id"], request.alias, request.before, limit + 1)
    moves: list[contract.AliasMove] = [
        {
            "id": row["id"],
            "alias": row["alias"],
            "before": row["before"],
            "version": row["number"],
            "at": row["at"],
            "who": row["who"],
            "reason": row["reason"],
        }
        for row in rows[:limit]
    ]
    return {"moves": moves, "next": moves[-1]["id"] if len(rows) > limit else None}


READS: Mapping[str, Operation] = by_name(list_models, show, resolve_model, history)
WRITES: Mapping[str, Operation] = by_name(register, set_alias)
