"""Payments count their versions and tell of their changes, for the cache. Programs of before go on with it.

Revision: 0002
"""

from __future__ import annotations

from alembic import op

from shop.chassis.cache.rows import versioned

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in versioned("payments"):
        op.execute(statement)


def downgrade() -> None:
    for name in ("counted", "told"):
        op.execute(f"drop trigger {name} on payments")
        op.execute(f"drop function payments_{name}")
    op.execute("alter table payments drop column version, drop column changed_at")
