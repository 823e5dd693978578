"""Issues of a team, their comments, and sub-issues that are bound to an image, a figure, a project or a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, select, update

from autoflow.server import timestamps
from autoflow.server.db.access import check_own, get_row, visible
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.labeling_tables import issue_comments as comment_table
from autoflow.server.db.labeling_tables import issues as table
from autoflow.server.paging import chunks

STATUSES = ("open", "closed")


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all issues and sub-issues."""
    return select(table).where(visible(conn, table))


def get(conn: Connection, number: int) -> RowMapping:
    """Return an issue or a sub-issue by id.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(table.c.id == number), "issue", number)


def get_own(conn: Connection, number: int) -> RowMapping:
    """Return an issue by id, to change it.

    Raises:
        NotFound: there is none.
        Forbidden: the caller's token is for a reproduction that did not create it.
    """
    row = get(conn, number)
    check_own(conn, table, "issue", number)
    return row


def add(conn: Connection, values: Mapping[str, Any]) -> int:
    """Insert an issue; return its id."""
    return insert_row(conn, table, values)


def edit(conn: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Change columns of an issue."""
    conn.execute(update(table).where(table.c.id == number).values(**values, updated_at=timestamps.now()))


def remove(conn: Connection, number: int) -> None:
    """Delete an issue with its sub-issues and comments."""
    tree = [number, *(row["id"] for row in children(conn, [number])[number])]
    for part in chunks(tree):
        conn.execute(delete(comment_table).where(comment_table.c.issue_id.in_(part)))
    conn.execute(delete(table).where(table.c.parent_id == number))
    conn.execute(delete(table).where(table.c.id == number))


def children(conn: Connection, numbers: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Return the sub-issues of issues by the issues' ids."""
    by_parent: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    for part in chunks(numbers):
        query = listing(conn).where(table.c.parent_id.in_(part)).order_by(table.c.id)
        for row in conn.execute(query).mappings():
            by_parent[row["parent_id"]].append(row)
    return by_parent


def forget_images(conn: Connection, numbers: Sequence[int]) -> None:
    """Delete the sub-issues of images, whose meta may have their labels."""
    own = select(table.c.id).where(table.c.image_id.in_(numbers))
    conn.execute(delete(comment_table).where(comment_table.c.issue_id.in_(own)))
    conn.execute(delete(table).where(table.c.image_id.in_(numbers)))


def add_comment(conn: Connection, issue_id: int, comment: str) -> RowMapping:
    """Insert a comment; return it."""
    return get_comment(conn, insert_row(conn, comment_table, {"issue_id": issue_id, "comment": comment}))


def get_comment(conn: Connection, number: int) -> RowMapping:
    """Return a comment by id.

    Raises:
        NotFound: there is none.
    """
    query = select(comment_table).where(visible(conn, comment_table))
    return get_row(conn, query.where(comment_table.c.id == number), "comment", number)


def edit_comment(conn: Connection, number: int, comment: str) -> RowMapping:
    """Change the text of a comment; return it.

    Raises:
        NotFound: there is none.
        Forbidden: the caller's token is for a reproduction that did not create it.
    """
    row = get_comment(conn, number)
    check_own(conn, comment_table, "comment", number)
    changed = {"comment": comment, "updated_at": timestamps.now()}
    conn.execute(update(comment_table).where(comment_table.c.id == row["id"]).values(**changed))
    return get_comment(conn, number)


def comments(conn: Connection, issue_id: int) -> list[RowMapping]:
    """Return the comments of an issue, the oldest first."""
    query = select(comment_table).where(comment_table.c.issue_id == issue_id).order_by(comment_table.c.id)
    return list(conn.execute(query).mappings())
