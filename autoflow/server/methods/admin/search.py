"""``autoflow.search``: everything that the caller sees, by words, a number, a version's number or a sha256.

Names are found by the index of words (`db.search_index`): each word of the query begins a word of the name, in any
order, whatever its case and accents. Where that finds nothing of a kind, names that contain the query as it is are
looked for among the newest rows; where nothing is found at all, names with misspelled words are.

Images are not indexed, as the index would slow down every upload: they are searched by the text of their names, all of
them only if nothing else is found or no other kind is asked for.

Equal names come first, then names that begin with the query, then others, the newest first within each.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, func, or_, select

from autoflow.server.db import search_index
from autoflow.server.methods.admin.search_kinds import KINDS, Kind
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.request_parser import as_number
from autoflow.wire.contract import admin as contract

DEFAULT_SIZE = 8  # results of each kind
MAX_SIZE = 100
MAX_RANKED = 2000  # newest matches that are ranked
RECENT = 5000  # newest rows whose names are read
_ALIASES: Mapping[str, contract.SearchKind] = {"task": "run"}
_VERSION = re.compile(r"v([0-9]{1,9})", re.IGNORECASE)
_SHA256 = re.compile("[0-9a-f]{64}", re.IGNORECASE)


class _Query(NamedTuple):
    """A parsed search.

    Args:
        text: the part of a name, empty for a number alone.
        number: the id.
        kinds: the kinds to search.
    """

    text: str
    number: int | None
    kinds: Sequence[contract.SearchKind]


def _parse(request: contract.SearchRequest) -> _Query:
    text = request.q.strip()
    kinds: list[contract.SearchKind] = list(request.kinds)
    prefix, _, rest = text.partition(":")
    named: contract.SearchKind | None = next((name for name in KINDS if name == prefix.lower()), None)
    kind = named or _ALIASES.get(prefix.lower())
    if kind is not None and as_number(rest) is not None:
        kinds = [kind]
        text = f"#{rest.strip()}"
    number = as_number(text.removeprefix("#"))
    name_part = "" if text.startswith("#") and number is not None else text
    return _Query(name_part, number, list(dict.fromkeys(kinds)) or list(KINDS))


def _spellings(text: str) -> list[str]:
    """Return the spellings of a text to search for: SQLite ignores the case of ASCII letters only."""
    return [text] if text.isascii() else sorted({text, text.lower(), text.upper(), text.title(), text.capitalize()})


def _rank(kind: Kind, text: str) -> ColumnElement[int]:
    name = kind.texts[0]
    is_equal = or_(*(func.lower(name) == func.lower(spelling) for spelling in _spellings(text)))
    has_prefix = or_(*(name.istartswith(spelling, autoescape=True) for spelling in _spellings(text)))
    return case((is_equal, 0), (has_prefix, 1), else_=2)


def _best(conn: Connection, kind: Kind, matches: Select[Any], size: int) -> list[RowMapping]:
    """Return the best rows of a query for ids and ranks that gives the newest first."""
    newest = matches.limit(MAX_RANKED).subquery()
    best = select(newest.c.id).order_by(newest.c.rank, newest.c.id.desc()).limit(size)
    return list(conn.execute(kind.query(conn).where(kind.table.c.id.in_(best.scalar_subquery()))).mappings())


def _ids_and_ranks(conn: Connection, kind: Kind, text: str) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [kind.table.c.id, _rank(kind, text).label("rank")]
    return kind.query(conn).with_only_columns(*columns)


def _with_expression(conn: Connection, kind: Kind, text: str, expression: str, size: int) -> list[RowMapping]:
    if kind.table not in search_index.COLUMNS or not expression:
        return []
    query = _ids_and_ranks(conn, kind, text)
    return _best(conn, kind, search_index.matching(conn, query, kind.table, expression), size)


def _containing(conn: Connection, kind: Kind, text: str, size: int, *, recent: bool) -> list[RowMapping]:
    """Return the best rows with a text in their names or other texts, all rows or among the newest."""
    contains = or_(
        *(column.icontains(spelling, autoescape=True) for column in kind.texts for spelling in _spellings(text))
    )
    query = _ids_and_ranks(conn, kind, text).where(contains)
    if recent:
        since = select(kind.table.c.id).order_by(kind.table.c.id.desc()).offset(RECENT).limit(1).scalar_subquery()
        query = query.where(kind.table.c.id > func.coalesce(since, 0))
    return _best(conn, kind, query.order_by(kind.table.c.id.desc()), size)


def _exact(conn: Connection, kind: Kind, query: _Query, size: int) -> list[RowMapping]:
    """Return the rows with the id, the version's number or the sha256 that a query is."""
    conditions: list[ColumnElement[bool]] = []
    if query.number is not None:
        conditions.append(kind.table.c.id == query.number)
    if kind.of_version is not None and (version := _VERSION.fullmatch(query.text)):
        conditions.append(kind.of_version == int(version[1]))
    if kind.of_hash is not None and _SHA256.fullmatch(query.text):
        conditions.append(kind.of_hash(base64.b64encode(bytes.fromhex(query.text)).decode()))
    if not conditions:
        return []
    rows = kind.query(conn).where(or_(*conditions)).order_by(kind.table.c.id.desc()).limit(size)
    return list(conn.execute(rows).mappings())


