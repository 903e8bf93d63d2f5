"""Sagas, their history and locks, and the outbox.

Revision: 0001
"""

from __future__ import annotations

from alembic import op

from sagacity.messaging.postgres.schema import MESSAGING
from sagacity.saga.postgres.schema import SAGAS
from shop.chassis.tables import bring_up_to_date

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bring_up_to_date(op.get_bind(), MESSAGING, SAGAS)


def downgrade() -> None:
    op.execute("drop schema sagacity cascade")
