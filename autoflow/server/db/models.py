"""Models: names for files of weights, with numbered versions and aliases that move between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Subquery, and_, func, insert, select, update

from autoflow.model.entity import EntityRef
from autoflow.model.local_file import local_file
from autoflow.server import timestamps
from autoflow.server.db import audit, webhooks
from autoflow.server.db.access import caller, visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.model_tables import alias_moves, model_versions, models
from autoflow.server.db.schema import files
from autoflow.server.db.upsert import insert_or_ignore
from autoflow.server.errors import NotFound
from autoflow.server.paging import chunks
from autoflow.wire.content_hash import hex_of


class NamedVersion(NamedTuple):
    """A version of a model, as texts name it.

    Args:
        model_id: the model's id.
        name: the model's name.
        number: of the version.
        aliases: that name it now.
    """

    model_id: int
    name: str
    number: int
    aliases: tuple[str, ...]

    @property
    def reference(self) -> str:
        """The reference that a person types."""
        return f"model:{self.name}@{self.number}"


def get(conn: Connection, name: str, team_id: int | None = None) -> RowMapping:
    """Return a model by name, in a team or in the caller's teams, the default one first.

    Raises:
        NotFound: there is none.
    """
    query = select(models).where(models.c.name == name, visible(conn, models))
    if team_id is not None:
        query = query.where(models.c.team_id == team_id)
    own_first = (models.c.team_id == caller(conn).default_team).desc()
    row = conn.execute(query.order_by(own_first, models.c.team_id).limit(1)).mappings().one_or_none()
    if row is None:
        raise NotFound("model", name)
    return row


def listing(conn: Connection) -> Select[Any]:
    """Return a query for the models that the caller sees, with the number of versions and the time of the last."""
    made = (
        select(
            model_versions.c.model_id,
            func.max(model_versions.c.number).label("latest"),
            func.max(model_versions.c.created_at).label("latest_at"),
        )
        .group_by(model_versions.c.model_id)
        .subquery()
    )
    query = select(models, made.c.latest, made.c.latest_at).join(made, made.c.model_id == models.c.id)
    return query.where(visible(conn, models))


def register(conn: Connection, team_id: int, name: str, ref: EntityRef, task_id: int | None = None) -> RowMapping:
    """Return the version of a model that a file is, as a new version unless it is one already.

    Args:
        conn: the transaction.
        team_id: the model's team.
        name: the model's name; the model is created if it is new.
        ref: the file.
        task_id: the run that registers it.
    """
    now, user = timestamps.now(), caller(conn).user
    named = (models.c.team_id == team_id, models.c.name == name)
    own = select(models.c.id).where(*named).with_for_update()  # numbers of a model are assigned one after the other
    model_id = conn.execute(own).scalar()
    if model_id is None:
        values = {"team_id": team_id, "name": name, "created_by": user, "created_at": now, "updated_at": now}
        insert_or_ignore(conn, models, **values)
        model_id = conn.execute(own).scalar_one()
    of_model = model_versions.c.model_id == model_id
    same = select(model_versions).where(of_model, model_versions.c.entity_key == ref.key)
    known = conn.execute(same).mappings().one_or_none()
    if known is not None:
        return known
    last = conn.execute(select(func.max(model_versions.c.number)).where(of_model)).scalar() or 0
    conn.execute(
        insert(model_versions).values(
            model_id=model_id,
            number=last + 1,
            origin=ref.origin,
            entity=str(ref.id),
            entity_key=ref.key,
            sha256=_sha256_of(conn, ref),
            task_id=task_id,
            created_by=user,
            created_at=now,
        )
    )
    conn.execute(update(models).where(models.c.id == model_id).values(updated_at=now))
    return conn.execute(same).mappings().one()


def _sha256_of(conn: Connection, ref: EntityRef) -> str:
    """Return the sha256 of a file in hexadecimal digits, empty if it is unknown."""
    if ref.origin:
        file = local_file(ref)
        return (file.sha256 if file is not None else None) or ""
    content = conn.execute(select(files.c.hash).where(files.c.id == ref.id)).scalar()
    return hex_of(content) if content is not None else ""


def version(conn: Connection, model: RowMapping, number: int | None = None) -> RowMapping:
    """Return a version of a model by number, by default the latest.

    Raises:
        NotFound: there is none.
    """
    query = select(model_versions).where(model_versions.c.model_id == model["id"])
    if number is not None:
        query = query.where(model_versions.c.number == number)
    row = conn.execute(query.order_by(model_versions.c.number.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        raise NotFound("model version", f"model:{model['name']}@{number}")
    return row


def versions_of(conn: Connection, model_id: int, before: int | None, limit: int) -> list[RowMapping]:
    """Return versions of a model, the latest first; those before a number, if there is one."""
    query = select(model_versions).where(model_versions.c.model_id == model_id)
    if before is not None:
        query = query.where(model_versions.c.number < before)
    return list(conn.execute(query.order_by(model_versions.c.number.desc()).limit(limit)).mappings())


def _last_moves(conn: Connection, *conditions: ColumnElement[bool]) -> Subquery:
    """Return the ids of the last move of each alias, among moves that conditions hold for."""
    query = select(func.max(alias_moves.c.id).label("id")).where(*conditions)
    return query.group_by(alias_moves.c.model_id, alias_moves.c.alias).subquery()


def aliases(conn: Connection, model_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return the numbers that the aliases of models name now, by model and alias."""
    named: dict[int, dict[str, int]] = {model_id: {} for model_id in model_ids}
    for part in chunks(sorted(model_ids)):
        last = _last_moves(conn, alias_moves.c.model_id.in_(part))
        query = select(alias_moves).join(last, last.c.id == alias_moves.c.id).where(alias_moves.c.number.is_not(None))
        for row in conn.execute(query.order_by(alias_moves.c.alias)).mappings():
            named[row["model_id"]][row["alias"]] = row["number"]
    return named