def _search_kind(conn: Connection, kind: Kind, query: _Query, size: int, *, only: bool) -> list[RowMapping]:
    """Return the rows of one kind, those that the query identifies first, each once."""
    rows = _exact(conn, kind, query, size)
    if query.text:
        words = search_index.all_words(conn, search_index.words_of(query.text), prefix=True)
        by_name = _with_expression(conn, kind, query.text, words, size)
        rows += by_name or _containing(conn, kind, query.text, size, recent=not only)
    return list({row["id"]: row for row in rows}.values())


def _misspelled(conn: Connection, query: _Query, size: int) -> dict[contract.SearchKind, list[RowMapping]]:
    """Return the rows for a query that nothing matches: those with similar words, else any images."""
    words = search_index.any_neighbours(conn, search_index.words_of(query.text))
    matches: dict[contract.SearchKind, list[RowMapping]] = {
        name: _with_expression(conn, KINDS[name], query.text, words, size) for name in query.kinds
    }
    if not any(matches.values()) and "image" in query.kinds:
        matches["image"] = _containing(conn, KINDS["image"], query.text, size, recent=False)
    return matches


def _order(query: _Query, result: contract.SearchResult) -> tuple[int, int]:
    title, text = result["title"].lower(), query.text.lower()
    if result["id"] == query.number:
        return (-1, 0)
    return (0 if title == text else 1 if title.startswith(text) else 2, -result["id"])


@implements(contract.SEARCH)
def search(conn: Connection, request: contract.SearchRequest) -> contract.SearchResponse:
    """``autoflow.search`` for ``q``.

    ``kinds`` are those to search (default: all), ``limit`` the most results of each. ``project:7``, ``#7`` and ``7``
    search by number, ``V4`` for versions, 64 hexadecimal digits for files and images by their sha256.
    """
    query = _parse(request)
    size = min(max(request.limit or DEFAULT_SIZE, 1), MAX_SIZE)
    matches: dict[contract.SearchKind, list[RowMapping]] = {}
    if query.text or query.number is not None:
        only = len(query.kinds) == 1
        matches = {name: _search_kind(conn, KINDS[name], query, size + 1, only=only) for name in query.kinds}
        if query.text and not any(matches.values()):
            matches = _misspelled(conn, query, size + 1)
    results: list[contract.SearchResult] = []
    for name, rows in matches.items():
        of_kind: list[contract.SearchResult] = [
            {"kind": name, "id": row["id"], **KINDS[name].result(row)} for row in rows
        ]
        results += sorted(of_kind, key=lambda result: _order(query, result))[:size]
    return {"results": results, "more": [name for name, rows in matches.items() if len(rows) > size]}


READS: Mapping[str, Operation] = by_name(search)
WRITES: Mapping[str, Operation] = {}
