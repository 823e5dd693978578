"""Code that is stored with runs: the contents that facts name are searched for names and bytes of erased images.

A text with a name is stored anew without it; a content that has the bytes, and a pack of git's that has either, is
deleted. The fact says ``erased`` then, so that the run is not taken for one whose code is known.
"""

from __future__ import annotations

import base64
import re
import time
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from autoflow.model.run_contents import StoredContent, join, sha256_of, split
from autoflow.server.db import json_codec, run_contents
from autoflow.server.db.schema import run_contents as pieces_table
from autoflow.server.db.schema import task_facts, tasks
from autoflow.server.maintenance.erasure.run_code import holders
from autoflow.server.maintenance.erasure.texts import Redaction, of_team
from autoflow.server.paging import chunks

TABLES = (tasks, task_facts)
WINDOW = 200  # rows that are searched at once
_LITERAL = re.compile(rb"^literal \d+\n((?:[A-Za-z][^\n]+\n)+)", re.MULTILINE)


class CodeWindow(NamedTuple):
    """A part of the facts that was searched.

    Args:
        keys: ids of the rows that name contents with something erased.
        position: the id after which the next part begins, None at the end.
    """

    keys: list[int]
    position: int | None


class CodeRedaction:
    """Names and contents that an erasure removes from the code of a team's runs.

    Args:
        team_id: the team.
        names: the names.
        hashes: contents in hexadecimal digits.
    """

    def __init__(self, team_id: int, names: Redaction, hashes: Collection[str]) -> None:
        self._team_id = team_id
        self._names = names
        self._hashes = hashes
        self._known: dict[str, tuple[StoredContent | None, dict[str, str]]] = {}  # by sha256, for runs of the same code

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to search for."""
        return self._names.is_empty and not self._hashes

    def search(self, conn: Connection, index: int, after: int) -> CodeWindow:
        """Search the next rows of one of `TABLES`."""
        table = TABLES[index]
        query = select(table.c.id, table.c.facts).where(of_team(conn, table), table.c.id > after)
        rows = conn.execute(query.where(table.c.facts.contains('"pieces"')).order_by(table.c.id).limit(WINDOW)).all()
        keys = [row.id for row in rows if any(True for _ in self._changes(conn, json_codec.load(row.facts)))]
        return CodeWindow(keys, rows[-1].id if len(rows) == WINDOW else None)

    def count(self, conn: Connection, until: float) -> tuple[int, bool]:
        """Return how many rows name contents with something erased, and whether all were read before a time."""
        total = 0
        for index in range(0 if self.is_empty else len(TABLES)):
            after: int | None = 0
            while after is not None:
                if time.monotonic() > until:
                    return total, False
                part = self.search(conn, index, after)
                total, after = total + len(part.keys), part.position
        return total, True

    def replace(self, conn: Connection, index: int, keys: Sequence[int]) -> list[str]:
        """Change the facts of rows, as they are now, and return the names of the pieces that they named before."""
        table = TABLES[index]
        replaced: list[str] = []
        for key in keys:
            facts_of_row = select(table.c.facts).where(table.c.id == key).with_for_update()
            facts = json_codec.load(conn.execute(facts_of_row).scalar() or "{}")
            for holder, content, pieces in list(self._changes(conn, facts)):
                replaced += holder["content"]["pieces"]
                run_contents.add(conn, {(self._team_id, name): _decode(text) for name, text in pieces.items()})
                _mark(holder, content)
            changed = update(table).where(table.c.id == bindparam("key")).values(facts=json_codec.dump(facts))
            conn.execute(changed, {"key": key})
        return replaced

    def delete_pieces(self, conn: Connection, names: Sequence[str]) -> int:
        """Delete pieces that no facts of the team name; return how many."""
        unused = [name for name in names if not any(_is_named(conn, index, name) for index in range(len(TABLES)))]
        for part in chunks(unused):
            own = (pieces_table.c.team_id == self._team_id, pieces_table.c.hash.in_(part))
            conn.execute(delete(pieces_table).where(*own))
        return len(unused)

    def _changes(
        self, conn: Connection, facts: Any
    ) -> Iterator[tuple[dict[str, Any], StoredContent | None, dict[str, str]]]:
        """Yield each object in facts whose content changes, the new content, None for none, and its pieces."""
        for holder in holders(facts):
            content: StoredContent = holder["content"]
            if content["sha256"] not in self._known:
                self._known[content["sha256"]] = self._redact(conn, content)
            new, pieces = self._known[content["sha256"]]
            if new is None or new["sha256"] != content["sha256"]:
                yield holder, new, pieces

    def _redact(self, conn: Connection, content: StoredContent) -> tuple[StoredContent | None, dict[str, str]]:
        if content["sha256"] in self._hashes:
            return None, {}
        try:
            data = join(content, run_contents.read(conn, self._team_id, content["pieces"]))
        except ValueError:  # it cannot be read by anybody
            return content, {}
        if data.startswith(b"PACK"):
            return (None if any(self._is_erased(part) for part in _objects(data)) else content), {}
        if any(self._is_erased(literal) for literal in _literals(data)):
            return None, {}
        redacted = self._without_names(data)
        stored = split(redacted) if redacted != data else (content, {})
        return stored if stored is not None else (None, {})

    def _is_erased(self, data: bytes) -> bool:
        return sha256_of(data) in self._hashes or self._without_names(data) != data

    def _without_names(self, data: bytes) -> bytes:
        return self._names.text(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _mark(holder: dict[str, Any], content: StoredContent | None) -> None:
    """Replace the content of an object in facts, or delete it, and say so."""
    old = holder.pop("content")
    holder["erased"] = True
    if content is not None:
        holder["content"] = content
        if holder.get("sha256") == old["sha256"]:
            holder |= {"sha256": content["sha256"], "size": content["size"]}


def _decode(text: str) -> bytes:
    return base64.b64decode(text)


def _is_named(conn: Connection, index: int, piece: str) -> bool:
    table = TABLES[index]
    query = select(table.c.id).where(of_team(conn, table), table.c.facts.contains(piece, autoescape=True)).limit(1)
    return conn.execute(query).first() is not None


def _literals(patch: bytes) -> Iterator[bytes]:
    """Yield the files that a patch of git's has in full, as base 85 of compressed bytes."""
    for match in _LITERAL.finditer(patch):
        try:
            yield zlib.decompress(b"".join(map(_decode_line, match[1].splitlines())))
        except (ValueError, zlib.error):
            continue


def _decode_line(line: bytes) -> bytes:
    length = line[0] - 64 if line[0] < 97 else line[0] - 70  # A to Z are 1 to 26, a to z are 27 to 52
    return base64.b85decode(line[1:])[:length]


def _objects(pack: bytes) -> Iterator[bytes]:
    """Yield the objects of a pack without deltas, see `runtime.commit_pack`."""
    rest = pack[12:-20]
    while rest:
        header = 1
        while rest[header - 1] & 0x80 and header < len(rest):
            header += 1
        decompressor = zlib.decompressobj()
        try:
            yield decompressor.decompress(rest[header:])
        except zlib.error:
            return
        rest = decompressor.unused_data
