"""The work of an erasure, in stages of short transactions, each of which journals its progress.

Any process may continue an erasure at any time: a stage looks for what is left of its targets, so that what a killed
process has done is not missed, and what two do at once is done once. Deleting a file comes after its row.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from autoflow.server import timestamps
from autoflow.server.blobs import BlobStore
from autoflow.server.db import clock, webhooks
from autoflow.server.db.access import Caller
from autoflow.server.db.engine import Store
from autoflow.server.db.erasure_tables import erased_contents, erasure_targets, erasures
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import NotFound
from autoflow.server.lineage.model_protection import Protection
from autoflow.server.maintenance.erasure import code, contents, items, removal, report, signature, targets, texts
from autoflow.server.maintenance.erasure.code import CodeRedaction
from autoflow.server.maintenance.erasure.targets import (
    ARCHIVE,
    DOCUMENT,
    GENERATION,
    HASH,
    IMAGE,
    KEY,
    LOGS,
    MADE,
    NAME,
    PIECE,
    PROJECT,
    RANGE,
    SHARED,
    SPARE,
    TASK,
    UNSCRUBBED,
    VERSION,
)
from autoflow.server.paging import chunks
from autoflow.wire.content_hash import hex_of

BATCH = 200  # contents or documents of a transaction
PATIENCE = 120.0  # seconds after which a server completes what a client has begun
_VACUUMED = (
    *("items", "items_history", "datasets", "datasets_history", "project_meta", "project_meta_history", "projects"),
    *("versions", "documents", "blobs", "blob_leases", "files", "collections", "collection_items", "jobs", "copies"),
    *(text_columns.table.name for text_columns in texts.TEXTS if text_columns.table.name not in {"projects", "jobs"}),
    *("runs", "run_contents", "erasures", "erasure_targets"),
)


def begin(
    conn: Connection,
    team_id: int,
    user_id: int,
    values: Sequence[tuple[str, str]],
    made: Sequence[str] = (),
    *,
    scrubs: bool = True,
) -> int:
    """Journal a new erasure in a write transaction; return its number. From now on its contents cannot be uploaded.

    Args:
        conn: the transaction.
        team_id: the team.
        user_id: who asked for it.
        values: the kinds and values of its targets.
        made: references of what was made from it, for its report.
        scrubs: whether the database's file is written anew, during which writers wait; otherwise what was deleted is
            in its free pages until they are used again.

    Raises:
        ServerExtraMissing: its report could not be signed.
    """
    signature.check_available()
    row = {"team_id": team_id, "created_by": user_id, "stage": _NAMES[0], "counts": "{}"}
    erasure_id = insert_row(conn, erasures, row)
    redaction = texts.Redaction([value for kind, value in values if kind == NAME], erasure_id)
    targets.save(conn, erasure_id, [(MADE, redaction.text(ref)) for ref in made])
    targets.save(conn, erasure_id, [*values, (KEY, secrets.token_hex(16)), *([] if scrubs else [(UNSCRUBBED, "")])])
    refused = [{"team_id": team_id, "hash": value, "erasure_id": erasure_id} for kind, value in values if kind == HASH]
    insert_or_ignore_many(conn, erased_contents, refused)
    return erasure_id


def unfinished(conn: Connection, team_id: int | None = None) -> list[int]:
    """Return the numbers of erasures that are not complete, of a team or of all."""
    query = select(erasures.c.id).where(erasures.c.finished_at.is_(None))
    if team_id is not None:
        query = query.where(erasures.c.team_id == team_id)
    return list(conn.execute(query.order_by(erasures.c.id)).scalars())


def abandoned(conn: Connection) -> list[int]:
    """Return the numbers of erasures that are not complete `PATIENCE` seconds after they were begun."""
    began = clock.after(conn, -PATIENCE)
    query = select(erasures.c.id).where(erasures.c.finished_at.is_(None), erasures.c.created_at < began)
    return list(conn.execute(query.order_by(erasures.c.id)).scalars())


class Erasure:
    """One erasure, as a process works on it.

    Args:
        store: the database.
        blobs: the bytes.
        erasure_id: its number.

    Raises:
        NotFound: there is no such erasure.
    """

    def __init__(self, store: Store, blobs: BlobStore, erasure_id: int) -> None:
        self._store = store
        self._blobs = blobs
        self.id = erasure_id
        row = self._row()
        self.team_id = int(row["team_id"])
        self._caller = Caller(row["created_by"], frozenset({self.team_id}))

    def work(self, seconds: float) -> bool:
        """Work for about some seconds; return whether the erasure is complete.

        Raises:
            ServerBusy: something cannot be deleted now; what was done so far is kept.
        """
        until = time.monotonic() + seconds
        while (row := self._row())["finished_at"] is None:
            _STAGES[row["stage"]](self)
            if time.monotonic() > until:
                return self._row()["finished_at"] is not None
        return True

    def _row(self) -> RowMapping:
        with self._store.read() as conn:
            row = conn.execute(select(erasures).where(erasures.c.id == self.id)).mappings().first()
        if row is None:
            raise NotFound("erasure", self.id)
        return row

    @contextlib.contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._store.write(self._caller) as conn:
            yield conn

    def _load(self, kind: str, limit: int | None = None) -> list[str]:
        with self._store.read() as conn:
            return targets.load(conn, self.id, kind, limit)

    def _record(self, conn: Connection, counts: Mapping[str, int], cursor: Any = None) -> None:
        """Add to the counts, and store the position in the stage."""
        row = conn.execute(select(erasures.c.counts).where(erasures.c.id == self.id).with_for_update()).one()
        total = json.loads(row.counts)
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
        values = {"counts": json.dumps(total), "cursor": json.dumps(cursor) if cursor is not None else None}
        conn.execute(update(erasures).where(erasures.c.id == self.id).values(**values))

    def _advance(self, conn: Connection, stage: str) -> None:
        following = _NAMES[_NAMES.index(stage) + 1]
        own = (erasures.c.id == self.id, erasures.c.stage == stage)
        conn.execute(update(erasures).where(*own).values(stage=following, cursor=None))

    # -- the stages: each call is one step, and the last one advances

    def replace_names(self) -> None:
        """Replace names in texts."""
        redaction = texts.Redaction(self._load(NAME), self.id)
        cursor = self._row()["cursor"]
        index, after = json.loads(cursor) if cursor else (0, None)
        if redaction.is_empty or index == len(texts.TEXTS):
            with self._write() as conn:
                self._record(conn, {"names too short": len(redaction.too_short)})
                self._advance(conn, "texts")
            return
        with self._store.read(self._caller) as conn:
            window = texts.search(conn, texts.TEXTS[index], redaction, after)
        with self._write() as conn:
            replaced = texts.replace(conn, texts.TEXTS[index], redaction, window.keys)
            self._record(conn, {"texts": replaced}, [index + (window.position is None), window.position])

    def replace_code(self) -> None:
        """Replace names in the code of runs, and delete code that has erased bytes."""
        hashes = {hex_of(value) for value in self._load(HASH)}
        redaction = CodeRedaction(self.team_id, texts.Redaction(self._load(NAME), self.id), hashes)
        cursor = self._row()["cursor"]
        index, after = json.loads(cursor) if cursor else (0, 0)
        if redaction.is_empty or index == len(code.TABLES):
            with self._write() as conn:
                self._record(conn, {"pieces of code": redaction.delete_pieces(conn, self._load(PIECE))})
                self._advance(conn, "code")
            return
        with self._store.read(self._caller) as conn:
            part = redaction.search(conn, index, after)
        with self._write() as conn:
            targets.save(conn, self.id, [(PIECE, name) for name in redaction.replace(conn, index, part.keys)])
            following = [index, part.position] if part.position is not None else [index + 1, 0]
            self._record(conn, {"code of runs": len(part.keys)}, following)

    def erase_items(self) -> None:
        """Delete rows of items, and turn those of the history into tombstones."""
        images, hashes = [int(value) for value in self._load(IMAGE)], self._load(HASH)
        with self._write() as conn:
            deleted = items.delete_current(conn, images, hashes)
            buried = [] if deleted else items.bury(conn, images, hashes, "".join(self._load(KEY)))
            documents = items.document_ids([*deleted, *buried])
            targets.save(conn, self.id, [(DOCUMENT, str(number)) for number in sorted(documents)])
            self._record(conn, {"items": len(deleted), "history": len(buried)})
            if not deleted and not buried:
                self._advance(conn, "items")

    def remove_entities(self) -> None:
        """Remove projects, runs, versions and logs."""
        with self._write() as conn:
            for kind, step in _REMOVALS.items():
                for value in targets.load(conn, self.id, kind, 1):
                    self._record(conn, step(conn, self.id, value))
                    return
            self._advance(conn, "entities")

    def delete_files(self) -> None:
        """Delete the rows of team files."""
        hashes, archives = self._load(HASH), {int(value) for value in self._load(ARCHIVE)}
        with self._store.read(self._caller) as conn:
            archives |= contents.containing_files(conn, self._blobs, self._load(RANGE))
        with self._write() as conn:
            for part in chunks(hashes):
                self._record(conn, {"files": len(contents.delete_files(conn, part, ()))})
            for ids in chunks(sorted(archives)):
                files = contents.delete_files(conn, (), ids)
                targets.save(conn, self.id, [(SPARE, file.hash) for file in files])
                self._record(conn, {"archives": len(files)})
            self._advance(conn, "files")

    def delete_contents(self) -> None:
        """Delete rows and files of blobs."""
        for kind in (HASH, SPARE):
            hashes = self._load(kind, BATCH)
            for content_hash in hashes:
                self._delete_content(kind, content_hash)
            if hashes:
                return
        with self._write() as conn:
            self._record(conn, {"uploads": contents.delete_abandoned_uploads(conn, self._blobs)})
            self._advance(conn, "contents")

    def _delete_content(self, kind: str, content_hash: str) -> None:
        with self._write() as conn:
            is_shared = contents.delete_blob(conn, self.id, content_hash)
        with self._store.read() as conn:
            keeps = contents.kept_generations(conn, self.id, content_hash)
        removed = self._blobs.erase(content_hash, keeps)
        with self._write() as conn:
            targets.discard(conn, self.id, GENERATION, contents.generations(conn, self.id, content_hash))
            targets.discard(conn, self.id, kind, [content_hash])
            if is_shared and kind == HASH:
                targets.save(conn, self.id, [(SHARED, content_hash)])
            self._record(conn, {"blobs": int(not is_shared and kind == HASH), "stored files": removed})

    def delete_documents(self) -> None:
        """Delete annotation documents that only erased items had."""
        ids = self._load(DOCUMENT, BATCH)
        with self._write() as conn:
            self._record(conn, {"documents": items.delete_documents(conn, [int(value) for value in ids])})
            targets.discard(conn, self.id, DOCUMENT, ids)
            if not ids:
                self._advance(conn, "documents")

    def forget(self) -> None:
        """Delete the names from the journal."""
        with self._write() as conn:
            own = (erasure_targets.c.erasure_id == self.id, erasure_targets.c.kind.not_in((SHARED, MADE, UNSCRUBBED)))
            conn.execute(delete(erasure_targets).where(*own))
            self._advance(conn, "forget")

    def scrub(self) -> None:
        """Leave nothing of it in the files of the database."""
        if not self._load(UNSCRUBBED):
            self._store.scrub(_VACUUMED)
        with self._write() as conn:
            self._advance(conn, "scrub")

    def sign(self) -> None:
        """Write the signed report."""
        with self._write() as conn:
            row = conn.execute(select(erasures).where(erasures.c.id == self.id).with_for_update()).mappings().one()
            if row["finished_at"] is not None:
                return
            shared, made = (targets.load(conn, self.id, kind) for kind in (SHARED, MADE))
            finished_at = timestamps.now()
            unscrubbed = [
                *self._store.unscrubbed(),
                *(report.FREE_PAGES for _ in targets.load(conn, self.id, UNSCRUBBED)),
            ]
            document = report.describe(conn, row, shared, made, finished_at, self._store.key, unscrubbed)
            signed = json.dumps(signature.sign(conn, document))
            conn.execute(delete(erasure_targets).where(erasure_targets.c.erasure_id == self.id))
            event = {name: document[name] for name in ("erasure", "contents", "counts", "made", "requestedBy")}
            webhooks.notify(conn, self.team_id, webhooks.ITEM_ERASED, event)
            done = {"finished_at": finished_at, "report": signed}
            conn.execute(update(erasures).where(erasures.c.id == self.id).values(**done))


def _remove_project(conn: Connection, erasure_id: int, value: str) -> dict[str, int]:
    removal.begin_project(conn, erasure_id, int(value))
    if not removal.remove_project(conn, int(value)):
        return {}
    targets.discard(conn, erasure_id, PROJECT, [value])
    return {"projects": 1}


def _remove_task(conn: Connection, erasure_id: int, value: str) -> dict[str, int]:
    if not removal.remove_task(conn, int(value)):
        return {}
    targets.discard(conn, erasure_id, TASK, [value])
    return {"runs": 1}


def _delete_version(conn: Connection, erasure_id: int, value: str) -> dict[str, int]:
    targets.discard(conn, erasure_id, VERSION, [value])
    if Protection(conn, _team_of(conn, erasure_id)).needs_version(int(value)):  # an alias has moved since
        return {"versions needed": 1}
    return {"versions": int(removal.delete_version(conn, int(value)))}


def _team_of(conn: Connection, erasure_id: int) -> int:
    return int(conn.execute(select(erasures.c.team_id).where(erasures.c.id == erasure_id)).scalar_one())


def _delete_logs(conn: Connection, erasure_id: int, value: str) -> dict[str, int]:
    task_id, last = map(int, value.split())
    targets.discard(conn, erasure_id, LOGS, [value])
    return {"logs": removal.delete_logs(conn, task_id, last)}


_REMOVALS: Mapping[str, Callable[[Connection, int, str], dict[str, int]]] = {
    PROJECT: _remove_project,
    TASK: _remove_task,
    VERSION: _delete_version,
    LOGS: _delete_logs,
}
_STAGES: Mapping[str, Callable[[Erasure], None]] = {
    "texts": Erasure.replace_names,
    "code": Erasure.replace_code,
    "items": Erasure.erase_items,
    "entities": Erasure.remove_entities,
    "files": Erasure.delete_files,
    "contents": Erasure.delete_contents,
    "documents": Erasure.delete_documents,
    "forget": Erasure.forget,
    "scrub": Erasure.scrub,
    "report": Erasure.sign,
}
_NAMES = list(_STAGES)
