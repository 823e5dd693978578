"""The targets of an erasure: images by number, contents by hash, and the names that texts are searched for."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, select

from autoflow.model.reference import Reference, parse, parse_image
from autoflow.server.db import attachments, content_ids, tombstones
from autoflow.server.db.access import visible
from autoflow.server.db.erasure_tables import erasure_targets
from autoflow.server.db.schema import files, items, items_history, projects, tasks, versions
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.paging import chunks
from autoflow.server.project_types.item_meta import FileRange, ItemMeta

IMAGE, HASH, NAME, PROJECT, TASK, ARCHIVE = "image", "hash", "name", "project", "task", "archive"
RANGE = "range"  # id of a team file, offsets and hash of what an image was copied from it
SPARE = "spare"  # hash of content that is deleted if nothing else uses it, and may be uploaded again
DOCUMENT = "document"  # id of an annotation document that is deleted if nothing else uses it
GENERATION = "generation"  # hash and generation of a file whose row was deleted
KEY = "key"  # key of the tokens in tombstones
MADE = "made"  # reference of something that was made from it, for the report
SHARED = "shared"  # hash of content that stays, as other teams have it
PIECE = "piece"  # name of a piece of code that is deleted if no facts name it
UNSCRUBBED = "unscrubbed"  # the database's file is not written anew, see `job.begin`
VERSION, LOGS = "version", "logs"  # of rules of retention: a version's id; a task's id and the last log to delete
ITEM_TABLES = (items, items_history)


@dataclass
class Targets:
    """The targets of one erasure.

    Args:
        images: ids of items, all of whose rows are erased.
        hashes: contents as on the wire; every row with one is erased.
        names: names of these items and files.
        projects, tasks: ids of what is removed with all that belongs to it.
        archives: ids of team files with versions that contain an item.
        ranges: ids of team files with the range that an image was copied from and its content; an image that came from
            another store names a file of that, so that the bytes are compared before the file is deleted.
    """

    images: set[int] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    projects: set[int] = field(default_factory=set)
    tasks: set[int] = field(default_factory=set)
    archives: set[int] = field(default_factory=set)
    ranges: set[tuple[FileRange, str]] = field(default_factory=set)

    @property
    def archive_ids(self) -> set[int]:
        """Ids of the team files that may contain an item."""
        return self.archives | {source.file for source, _ in self.ranges}

    def rows(self) -> list[tuple[str, str]]:
        """Return the kinds and values that are journaled."""
        by_kind: dict[str, Iterable[object]] = {
            IMAGE: self.images,
            HASH: self.hashes,
            NAME: self.names,
            PROJECT: self.projects,
            TASK: self.tasks,
            ARCHIVE: self.archives,
            RANGE: (" ".join(map(str, (*source, content))) for source, content in self.ranges),
        }
        return [(kind, str(value)) for kind, values in by_kind.items() for value in sorted(values, key=str)]


def resolve(conn: Connection, refs: Sequence[str]) -> Targets:
    """Return what references name, as the caller sees it.

    Raises:
        Invalid: one is not a reference to an image, a file, a run or a project.
        NotFound: there is none.
    """
    targets = Targets()
    for ref in dict.fromkeys(refs):
        image = parse_image(ref)
        if image is not None:
            _add_image(conn, targets, image)
        else:
            _add_entity(conn, targets, _parse(ref))
    _add_contents_of_images(conn, targets)
    _add_names(conn, targets)
    _add_archives(conn, targets)
    return targets


def _parse(ref: str) -> Reference:
    try:
        return parse(ref)
    except ValueError as error:
        raise Invalid(f'"refs": {error}', {"field": "refs"}) from error


def _add_image(conn: Connection, targets: Targets, image: Reference) -> None:
    if image.sha256:
        content = base64.b64encode(bytes.fromhex(image.sha256)).decode()
        in_files = select(files.c.id).where(files.c.hash == content, visible(conn, files))
        known = conn.execute(in_files.limit(1)).first() is not None
        if not known and not _is_held(conn, content):
            raise NotFound("content", image.sha256)
        targets.hashes.add(content)
        return
    ids = {row.id for table in ITEM_TABLES for row in conn.execute(_rows(conn, table, _is_image(table, image)))}
    if not ids:
        raise NotFound("image", str(image))
    targets.images |= ids


def _is_image(table: Table, image: Reference) -> ColumnElement[bool]:
    if image.name:
        return and_(table.c.dataset_id == image.id, table.c.name == image.name)
    is_image: ColumnElement[bool] = table.c.id == image.id
    return is_image


def _add_entity(conn: Connection, targets: Targets, reference: Reference) -> None:
    if reference.version is not None or reference.kind not in {PROJECT, TASK, "file"}:
        raise Invalid(f"{reference} cannot be erased: name images, contents, files, runs or projects")
    table = {PROJECT: projects, TASK: tasks, "file": files}[reference.kind]
    row = conn.execute(select(table).where(table.c.id == reference.id, visible(conn, table))).mappings().first()
    if row is None:
        raise NotFound(reference.kind, reference.id)
    if reference.kind == "file":
        targets.hashes.add(row["hash"])
    else:
        (targets.projects if reference.kind == PROJECT else targets.tasks).add(row["id"])


def _rows(conn: Connection, table: Table, condition: ColumnElement[bool]) -> Select[Any]:
    any_project = table.c.project_id.in_(select(projects.c.id).where(visible(conn, projects)))
    return select(table).where(condition, any_project, tombstones.has_content(table))


def _is_held(conn: Connection, content: str) -> bool:
    """Return whether an item that the caller sees has a content, or had it."""
    queries = (_rows(conn, table, content_ids.content_in(table, [content])).limit(1) for table in ITEM_TABLES)
    return any(conn.execute(query).first() is not None for query in queries)


def _add_contents_of_images(conn: Connection, targets: Targets) -> None:
    """Add the contents that the images have had, and the photographs that belong to them."""
    for part in chunks(sorted(targets.images)):
        for table in ITEM_TABLES:
            rows = conn.execute(_rows(conn, table, table.c.id.in_(part))).mappings().all()
            targets.hashes.update(row["hash"] for row in rows if row["hash"] is not None)
            for row in rows:
                _add_attachments(conn, targets, row)


def _add_attachments(conn: Connection, targets: Targets, row: Any) -> None:
    if not _has_attachments(conn, row["project_id"]):
        return
    prefix = attachments.images_of(row["name"])
    for table in ITEM_TABLES:
        condition = and_(table.c.dataset_id == row["dataset_id"], table.c.name.startswith(prefix, autoescape=True))
        for attachment in conn.execute(_rows(conn, table, condition)):
            targets.images.add(attachment.id)
            if attachment.hash is not None:
                targets.hashes.add(attachment.hash)


def _has_attachments(conn: Connection, project_id: int) -> bool:
    project_type = conn.execute(select(projects.c.type).where(projects.c.id == project_id)).scalar()
    return str(project_type).startswith("point_cloud")


def conditions(table: Table, images: Collection[int], hashes: Collection[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that rows of items, or of their history, are targets; each has an index of its own."""
    by_id = [table.c.id.in_(part) for part in chunks(sorted(images))]
    return [*by_id, *(content_ids.content_in(table, part) for part in chunks(sorted(hashes)))]


