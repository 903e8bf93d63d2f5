"""One server for as long as somebody looks: started, its address said, stopped by Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from sagacity.testing.servers.kafka import Broker, prepare_broker
from sagacity.testing.servers.postgres import PostgreSQL, prepare_postgres
from sagacity.testing.servers.redis import RedisCluster, prepare_redis
from sagacity.testing.servers.server import Server

__all__ = ["RUNNABLE", "Wanted", "run"]


class Wanted(msgspec.Struct, frozen=True):
    """How a server is to be run. Without a folder what it holds is gone with it; without a port it has one that is free.
    `topics` are made in a broker unless they are there."""

    folder: Path | None = None
    port: int | None = None
    topics: tuple[str, ...] = ()


class _One(msgspec.Struct, frozen=True):
    """A server that is not started yet; `to_wait_for` is a process that it cannot do without. `told` is asked once it is up:
    its address, and the variables by which programs are told of it."""

    start: Callable[[], None]
    to_wait_for: Server
    remove: Callable[[], None]
    told: Callable[[], tuple[str, Mapping[str, str]]]


def _postgres(wanted: Wanted) -> _One:
    server = PostgreSQL(prepare_postgres(), wanted.folder, port=wanted.port)
    variables = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    address = f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
    return _One(server.start, server, server.remove, lambda: (address, variables))


def _kafka(wanted: Wanted) -> _One:
    server = Broker(prepare_broker(), wanted.folder, port=wanted.port)

    def start() -> None:
        server.start()
        server.give(wanted.topics)

    return _One(start, server, server.remove, lambda: (server.servers, {"KAFKA": server.servers}))


def _redis(wanted: Wanted) -> _One:
    cluster = RedisCluster(prepare_redis(), wanted.folder)
    return _One(cluster.start, cluster.nodes[0], cluster.remove, lambda: (cluster.addresses, {"REDIS": cluster.addresses}))


RUNNABLE: Mapping[str, Callable[[Wanted], _One]] = {"postgres": _postgres, "kafka": _kafka, "redis": _redis}
"""What can be run, by its name."""


def run(name: str, wanted: Wanted) -> int:
    """Run a server until SIGINT or SIGTERM; its address is the first line on standard output. 0 where it was told to stop, 1
    where it ended by itself. Raises UnavailableError."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    one = RUNNABLE[name](wanted)
    try:
        one.start()
        address, variables = one.told()
        exports = " ".join(f"{variable}={value}" for variable, value in variables.items())
        kept = f"what it holds is kept in {wanted.folder}" if wanted.folder else "what it holds is gone then"
        print(f"{address}\nexport {exports}\nThe line above tells programs of another terminal. Ctrl-C stops it; {kept}.",
              flush=True)  # fmt: skip
        one.to_wait_for.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        one.remove()
    print(f"{name} has ended by itself", file=sys.stderr)
    return 1
