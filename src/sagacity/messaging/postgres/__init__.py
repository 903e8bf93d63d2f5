"""What makes messages reliable, kept in a service's own PostgreSQL, in the transaction of what it does.

    schema.py          the tables, in numbered steps
    outbox.py          messages out: written with their cause, sent by the relay
    relay.py           sends what the outbox holds
    inbox.py           messages in: each is done once, and its answer remembered
    positions.py       how far topics have been read: moved on only from where they were left
    dead_letters.py    what could not be done, with the reason, and how it is done after all

Functions take the connection whose transaction they are part of: nothing here commits but the relay.

Raises UsageError on import where the extra `saga` is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from sagacity.errors import UsageError

if find_spec("psycopg") is None:
    raise UsageError("outbox and inbox need the package psycopg", hint="pip install '.[saga]' in a clone of Sagacity")

from sagacity.messaging.postgres.relay import Lag, Relay
from sagacity.messaging.postgres.schema import install

__all__ = ["Lag", "Relay", "install"]
