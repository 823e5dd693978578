"""Store which account of an OpenID provider a user signs in with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add the column; users of tokens have no such account."""
    op.add_column("users", sa.Column("oidc_subject", sa.Text()))
    op.create_index("users_by_oidc_subject", "users", ["oidc_subject"], unique=True)
