"""An index of the words in names, paths and messages: FTS5 tables on SQLite, GIN indexes on PostgreSQL.

The database maintains it: triggers on SQLite, the expression of each index on PostgreSQL. A word is a run of letters
and digits, without accents; case is ignored. Every word of a query must begin a word of the row, in any order.
"""

# ruff: noqa: S608 - the statements are composed of this package's own names

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, column, func, literal_column, table, text
from sqlalchemy.sql.expression import TableClause

from autoflow.server.db.page_tables import notes
from autoflow.server.db.schema import datasets, files, jobs, projects, tasks, versions

# The texts of each table that are indexed, the name first.
COLUMNS: Mapping[Table, Sequence[str]] = {
    projects: ("name", "description"),
    datasets: ("name",),
    tasks: ("name", "error"),
    files: ("path",),
    versions: ("name", "description"),
    jobs: ("name",),
    notes: ("text",),
}
MAX_WORDS = 10  # of a query; further ones are ignored
MIN_TYPO = 3  # characters; a shorter word has too many neighbours
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_TOKENS = "unicode61 remove_diacritics 2"
_WORD_LENGTH = 100  # characters; PostgreSQL refuses a lexeme of more than 2,046 bytes
_TEXT_LENGTH = 4000  # characters that are indexed of a text on PostgreSQL
# ASCII alone: what counts as a letter otherwise depends on the locale of the database
_SEPARATORS = r"\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f"
_WORDS_FUNCTION = (
    "CREATE FUNCTION search_words(value text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ "
    "SELECT array_to_tsvector(array_remove(regexp_split_to_array(regexp_replace(lower(regexp_replace("
    rf"normalize(left(value, {_TEXT_LENGTH}), NFKD), '[\u0300-\u036f]', '', 'g')), "
    rf"'([^{_SEPARATORS}]{{{_WORD_LENGTH}}})[^{_SEPARATORS}]+', '\1', 'g'), '[{_SEPARATORS}]+'), '')) $$"
)


def _index(table_name: str) -> str:
    return f"search_{table_name}"


def _sqlite_statements(table_name: str, names: Sequence[str]) -> list[str]:
    fts = _index(table_name)
    new, old = (", ".join(f"{row}.{name}" for name in ("id", *names)) for row in ("new", "old"))
    listed = ", ".join(names)
    insert = f"INSERT INTO {fts} (rowid, {listed}) VALUES ({new});"
    delete = f"INSERT INTO {fts} ({fts}, rowid, {listed}) VALUES ('delete', {old});"
    changed = " OR ".join(f"new.{name} IS NOT old.{name}" for name in names)
    return [
        f"CREATE VIRTUAL TABLE {fts} USING fts5"
        f"({listed}, content='{table_name}', content_rowid='id', tokenize='{_TOKENS}', prefix='1 2 3')",
        f"CREATE TRIGGER {fts}_on_insert AFTER INSERT ON {table_name} BEGIN {insert} END",
        f"CREATE TRIGGER {fts}_on_delete AFTER DELETE ON {table_name} BEGIN {delete} END",
        f"CREATE TRIGGER {fts}_on_update AFTER UPDATE OF {listed} ON {table_name} WHEN {changed} "
        f"BEGIN {delete} {insert} END",
        f"INSERT INTO {fts} ({fts}) VALUES ('rebuild')",
    ]


def rebuild_statements() -> list[str]:
    """Return the statements that write the indexes of SQLite anew: they keep deleted words for a while."""
    return [f"INSERT INTO {_index(table.name)} ({_index(table.name)}) VALUES ('rebuild')" for table in COLUMNS]


def _document(names: Sequence[str], prefix: str = "") -> str:
    texts = " || ' ' || ".join(f"coalesce({prefix}{name}, '')" for name in names)
    return f"search_words({texts})"


def statements(dialect: str, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the statements that create the index and fill it with the rows that there are.

    Args:
        dialect: SQLAlchemy's name of the database.
        columns: the columns that are indexed, by table.
    """
    functions = [] if dialect == "sqlite" else [_WORDS_FUNCTION]
    return [*functions, *table_statements(dialect, columns)]


def table_statements(dialect: str, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the statements that index further tables of a store that has the index; see `statements`."""
    if dialect == "sqlite":
        return [statement for name, names in columns.items() for statement in _sqlite_statements(name, names)]
    return [f"CREATE INDEX {_index(name)} ON {name} USING gin ({_document(names)})" for name, names in columns.items()]


def install(conn: Connection) -> None:
    """Create the index in a new store."""
    for statement in statements(conn.dialect.name, {indexed.name: names for indexed, names in COLUMNS.items()}):
        conn.exec_driver_sql(statement)


def words_of(value: str) -> list[str]:
    """Return the words of a text, folded as the index folds them, each once."""
    folded = "".join(char for char in unicodedata.normalize("NFKD", value) if not unicodedata.combining(char))
    return list(dict.fromkeys(re.findall(r"[^\W_]+", folded.lower())))[:MAX_WORDS]


def neighbours(word: str) -> set[str]:
    """Return the words that one edit makes of a word: a letter more, less, another one, or two swapped."""
    if len(word) < MIN_TYPO or word.isdigit():
        return {word}
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    letters = sorted({*_ALPHABET, *word})
    return {
        word,
        *(left + right[1:] for left, right in parts if right),
        *(left + right[1] + right[0] + right[2:] for left, right in parts if len(right) > 1),
        *(left + letter + right[1:] for left, right in parts if right for letter in letters),
        *(left + letter + right for left, right in parts for letter in letters),
    }


def matching(conn: Connection, query: Select[Any], indexed: Table, expression: str) -> Select[Any]:
    """Restrict a query over a table to the rows that an expression of this module matches, the newest first."""
    if conn.dialect.name == "sqlite":
        fts: TableClause = table(_index(indexed.name), column("rowid"))
        matches = text(f"{fts.name} MATCH :words").bindparams(words=expression)
        return query.join(fts, fts.c.rowid == indexed.c.id).where(matches).order_by(fts.c.rowid.desc())
    document: ColumnElement[str] = literal_column(_document(COLUMNS[indexed], f"{indexed.name}."))
    return query.where(document.op("@@")(func.to_tsquery("simple", expression))).order_by(indexed.c.id.desc())


def all_words(conn: Connection, words: Iterable[str], *, prefix: bool) -> str:
    """Return the expression for rows that have every one of these words, or of these beginnings of words."""
    if conn.dialect.name == "sqlite":
        return " AND ".join(f'"{word}"{"*" if prefix else ""}' for word in words)
    return " & ".join(f"'{word}'{':*' if prefix else ''}" for word in words)


def any_neighbours(conn: Connection, words: Iterable[str]) -> str:
    """Return the expression for rows that have a neighbour of every one of these words."""
    quote, both, either = ('"', " AND ", " OR ") if conn.dialect.name == "sqlite" else ("'", " & ", " | ")
    return both.join(
        "(" + either.join(f"{quote}{neighbour}{quote}" for neighbour in sorted(neighbours(word))) + ")"
        for word in words
    )
