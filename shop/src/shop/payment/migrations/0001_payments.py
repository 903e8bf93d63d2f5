"""Payments, and what a participant keeps.

Revision: 0001
"""

from __future__ import annotations

from alembic import op

from sagacity.messaging.postgres.schema import MESSAGING
from sagacity.saga.postgres.schema import PARTICIPANT
from shop.chassis.tables import bring_up_to_date

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bring_up_to_date(op.get_bind(), MESSAGING, PARTICIPANT)
    op.execute(
        """
        create table payments (
            id bigint primary key,
            purchase_id bigint not null unique,
            order_id bigint not null,
            customer_id bigint not null,
            amount bigint not null check (amount >= 0),
            currency text not null,
            charge text not null,
            status text not null check (status in ('RECEIVED', 'REFUNDED')),
            received_at timestamptz not null,
            refunded_at timestamptz,
            check ((status = 'REFUNDED') = (refunded_at is not null))
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table payments")