def number_of_alias(conn: Connection, model: RowMapping, alias: str, before: str | None = None) -> int:
    """Return the number that an alias of a model names, now or before a time.

    Raises:
        NotFound: it names none.
    """
    query = select(alias_moves.c.number).where(alias_moves.c.model_id == model["id"], alias_moves.c.alias == alias)
    if before is not None:
        query = query.where(alias_moves.c.at < before)
    number = conn.execute(query.order_by(alias_moves.c.id.desc()).limit(1)).scalar()
    if number is None:
        raise NotFound("alias", f"model:{model['name']}@{alias}" + (f", before {before}," if before else ""))
    return int(number)


def move_alias(conn: Connection, model: RowMapping, alias: str, number: int | None, reason: str) -> RowMapping | None:
    """Let an alias of a model name a version, or none, and record it in the audit log.

    Returns:
        the move, None if the alias names that already.
    """
    conn.execute(select(models.c.id).where(models.c.id == model["id"]).with_for_update())
    before = aliases(conn, [model["id"]])[model["id"]].get(alias)
    if before == number:
        return None
    user = caller(conn)
    made = conn.execute(
        insert(alias_moves)
        .values(
            model_id=model["id"],
            alias=alias,
            before=before,
            number=number,
            reason=reason[: audit.MAX_TEXT],
            at=timestamps.now(),
            who=audit.who(conn, user),
            created_by=user.user,
        )
        .returning(alias_moves)
    )
    move = made.mappings().one()
    audit.record(
        conn,
        "alias.set" if number is not None else "alias.remove",
        f"model:{model['name']}@{alias}",
        team_id=model["team_id"],
        before=str(before) if before is not None else None,
        after=str(number) if number is not None else None,
        reason=reason,
    )
    data = {
        "ref": f"model:{model['name']}@{alias}",
        "before": before,
        "version": number,
        "who": move["who"],
        "reason": move["reason"],
    }
    webhooks.notify(conn, model["team_id"], webhooks.ALIAS_MOVED, data)
    return move


def moves(conn: Connection, model_id: int, alias: str | None, before_id: int | None, limit: int) -> list[RowMapping]:
    """Return the moves of a model's aliases, or of a single one, the latest first."""
    query = select(alias_moves).where(alias_moves.c.model_id == model_id)
    if alias is not None:
        query = query.where(alias_moves.c.alias == alias)
    if before_id is not None:
        query = query.where(alias_moves.c.id < before_id)
    return list(conn.execute(query.order_by(alias_moves.c.id.desc()).limit(limit)).mappings())


def named_versions(conn: Connection, keys: Iterable[str]) -> dict[str, list[NamedVersion]]:
    """Return the versions of models that files are, by the keys of the files' cards."""
    rows: list[RowMapping] = []
    for part in chunks(sorted(set(keys))):
        query = select(model_versions.c.model_id, model_versions.c.number, model_versions.c.entity_key, models.c.name)
        query = query.join(models, models.c.id == model_versions.c.model_id)
        query = query.where(among(conn, model_versions.c.entity_key, part), visible(conn, models))
        rows += conn.execute(query.order_by(model_versions.c.id)).mappings()
    named = aliases(conn, {row["model_id"] for row in rows})
    versions: dict[str, list[NamedVersion]] = {}
    for row in rows:
        numbers = named[row["model_id"]]
        own = tuple(alias for alias, number in numbers.items() if number == row["number"])
        versions.setdefault(row["entity_key"], []).append(
            NamedVersion(row["model_id"], row["name"], row["number"], own)
        )
    return versions


def aliased_files(conn: Connection, team_id: int) -> dict[str, NamedVersion]:
    """Return the versions of a team's models that an alias names, by the keys of their files' cards."""
    of_team = select(models.c.id).where(models.c.team_id == team_id)
    last = _last_moves(conn, alias_moves.c.model_id.in_(of_team))  # those of other teams are not read
    query = select(model_versions.c.entity_key).join(models, models.c.id == model_versions.c.model_id)
    moved = and_(alias_moves.c.model_id == model_versions.c.model_id, alias_moves.c.number == model_versions.c.number)
    query = query.join(alias_moves, moved).join(last, last.c.id == alias_moves.c.id)
    keys = conn.execute(query.where(models.c.team_id == team_id)).scalars().all()
    return {key: entry for key, entries in named_versions(conn, keys).items() for entry in entries if entry.aliases}


def names_of(entries: Sequence[NamedVersion]) -> str:
    """Return the names of versions with their aliases, for a message."""
    return ", ".join(
        f"{entry.reference}" + (f" ({', '.join(entry.aliases)})" if entry.aliases else "") for entry in entries
    )


def ref_of(row: RowMapping) -> EntityRef:
    """Return the file of a version."""
    entity: int | str = row["entity"]
    return EntityRef(row["origin"], "model", int(entity) if not row["origin"] else entity)
