"""`python -m sagacity.testing.servers prepare [postgres] [kafka] [redis] [traefik]`: fetch what is missing, and say what
there is. Ends with 0 also where something cannot be had: what needs it says so itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from sagacity.testing.servers.kafka import prepare_broker
from sagacity.testing.servers.postgres import described, prepare_postgres
from sagacity.testing.servers.prometheus import prometheus_at_hand
from sagacity.testing.servers.redis import prepare_redis
from sagacity.testing.servers.traefik import prepare_traefik
from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["main"]

_SERVERS: dict[str, Callable[[], object]] = {
    "kafka": prepare_broker,
    "postgres": lambda: described(prepare_postgres()),
    "redis": lambda: " with ".join(path.name for path in prepare_redis()),
    "traefik": lambda: prepare_traefik().name,
    "prometheus": lambda: prometheus_at_hand() or "none on this machine, which is no hindrance",
}
_USAGE = f"usage: python -m sagacity.testing.servers prepare [{'|'.join(_SERVERS)}]..."


def main(arguments: Sequence[str]) -> int:
    names = arguments[1:]
    if arguments[:1] != ["prepare"] or not set(names) <= set(_SERVERS):
        print(_USAGE, file=sys.stderr)
        return 2
    for name in names or _SERVERS:
        try:
            print(f"{name}: {_SERVERS[name]()}")
        except UnavailableError as missing:
            print(f"{name}: none, and tests that need it are skipped by name: {missing}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
