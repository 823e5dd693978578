"""The entities that references name (`model.reference`), as the caller sees them."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, names_where
from autoflow.model.local_file import local_file
from autoflow.model.model_name import end_of
from autoflow.model.reference import Reference, parse, reference_types
from autoflow.server.db import files, models, tasks, teams
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, metadata
from autoflow.server.db.schema import versions as version_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.versions import versions

FILES = names_where(lambda row: row.card_type == "file")
MAX_LOCAL = 100  # edges that are searched for a file of a machine


def parse_reference(text: str) -> Reference:
    """Parse the reference of a request.

    Raises:
        Invalid: it is not a reference; the message lists the accepted forms.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise Invalid(f'"ref": {error}', {"field": "ref"}) from error


def check_exists(conn: Connection, entity: EntityRef) -> None:
    """Check that an entity of this server exists.

    Raises:
        NotFound: naming the entity.
    """
    row = ENTITY_TYPES[entity.type]
    if row.table:
        table = metadata.tables[row.table]
        if conn.execute(select(table.c.id).where(table.c.id == entity.id, visible(conn, table))).first() is None:
            raise NotFound(row.reference, entity.id)


def resolve(conn: Connection, reference: Reference, team_id: int | None) -> EntityRef:
    """Return the entity that a reference names.

    Args:
        conn: the transaction.
        reference: the reference.
        team_id: team of a path, None for the caller's default team.

    Raises:
        NotFound: there is none.
    """
    if reference.kind == "model":
        return models.ref_of(model_version(conn, reference, team_id))
    return _resolve_path(conn, reference, team_id) if reference.path else _resolve_number(conn, reference)


def model_version(conn: Connection, reference: Reference, team_id: int | None) -> RowMapping:
    """Return the version of a model that a reference names: by its number, an alias, or the latest.

    Raises:
        NotFound: there is none.
    """
    model = models.get(conn, reference.name, team_id)
    number = reference.version
    if reference.alias:
        before = end_of(reference.on) if reference.on else None
        number = models.number_of_alias(conn, model, reference.alias, before)
    return models.version(conn, model, number)


def _resolve_path(conn: Connection, reference: Reference, team_id: int | None) -> EntityRef:
    """Return the current file at a path, else its last one, else the folder if any run used it, else the file of a
    machine that a run named last.
    """
    path = files.normalize_path(reference.path)
    file_rows = files.history(conn, team_id or teams.default_team(conn), path)
    if file_rows:
        return EntityRef("", "file", file_rows[0]["id"])
    folder = EntityRef("", "folder", path.rstrip("/") or "/")
    uses = select(edges.c.id).where(edges.c.entity_key == folder.key, visible(conn, edges)).limit(1)
    if conn.execute(uses).first() is not None:
        return folder
    local = select(edges.c.origin, edges.c.entity).where(edges.c.type.in_(FILES), edges.c.origin != "")
    local = local.where(edges.c.entity.startswith(f"{path}@", autoescape=True), visible(conn, edges))
    for origin, entity in conn.execute(local.order_by(edges.c.id.desc()).limit(MAX_LOCAL)):
        ref = EntityRef(origin, "file", entity)
        if (file := local_file(ref)) is not None and file.path == path:
            return ref
    raise NotFound("file", path)


def _resolve_number(conn: Connection, reference: Reference) -> EntityRef:
    if reference.version is not None:
        query = versions.listing(conn).where(version_table.c.project_id == reference.id)
        version_row = conn.execute(query.where(version_table.c.number == reference.version)).mappings().one_or_none()
        if version_row is None:
            raise NotFound("version", str(reference))
        return EntityRef("", "project_version", version_row["id"])
    ref = EntityRef("", reference_types()[reference.kind], reference.id)
    if ENTITY_TYPES[ref.type].is_task:
        row = tasks.get(conn, reference.id)
        return EntityRef(row["origin"], ref.type, row["number"])
    check_exists(conn, ref)
    return ref
