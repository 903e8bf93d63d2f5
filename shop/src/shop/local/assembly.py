"""Puts the stack together: which parts there are, where each is, and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import yaml

from sagacity.testing.servers.kafka import Broker, prepare_broker
from sagacity.testing.servers.postgres import PostgreSQL, can_keep, prepare_postgres
from sagacity.testing.servers.prometheus import Prometheus, prometheus_at_hand
from sagacity.testing.servers.redis import NODES, RedisNode, join, prepare_redis
from sagacity.testing.servers.traefik import Traefik, prepare_traefik
from shop.local.catalogue import RECONCILER, SHOP, Service
from shop.local.environment import Addresses, environment
from shop.local.keeper import Part
from shop.local.kept import elsewhere, kept_ports, kept_secrets
from shop.local.process import ServiceProcess
from shop.local.routes import GRPC, WEB, routes
from shop.local.stack import Stack

__all__ = ["Layout", "assemble"]

Say = Callable[[str], None]

_POSTGRES = {
    "shared_buffers": "48MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
    "min_wal_size": "80MB",
    "maintenance_work_mem": "16MB",
}
_HEAP = "160m"
_REDIS_MEMORY = "48mb"
_PARTITIONS = 4
_REDIS_PAUSE = 3.0
"""More than the nodes' timeout, so that a replica takes over from a master that was killed, as it would in earnest."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What is started and how. `web` is the edge's port, where it is free; `topics` are made at the broker."""

    catalogue: tuple[Service, ...] = SHOP
    topics: tuple[str, ...] = ()
    web: int = 8080
    otlp: str | None = None
    extra: Mapping[str, str] = {}
    """Variables that every service gets besides its own, such as COMPLIANCE_…; they go before its own."""
    behind: Mapping[str, int] = {}
    """For `postgres` and `kafka`: the port that services are told instead of its own, of somebody who passes things on."""

    def needs(self, what: str) -> bool:
        """Whether any service needs this."""
        return any(what in service.needs for service in self.catalogue)

    def with_sagacity(self, workflow: Path) -> Layout:
        """The same with Sagacity beside it, which judges by this workflow. The storefront leads to its cases then."""
        extra = {**self.extra, "RECONCILER_WORKFLOWS": str(workflow)}
        return msgspec.structs.replace(self, catalogue=(*self.catalogue, RECONCILER), extra=extra)


def assemble(folder: Path, layout: Layout, say: Say) -> Stack:
    """The stack, not started. Programs that are missing are fetched here. Raises UnavailableError."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    replicas = [(service, name) for service in layout.catalogue for name in service.names()]
    names = [WEB, GRPC, "traefik", "postgres", "kafka", "kafka-controller", "prometheus"]
    names += [f"redis-{number}{kind}" for number in range(1, NODES + 1) for kind in ("", "-bus")]
    names += [f"{name}-{kind}" for _, name in replicas for kind in ("http", "rpc")]
    ports = kept_ports(folder, names, preferred={WEB: layout.web})
    kept = kept_secrets(folder, [service.name for service in layout.catalogue if "database" in service.needs])
    logs = folder / "logs"
    made = _Made(folder, logs, ports, layout, say)

    postgres = made.postgres(kept.postgres, kept.databases) if layout.needs("database") else None
    broker = made.kafka() if layout.needs("kafka") else None
    nodes = made.redis() if layout.needs("redis") else ()
    database = layout.behind.get("postgres", ports["postgres"])
    addresses = Addresses(
        kafka=f"127.0.0.1:{layout.behind.get('kafka', ports['kafka'])}" if broker else "",
        redis=",".join(node.address for node in nodes),
        rpc=f"127.0.0.1:{ports[GRPC]}",
        databases={name: _url(name, secret, database) for name, secret in kept.databases.items()},
        secrets=kept,
        reconciler=f"http://127.0.0.1:{ports['reconciler-http']}" if RECONCILER in layout.catalogue else None,
        otlp=layout.otlp,
        kafka_waits=broker is None or broker.keeps,
    )
    servers = [*made.edge(), *_postgres(postgres, kept.databases), *_kafka(broker, layout.topics), *_redis(nodes)]
    ready = {"database": "postgres", "kafka": "kafka", "redis": "redis-cluster"}
    services = []
    for worker, (service, name) in enumerate(replicas):
        http, rpc = ports[f"{name}-http"], ports[f"{name}-rpc"] if service.rpc else None
        told = {**layout.extra, **environment(service, worker, http, rpc, addresses)}
        process = ServiceProcess(name, service, folder / name, http, told, logs / f"{name}.log")
        needs = tuple(ready[need] for need in sorted(service.needs) if need in ready)
        services.append(Part(name=name, server=process, needs=needs, where=_where(http, rpc)))
    web, rpc_edge = f"http://127.0.0.1:{ports[WEB]}", addresses.rpc
    return Stack(folder, [*servers, *services, *made.prometheus(services)], say, web=web, rpc=rpc_edge, addresses=addresses)


