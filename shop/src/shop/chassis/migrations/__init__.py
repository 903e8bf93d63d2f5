"""Where Alembic begins: `env.py` runs the revisions of the service that asks."""
