"""gRPC: a server with health and reflection, and channels to other services, through a proxy or not.

Every call has a deadline, is tried again while the other side is UNAVAILABLE, and is spread over all addresses of its
target. What is bound (correlation id, trace) goes along. A proxy routes calls by the header `service-name`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

import grpc
import grpc.aio
import msgspec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from sagacity.correlation.grpc import AioServerInterceptor, aio_client_interceptors
from shop.chassis import parts
from shop.chassis.logs import logger
from shop.chassis.metrics import Metrics
from shop.chassis.telemetry import span

__all__ = ["ROUTE", "Channel", "Offer", "RpcServer", "options"]

ROUTE = "service-name"
"""The header by which a proxy knows where a call goes: the name of the service, such as `product`."""

Offer: TypeAlias = "tuple[Callable[[Any, Any], None], object]"
"""What the generated code adds a servicer to a server with, and the servicer."""

_GRACE = 10.0
_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
_SERVER = (("grpc.so_reuseport", 0), ("grpc.http2.min_ping_interval_without_data_ms", 10_000), *_KEEPALIVE)
_CLIENT = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2_000), *_KEEPALIVE)


class RpcServer:
    """A part: serves what it is given, by full name (`auth.AuthService`), beside health and reflection."""

    def __init__(self, settings: parts.Rpc, offers: Mapping[str, Offer], metrics: Metrics) -> None:
        self.port = settings.port
        self._settings = settings
        self._offers = dict(offers)
        self._metrics = metrics
        self._server: Any = None
        self._health: Any = None
        self._task: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> RpcServer:
        self._server = grpc.aio.server(
            interceptors=[AioServerInterceptor(), _Observed(self._metrics)], options=list(_SERVER)
        )
        for add, servicer in self._offers.values():
            add(servicer, self._server)
        self._health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*self._offers, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._server.add_insecure_port(f"{self._settings.host}:{self._settings.port}")
        await self._server.start()
        for name in ("", *self._offers):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._task = asyncio.create_task(self._server.wait_for_termination(), name="rpc")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(_GRACE)
        if self._task is not None:
            await asyncio.wait((self._task,))

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        return () if self._task is None else (self._task,)


class Channel:
    """A part: calls to one service. `target` is gRPC's (host:port, dns:///…), `service` names it to a proxy. Use `opened`
    for a stub, once entered. `timeout` bounds each call, what is tried again included; a call may ask for less."""

    def __init__(self, target: str, service: str, *, timeout: timedelta = timedelta(seconds=2)) -> None:
        self._target = target
        self._service = service
        self._timeout = timeout
        self._channel: Any = None

    async def __aenter__(self) -> Channel:
        interceptors = [*aio_client_interceptors(), _Outward(self._service)]
        self._channel = grpc.aio.insecure_channel(
            self._target, options=list(options(self._timeout)), interceptors=interceptors
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close(grace=1.0)

    @property
    def opened(self) -> Any:
        """What a generated stub is made with."""
        return self._channel


def options(timeout: timedelta) -> tuple[tuple[str, Any], ...]:
    """A channel's options: deadlines, retries, balancing, keep-alive. The deadline is that of a call with all its
    retries."""
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "timeout": f"{timeout.total_seconds():g}s",
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
    return (("grpc.service_config", msgspec.json.encode(config).decode()), ("grpc.enable_retries", 1), *_CLIENT)


class _Outward(grpc.aio.UnaryUnaryClientInterceptor):
    """Names the service to whatever routes the call."""

    def __init__(self, service: str) -> None:
        self._service = service

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), (ROUTE, self._service))
        return await continuation(details._replace(metadata=metadata), request)


class _Observed(grpc.aio.ServerInterceptor):
    """Measures each call, puts a span around it, and tells of a mistake without a word of what it says."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._around(details.method, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _around(self, method: str, behave: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        async def answered(request: Any, call: Any) -> Any:
            began, code = time.perf_counter(), "UNKNOWN"
            with span(method.strip("/"), "server", {"rpc.system": "grpc"}) as opened:
                try:
                    answer = await behave(request, call)
                    code = "OK"
                    return answer
                except grpc.aio.AbortError:
                    code = grpc.StatusCode(call.code()).name if isinstance(call.code(), grpc.StatusCode) else "UNKNOWN"
                    raise
                except Exception as error:
                    code = "INTERNAL"
                    logger("shop.rpc").error("unforeseen", method=method, exc_info=error)
                    with contextlib.suppress(grpc.aio.AbortError):
                        await call.abort(grpc.StatusCode.INTERNAL, "something went wrong here; the service's log says more")
                    raise
                finally:
                    self._metrics.call(method, code, time.perf_counter() - began)
                    if opened is not None:
                        opened.set_attribute("rpc.grpc.status_code", code)

        return answered
