"""Types and definitions of columns that many tables have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text, text

# SQLite uses only an INTEGER PRIMARY KEY as the row id; PostgreSQL needs the wide type.
Number = BigInteger().with_variant(Integer(), "sqlite")
# Compared byte by byte, so that a prefix search is a range scan; SQLite does so by default.
Path = Text().with_variant(Text(collation="C"), "postgresql")


def identifier() -> Column[int]:
    """Return the column of a row's id."""
    return Column("id", Number, primary_key=True, autoincrement=True)


def text_column(name: str, default: str = "''") -> Column[str]:
    """Return a column of text, which is empty by default."""
    return Column(name, Text, nullable=False, server_default=text(default))


def author() -> Column[int]:
    """Return the column of the user who wrote a row; NULL in rows older than revision 0006."""
    return Column("created_by", Number, ForeignKey("users.id"))


def timestamps() -> tuple[Column[str], Column[str]]:
    """Return the columns of a row's times."""
    return Column("created_at", Text, nullable=False), Column("updated_at", Text, nullable=False)


def foreign_key(name: str, table: str, **options: Any) -> Column[int]:
    """Return a column with the id of a row of another table."""
    return Column(name, Number, ForeignKey(f"{table}.id"), **{"nullable": False, **options})