def target_rows(conn: Connection, table: Table, targets: Targets) -> Iterable[Any]:
    """Yield the rows of items, or of their history, that an erasure removes, each once."""
    seen: set[tuple[int, int]] = set()
    for condition in conditions(table, targets.images, targets.hashes):
        for row in conn.execute(_rows(conn, table, condition)).mappings():
            key = row["id"], row["valid_from"]
            if key not in seen:
                seen.add(key)
                yield row


def _add_names(conn: Connection, targets: Targets) -> None:
    for table in ITEM_TABLES:
        names = (row["name"] for row in target_rows(conn, table, targets))
        targets.names.update(name for name in names if not attachments.is_attachment(name))
    for part in chunks(sorted(targets.hashes)):
        query = select(files.c.name).where(files.c.hash.in_(part), visible(conn, files))
        targets.names.update(conn.execute(query).scalars())
    targets.names.discard("")


def _add_archives(conn: Connection, targets: Targets) -> None:
    """Add the team files that contain an item: archives of versions, and files that images are ranges of."""
    held: dict[int, list[tuple[int, float]]] = {}
    for table in ITEM_TABLES:
        for row in target_rows(conn, table, targets):
            held.setdefault(row["project_id"], []).append((row["valid_from"], row.get("valid_to", float("inf"))))
            source = ItemMeta.of(row).source
            if source is not None and row["hash"] is not None:
                targets.ranges.add((source, row["hash"]))
    for part in chunks(sorted(held)):
        query = select(versions.c.project_id, versions.c.epoch, versions.c.team_file_id)
        for row in conn.execute(query.where(versions.c.project_id.in_(part), versions.c.team_file_id.is_not(None))):
            if any(start <= row.epoch < end for start, end in held[row.project_id]):
                targets.archives.add(row.team_file_id)


# -- the journal


def save(conn: Connection, erasure_id: int, values: Iterable[tuple[str, str]]) -> None:
    """Store targets that are not stored yet."""
    rows = [{"erasure_id": erasure_id, "kind": kind, "value": value} for kind, value in values]
    insert_or_ignore_many(conn, erasure_targets, rows)


def load(conn: Connection, erasure_id: int, kind: str, limit: int | None = None) -> list[str]:
    """Return the values of one kind of an erasure's targets, in order."""
    query = select(erasure_targets.c.value).where(
        erasure_targets.c.erasure_id == erasure_id, erasure_targets.c.kind == kind
    )
    return list(conn.execute(query.order_by(erasure_targets.c.value).limit(limit)).scalars())


def discard(conn: Connection, erasure_id: int, kind: str, values: Sequence[str]) -> None:
    """Delete targets that are done."""
    for part in chunks(values):
        own = (erasure_targets.c.erasure_id == erasure_id, erasure_targets.c.kind == kind)
        conn.execute(delete(erasure_targets).where(*own, erasure_targets.c.value.in_(part)))
