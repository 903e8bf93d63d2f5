"""Checks, and the outbox and inbox.

Revision: 0001
"""

from __future__ import annotations

from alembic import op

from sagacity.messaging.postgres.schema import MESSAGING
from shop.chassis.late import TABLE
from shop.chassis.tables import bring_up_to_date

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bring_up_to_date(op.get_bind(), MESSAGING)
    op.execute(TABLE)
    op.execute(
        """
        create table checks (
            id bigint primary key,
            purchase_id bigint not null,
            payment_id bigint not null unique,
            amount bigint not null,
            currency text not null,
            verdict text not null check (verdict in ('passed', 'flagged')),
            checked_at timestamptz not null
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table late_messages")
    op.execute("drop table checks")
