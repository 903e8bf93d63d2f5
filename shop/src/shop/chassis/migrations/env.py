"""Run by Alembic: the revisions are upgraded on the connection that `shop.chassis.migrating` has opened and locked."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
