"""Charges that are in doubt, or were given back.

Revision: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table charges (reference text primary key, asked_at timestamptz not null, given_back_at timestamptz)")
    op.execute("create index charges_in_doubt on charges (asked_at) where given_back_at is null")


def downgrade() -> None:
    op.execute("drop table charges")
