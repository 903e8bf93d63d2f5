"""Orders with their lines, and what a participant keeps.

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
        create table orders (
            id bigint primary key,
            purchase_id bigint not null unique,
            customer_id bigint not null,
            amount bigint not null check (amount >= 0),
            currency text not null,
            status text not null check (status in ('CREATED', 'CANCELLED')),
            created_at timestamptz not null,
            cancelled_at timestamptz,
            check ((status = 'CANCELLED') = (cancelled_at is not null))
        )
        """
    )
    op.execute("create index orders_customer on orders (customer_id, id desc)")
    op.execute(
        """
        create table order_lines (
            order_id bigint not null references orders,
            product_id bigint not null,
            quantity integer not null check (quantity > 0),
            price bigint not null check (price >= 0),
            primary key (order_id, product_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table order_lines")
    op.execute("drop table orders")
