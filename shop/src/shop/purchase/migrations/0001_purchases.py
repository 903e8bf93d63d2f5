"""Purchases, what was told of each, and outbox and inbox.

Revision: 0001
"""

from __future__ import annotations

from alembic import op

from sagacity.messaging.postgres.schema import MESSAGING
from shop.chassis.tables import bring_up_to_date

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bring_up_to_date(op.get_bind(), MESSAGING)
    op.execute(
        """
        create table purchases (
            id bigint primary key,
            customer_id bigint not null,
            items jsonb not null,
            quoted bigint not null check (quoted >= 0),
            currency text not null,
            status text not null check (status in ('PENDING', 'SUCCESS', 'FAILED', 'ROLLBACK_FAILED')),
            reason text,
            created_at timestamptz not null,
            ended_at timestamptz,
            told integer not null default 0,
            check ((status = 'PENDING') = (ended_at is null))
        )
        """
    )
    op.execute(
        """
        create table purchase_keys (
            customer_id bigint not null,
            key text not null,
            request bytea not null,
            purchase_id bigint not null references purchases,
            since timestamptz not null default now(),
            primary key (customer_id, key)
        )
        """
    )
    op.execute(
        """
        create table purchase_events (
            purchase_id bigint not null references purchases,
            number integer not null,
            type text not null check (type in ('step', 'result')),
            data jsonb not null,
            at timestamptz not null,
            primary key (purchase_id, number)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table purchase_events")
    op.execute("drop table purchase_keys")
    op.execute("drop table purchases")
