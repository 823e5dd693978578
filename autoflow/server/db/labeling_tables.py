"""The tables of labeling queues, issues with their comments, and reports."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text, false

from autoflow.server.db.columns import Number, author, foreign_key, identifier, text_column, timestamps
from autoflow.server.db.schema import metadata

# The jobs of a queue name it in `jobs.queue_id`; `meta` is JSON: what is to be labeled. `labelers` and `reviewers` are
# JSON lists of users.
labeling_queues = Table(
    "labeling_queues",
    metadata,
    identifier(),
    foreign_key("project_id", "projects"),
    Column("dataset_id", Number),
    Column("collection_id", Number),
    text_column("name"),
    text_column("readme"),
    text_column("description"),
    text_column("status", "'pending'"),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    text_column("labelers", "'[]'"),
    text_column("reviewers", "'[]'"),
    text_column("meta", "'{}'"),
    Column("started_at", Text),
    Column("finished_at", Text),
    author(),
    *timestamps(),
    sqlite_autoincrement=True,
)
Index("labeling_queues_by_project", labeling_queues.c.project_id)

# An issue of a team, or a sub-issue with its `parent_id`, which is bound to what `field` and `value` say: ``imageId``,
# ``figureId``, ``projectId`` or ``jobId``. Its project, dataset and image are NULL where it belongs to none.
issues = Table(
    "issues",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    foreign_key("parent_id", "issues", nullable=True),
    foreign_key("project_id", "projects", nullable=True),
    Column("dataset_id", Number),
    Column("image_id", Number),
    text_column("name"),
    text_column("status", "'open'"),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Column("local", Boolean, nullable=False, server_default=false()),
    text_column("assignees", "'[]'"),
    text_column("field"),
    Column("value", Number),
    text_column("meta", "'{}'"),
    author(),
    *timestamps(),
    sqlite_autoincrement=True,
)
Index("issues_by_team", issues.c.team_id)
Index("issues_by_parent", issues.c.parent_id)
Index("issues_by_project", issues.c.project_id)

issue_comments = Table(
    "issue_comments",
    metadata,
    identifier(),
    foreign_key("issue_id", "issues"),
    text_column("comment"),
    author(),
    *timestamps(),
    sqlite_autoincrement=True,
)
Index("issue_comments_by_issue", issue_comments.c.issue_id)

# `widgets` is JSON: a list of what an app shows, each with an ``id``.
reports = Table(
    "reports",
    metadata,
    identifier(),
    foreign_key("team_id", "teams"),
    text_column("name"),
    text_column("layout"),
    text_column("widgets", "'[]'"),
    author(),
    *timestamps(),
    sqlite_autoincrement=True,
)
Index("reports_by_team", reports.c.team_id)
