"""Indexes by which what is long over is found.

Revision: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index purchase_keys_since on purchase_keys (since)")
    op.execute("create index purchase_events_at on purchase_events (at)")


def downgrade() -> None:
    op.execute("drop index purchase_events_at")
    op.execute("drop index purchase_keys_since")
