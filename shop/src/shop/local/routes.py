"""The routes of the edge, as Traefik's file provider reads them: HTTP by path, gRPC by the header `service-name`.

Each replica is asked for its health; a request whose replica cannot be reached goes to another. One that a replica has begun
to read when it dies goes to another only where its method says that twice is as good as once: a POST is answered with 502,
and whoever sent it may send it again, with the same `Idempotency-Key`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shop.local.catalogue import Service

__all__ = ["GRPC", "WEB", "routes"]

WEB = "web"
GRPC = "grpc"
"""The names of the edge's entry points."""

_RETRY = {"attempts": 4, "initialInterval": "50ms", "status": ["502"]}
_HTTP_CHECK = {"path": "/readyz", "interval": "2s", "unhealthyInterval": "500ms", "timeout": "2s"}
_GRPC_CHECK = {"mode": "grpc", "interval": "2s", "unhealthyInterval": "500ms", "timeout": "2s"}
_ROUTED_BY = "service-name"


def routes(
    services: Sequence[Service], http: Mapping[str, Sequence[str]], rpc: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The document. `http` and `rpc` are each service's addresses (`host:port`), one for each replica."""
    routers: dict[str, Any] = {}
    behind: dict[str, Any] = {}
    for service in services:
        if service.paths:
            routers[service.name] = _router(WEB, _by_path(service), service.name)
            behind[service.name] = _balanced("http", http[service.name], _HTTP_CHECK)
        if service.rpc:
            name = f"{service.name}-{GRPC}"
            routers[name] = _router(GRPC, f"Header(`{_ROUTED_BY}`, `{service.name}`)", name)
            behind[name] = _balanced("h2c", rpc[service.name], _GRPC_CHECK)
    return {"http": {"routers": routers, "middlewares": {"again": {"retry": _RETRY}}, "services": behind}}


def _by_path(service: Service) -> str:
    """Its API by prefixes that end where a segment does, and what it says of its API."""
    prefixes = (f"Path(`{path}`) || PathPrefix(`{path}/`)" for path in service.paths)
    return " || ".join((*prefixes, f"Path(`/{service.name}/openapi.json`)"))


def _router(entry: str, rule: str, service: str) -> dict[str, Any]:
    return {"entryPoints": [entry], "rule": rule, "service": service, "middlewares": ["again"]}


def _balanced(scheme: str, addresses: Sequence[str], check: Mapping[str, str]) -> dict[str, Any]:
    servers = [{"url": f"{scheme}://{address}"} for address in addresses]
    return {"loadBalancer": {"servers": servers, "healthCheck": dict(check)}}
