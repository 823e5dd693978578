"""A database that many tests use in turn: after each it is again what it was, quicker than a copy of a template.

A copy is some 700 files and a checkpoint of the whole server; to delete the rows of a test takes a few milliseconds.
"""

from __future__ import annotations

import contextlib
from typing import Any

# What is deleted stays in the files, as nothing vacuums them: a database is given up after this many tests.
USES = 50

_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
_SEQUENCES = "SELECT quote_ident(sequencename), last_value, start_value FROM pg_sequences WHERE schemaname = 'public'"

# Every change of a definition makes new rows in these catalogues, with new transaction numbers, or removes some.
_DEFINITIONS = """
SELECT (SELECT (count(*), sum(oid::bigint)) FROM pg_class WHERE relnamespace = 'public'::regnamespace)::text,
       (SELECT (count(*), max(oid::bigint)) FROM pg_trigger)::text,
       (SELECT (count(*), sum(oid::bigint)) FROM pg_constraint)::text,
       (SELECT (count(*), sum(oid::bigint), sum(xmin::text::bigint)) FROM pg_proc WHERE oid >= 16384)::text,
       (SELECT (count(*), sum(xmin::text::bigint)) FROM pg_attribute WHERE attrelid >= 16384)::text
"""

# Triggers and foreign keys are off: some tables refuse that a row is deleted.
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$
DECLARE filled text;
BEGIN
  FOR filled IN SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
  LOOP EXECUTE 'DELETE FROM ' || filled; END LOOP;
END $$;
"""


class ReusableDatabase:
    """The state of a database when it was new: its definitions, rows and sequences.

    Args:
        name: its name.
        connection: to it; not used afterwards.
    """

    def __init__(self, name: str, connection: Any) -> None:
        self.name = name
        self._uses = 0
        self._definitions = connection.execute(_DEFINITIONS).fetchall()
        self._rows = {}
        for (table,) in connection.execute(_TABLES).fetchall():
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                if data := b"".join(bytes(row) for row in rows):
                    self._rows[table] = data
        self._sequences = "SELECT " + ", ".join(
            f"setval('{name}', {start if last is None else last}, {last is not None})"
            for name, last, start in connection.execute(_SEQUENCES).fetchall()
        )

    def reset(self, connection: Any) -> bool:
        """Make the database what it was; return whether another test may use it.

        A test that changed definitions ends its use.
        """
        self._uses += 1
        if self._uses >= USES or connection.execute(_DEFINITIONS).fetchall() != self._definitions:
            return False
        connection.execute(_EMPTY)
        for table, data in self._rows.items():
            with contextlib.closing(connection.cursor()) as cursor, cursor.copy(f"COPY {table} FROM STDIN") as rows:
                rows.write(data)
        connection.execute(self._sequences)
        return True
