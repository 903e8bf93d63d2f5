"""Addresses from which somebody has logged in to an account."""

from __future__ import annotations

from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("create table familiar (key text primary key, seen_at timestamptz not null)")
    op.execute("create index familiar_seen_at on familiar (seen_at)")
