"""An index of the ids of tags on items, which are inside a document of each item.

The database maintains it: triggers and a table on SQLite, a GIN index of an expression on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, cast, column, literal_column, select, table
from sqlalchemy.dialects import postgresql

from autoflow.server.db.schema import items

NAME = "search_item_tags"

_INSERT = "INSERT OR IGNORE INTO search_item_tags SELECT json_extract(value, '$.id'), new.id FROM json_each(new.tags)"
_REMOVE = (
    "DELETE FROM search_item_tags WHERE item_id = old.id "
    "AND tag_id IN (SELECT json_extract(value, '$.id') FROM json_each(old.tags))"
)
_SQLITE = (
    "CREATE TABLE search_item_tags (tag_id INTEGER NOT NULL, item_id INTEGER NOT NULL, PRIMARY KEY (tag_id, item_id)) "
    "WITHOUT ROWID",
    f"CREATE TRIGGER search_item_tags_on_insert AFTER INSERT ON items WHEN new.tags <> '[]' BEGIN {_INSERT}; END",
    f"CREATE TRIGGER search_item_tags_on_delete AFTER DELETE ON items WHEN old.tags <> '[]' BEGIN {_REMOVE}; END",
    "CREATE TRIGGER search_item_tags_on_update AFTER UPDATE OF tags ON items WHEN new.tags <> old.tags "
    f"BEGIN {_REMOVE}; {_INSERT}; END",
    "INSERT OR IGNORE INTO search_item_tags SELECT json_extract(value, '$.id'), items.id "
    "FROM items, json_each(items.tags) WHERE items.tags <> '[]'",
)
# Quotes inside a value are escaped, so that the expression matches the beginning of a tag alone.
_POSTGRESQL = (
    "CREATE FUNCTION search_tag_ids(tags text) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ "
    r"""SELECT array_agg(ids[1]::bigint) FROM regexp_matches(tags, '\{"id":(\d+),', 'g') AS ids $$""",
    "CREATE INDEX search_item_tags ON items USING gin (search_tag_ids(tags)) WHERE tags <> '[]'",
)


def statements(dialect: str) -> Sequence[str]:
    """Return the statements that create the index and fill it, by SQLAlchemy's name of the database."""
    return _SQLITE if dialect == "sqlite" else _POSTGRESQL


def install(conn: Connection) -> None:
    """Create the index in a new store."""
    for statement in statements(conn.dialect.name):
        conn.exec_driver_sql(statement)


def has_tag(conn: Connection, number: int) -> ColumnElement[bool]:
    """Return the condition that an item has the tag of an id."""
    if conn.dialect.name == "sqlite":
        index = table(NAME, column("tag_id"), column("item_id"))
        return items.c.id.in_(select(index.c.item_id).where(index.c.tag_id == number))
    ids: ColumnElement[object] = literal_column("search_tag_ids(items.tags)")
    numbers = cast(postgresql.array([number]), postgresql.ARRAY(BigInteger))
    return and_(items.c.tags != literal_column("'[]'"), ids.op("@>")(numbers))