class _Made:
    """Servers with their folders, ports and logs."""

    def __init__(self, folder: Path, logs: Path, ports: Mapping[str, int], layout: Layout, say: Say) -> None:
        self._folder, self._logs, self._ports, self._layout, self._say = folder, logs, ports, layout, say

    def edge(self) -> Iterator[Part]:
        catalogue, ports = self._layout.catalogue, self._ports
        at = {kind: _addresses(catalogue, kind, ports) for kind in ("http", "rpc")}
        entries = {WEB: ports[WEB], GRPC: ports[GRPC]}
        traefik = Traefik(
            prepare_traefik(self._say), entries, self._folder / "traefik", port=ports["traefik"], log=self._log("traefik")
        )
        traefik.routes.write_text(yaml.safe_dump(routes(catalogue, at["http"], at["rpc"]), sort_keys=False))
        yield Part(name="traefik", server=traefik, where=f"http://127.0.0.1:{ports[WEB]}  grpc 127.0.0.1:{ports[GRPC]}")

    def postgres(self, password: str, databases: Mapping[str, str]) -> PostgreSQL:
        folder = self._folder / "postgres"
        if not can_keep(folder):
            # Started by root it runs as another user, who cannot enter root's own folders.
            folder = elsewhere(self._folder) / "postgres"
            self._say(f"PostgreSQL's own user cannot enter {self._folder}: its data is in {folder}")
        at = self._ports["postgres"]
        settings = {**_POSTGRES, "max_connections": str(80 + 20 * len(databases))}
        return PostgreSQL(
            prepare_postgres(self._say), folder, port=at, password=password, settings=settings, log=self._log("postgres")
        )

    def kafka(self) -> Broker:
        kind = prepare_broker(self._say)
        broker = Broker(
            kind,
            self._folder / "kafka",
            port=self._ports["kafka"],
            controller=self._ports["kafka-controller"],
            advertised=self._layout.behind.get("kafka"),
            heap=_HEAP,
            log=self._log("kafka"),
        )
        if not broker.keeps:
            self._say(
                f"the broker is {kind}, which holds its topics in memory. After a restart of it the shop may not go on:"
            )
            self._say(
                f"then remove {self._folder} and begin anew, or install Java and Maven for a broker that keeps its topics"
            )
        return broker

    def redis(self) -> tuple[RedisNode, ...]:
        programs, ports = prepare_redis(self._say), self._ports
        return tuple(
            RedisNode(
                name,
                programs,
                self._folder / name,
                ports=(ports[name], ports[f"{name}-bus"]),
                memory=_REDIS_MEMORY,
                log=self._log(name),
            )
            for name in (f"redis-{number}" for number in range(1, NODES + 1))
        )

    def prometheus(self, services: Sequence[Part]) -> Iterator[Part]:
        program = prometheus_at_hand()
        if program is None:
            return
        targets = {WEB: [f"127.0.0.1:{self._ports['traefik']}"]}
        targets |= {part.name: [f"127.0.0.1:{self._ports[f'{part.name}-http']}"] for part in services}
        server = Prometheus(
            program, targets, self._folder / "prometheus", port=self._ports["prometheus"], log=self._log("prometheus")
        )
        yield Part(name="prometheus", server=server, where=server.url)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def _postgres(server: PostgreSQL | None, databases: Mapping[str, str]) -> Iterator[Part]:
    if server is None:
        return

    def give() -> None:
        for name, password in databases.items():
            server.give(name, password)

    where = f"127.0.0.1:{server.port}  databases {', '.join(sorted(databases))}"
    yield Part(name="postgres", server=server, then=give, where=where)


def _kafka(server: Broker | None, topics: Sequence[str]) -> Iterator[Part]:
    if server is not None:
        # At each start: a broker that holds topics in memory has none then.
        yield Part(name="kafka", server=server, then=lambda: server.give(topics, _PARTITIONS), where=server.servers)


def _redis(nodes: Sequence[RedisNode]) -> Iterator[Part]:
    for node in nodes:
        yield Part(name=node.name, server=node, where=node.address, pause=_REDIS_PAUSE)
    if nodes:
        needs = tuple(node.name for node in nodes)
        yield Part(name="redis-cluster", needs=needs, then=lambda: join(nodes), where="three masters, three replicas")


def _addresses(catalogue: Sequence[Service], kind: str, ports: Mapping[str, int]) -> dict[str, list[str]]:
    return {each.name: [f"127.0.0.1:{ports[f'{name}-{kind}']}" for name in each.names()] for each in catalogue}


def _where(http: int, rpc: int | None) -> str:
    return f"http://127.0.0.1:{http}" + (f"  grpc 127.0.0.1:{rpc}" if rpc else "")


def _url(name: str, password: str, port: int) -> str:
    return f"postgresql://{name}:{password}@127.0.0.1:{port}/{name}"
