"""Sagas in PostgreSQL.

    schema.py          the tables, in numbered steps
    connection.py      a connection that comes back, and transactions that are sent in one go
    store.py           what a batch of decisions reads and writes
    definitions.py     the versions of definitions: kept, listed, migrated
    orders.py          operators' orders, and what became of them
    listing.py         sagas to look at: lists, one with its history, counts
    barrier.py         what a participant has answered
    operations.py      what an operator does, for the command line and the web
    redriving.py       dead letters done again
    window.py          a few connections to look at a database by, within bounds of time
    retention.py       forgetting what is long over

Raises UsageError on import where the extra `saga` is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from sagacity.errors import UsageError

if find_spec("psycopg") is None:
    raise UsageError("sagas need the package psycopg", hint="pip install '.[saga]' in a clone of Sagacity")

from sagacity.saga.postgres.schema import install, install_participant

__all__ = ["install", "install_participant"]
