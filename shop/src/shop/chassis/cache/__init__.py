"""A cache in layers, each of which does one thing and answers through the one port of `source.py`.

local.py       within the process: what was read of late; one question for all who ask the same at once
filter.py      the cuckoo filter in Redis: what is certainly absent is answered without a query
shared.py      values in Redis, each with its version; an older one never replaces a newer
locked.py      of all who miss the same, in all replicas, one asks the database, and fills in
database.py    what lies behind: so many questions at once, and no more

source.py      the port
changes.py     how every replica hears of changes: from the database, at their commit
keeper.py      builds the filter from the database where it is lost, full or old
cluster.py     the Redis cluster, asked within bounds; breaker.py: left alone for a while where it fails
meter.py       what is counted
cache.py       all of it put together
"""

from __future__ import annotations

from shop.chassis.cache.cache import Cache, Times
from shop.chassis.cache.changes import Changes, PostgresChanges
from shop.chassis.cache.keeper import Known
from shop.chassis.cache.source import Change, Kept, Source

__all__ = ["Cache", "Change", "Changes", "Kept", "Known", "PostgresChanges", "Source", "Times"]
