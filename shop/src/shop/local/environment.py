"""What a service is told by environment variables, each with the service's name in capitals before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from shop.local.catalogue import Need, Service
from shop.local.kept import Secrets

__all__ = ["ADMIN", "Addresses", "environment"]

ADMIN = "admin@shop.example"
"""The first administrator's e-mail address; the password is in the data folder's secrets.json."""


class Addresses(msgspec.Struct, frozen=True):
    """Where the servers are that services use."""

    kafka: str
    redis: str
    rpc: str
    """The edge's entry point for gRPC."""
    databases: Mapping[str, str]
    """A URL with its password, for each service that has a database."""
    secrets: Secrets
    reconciler: str | None = None
    """The address of Sagacity's pages."""
    otlp: str | None = None
    kafka_waits: bool = True
    """Whether the broker answers who asks for messages as soon as there are some."""

    def __repr__(self) -> str:
        return f"Addresses(kafka={self.kafka!r}, redis={self.redis!r}, rpc={self.rpc!r})"


_CONSUMER = "session.timeout.ms=6000,heartbeat.interval.ms=1000"
"""So that the work of one that was killed is taken over within seconds."""

_ASKING = f"{_CONSUMER},fetch.wait.max.ms=50"
"""Where the broker does not answer before that time is over. One that does is asked so often for nothing."""

_TOLD: Mapping[Need, Callable[[Service, Addresses], dict[str, str]]] = {
    "database": lambda service, at: {
        "DATABASE_URL": at.databases[service.name],
        "DATABASE_POOL": "8",
        "MIGRATE_ON_START": "true",
    },
    "kafka": lambda _, at: {"KAFKA_SERVERS": at.kafka, "KAFKA_CONSUMER_SETTINGS": _CONSUMER if at.kafka_waits else _ASKING},
    "redis": lambda _, at: {"REDIS_NODES": at.redis},
    "access": lambda _, at: {"AUTH_TARGET": at.rpc},
    "product": lambda _, at: {"PRODUCT_TARGET": at.rpc},
    "cases": lambda _, at: {"CASE_URL": f"{at.reconciler}/case?workflow=shop&case={{purchase}}"} if at.reconciler else {},
    "sagas": lambda _, at: {"SAGAS_URL": at.databases["orchestrator"]},
    "faults": lambda _, at: {"FAULTS_TOKEN": at.secrets.faults},
    "tokens": lambda _, at: {
        "TOKENS_KEYS": at.secrets.tokens,
        "ADMIN_EMAIL": ADMIN,
        "ADMIN_PASSWORD": at.secrets.admin,
        "LOGIN_BEHIND_PROXY": "true",
    },
}


def environment(service: Service, worker: int, http: int, rpc: int | None, at: Addresses) -> dict[str, str]:
    """The variables of one replica. `worker` tells its ids from those of all others."""
    told = {"HTTP_PORT": str(http)}
    if "ids" in service.needs:
        told["IDS_WORKER"] = str(worker)
    if rpc is not None:
        told["RPC_PORT"] = str(rpc)
    if at.otlp:
        told["OTLP_ENDPOINT"] = at.otlp
    for need in sorted(service.needs - {"ids"}):
        told |= _TOLD[need](service, at)
    return {f"{service.name.upper()}_{name}": value for name, value in told.items()}
