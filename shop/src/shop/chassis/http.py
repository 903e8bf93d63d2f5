"""HTTP: an application for a service, and the server that it runs in.

An error is always `{"error": "...", "fields": {"items.0.quantity": "must be at least 1"}}`. Beside its own routes each
service has /healthz, /readyz and /metrics, and tells what it offers at /<service>/openapi.json.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import MediaType
from litestar.exceptions import ClientException, HTTPException, SerializationException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler, Empty
from litestar.utils.scope.state import ScopeState

from sagacity import correlation
from shop.chassis import parts
from shop.chassis.access import SCHEME, Authority, caller_of
from shop.chassis.describing import Description
from shop.chassis.failures import ErrorBody, Failure
from shop.chassis.fields import wrong_fields
from shop.chassis.ids import from_public
from shop.chassis.logs import logger
from shop.chassis.metrics import CONTENT_TYPE
from shop.chassis.service import Readiness, Service
from shop.chassis.telemetry import span

__all__ = ["HttpServer", "create_app", "id_in_path", "id_in_query"]

_HEADERS = 65_536
_GRACE = 10
_UNFORESEEN = "something went wrong here; the service's log says more"


def create_app(
    service: Service,
    handlers: Sequence[ControllerRouterHandler],
    *,
    settings: parts.Http,
    authority: Authority | None = None,
    dependencies: Mapping[str, object] | None = None,
    state: Mapping[str, object] | None = None,
    title: str | None = None,
    version: str = "1",
) -> Litestar:
    """A service's application. `dependencies` are values that handlers ask for by name; those that are functions of a
    request are given as litestar's Provide. `state` is what guards find in `app.state`. With an `authority`, routes may
    be guarded (`shop.chassis.access`), and ask for their `caller`."""
    given = {
        name: each if isinstance(each, Provide) else Provide(_constant(each), sync_to_thread=False)
        for name, each in (dependencies or {}).items()
    }
    if authority is not None:
        given["caller"] = Provide(caller_of, sync_to_thread=False)
    cors = CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "If-Match", "Last-Event-ID"],
        expose_headers=["ETag", "Location", "Retry-After", "X-Correlation-ID"],
    )
    return Litestar(
        [*handlers, healthz, readyz, metrics],
        dependencies=given,
        state=State({**(state or {}), "service": service, "authority": authority}),
        exception_handlers={Exception: _answered},
        cors_config=cors if settings.cors_origins else None,
        request_max_body_size=settings.body_limit,
        openapi_config=OpenAPIConfig(
            title=title or f"The shop's {service.name} service",
            version=version,
            path=f"/{service.name}",
            render_plugins=[Description(path="/openapi.json")],
            components=Components(
                security_schemes={SCHEME: SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
            ),
        ),
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


class HttpServer:
    """A part: listens once it is entered, and ends what is under way when it is left. `port` is the one that it listens
    on."""

    def __init__(self, app: Litestar, settings: parts.Http) -> None:
        self.port = settings.port
        self._app = app
        self._settings = settings
        self._server: _Server | None = None
        self._task: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> HttpServer:
        taken = socket.create_server((self._settings.host, self._settings.port), backlog=2048)
        self.port = taken.getsockname()[1]
        self._server = _Server(self._config())
        self._task = asyncio.create_task(self._server.serve(sockets=[taken]), name="http")
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(self, *_: object) -> None:
        server, task = self._server, self._task
        if server is not None and task is not None:
            server.should_exit = True
            await asyncio.wait((task,))

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        return () if self._task is None else (self._task,)

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            correlation.ASGIMiddleware(_Observed(self._app)),
            http="h11",  # the faster parser knows no bound for headers
            ws="none",
            lifespan="on",
            h11_max_incomplete_event_size=_HEADERS,
            limit_concurrency=self._settings.connections,
            timeout_graceful_shutdown=_GRACE,
            server_header=False,
            proxy_headers=False,
            access_log=False,
            log_config=None,
        )


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are the service's


class _Observed:
    """Measures each request, and puts a span around it; by its route, not its path, which anybody could make up."""

    def __init__(self, app: Litestar) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        service: Service = self._app.state.service
        began, status = time.perf_counter(), 500

        async def watched(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span(f"HTTP {scope['method']}", "server", {"http.request.method": scope["method"]}) as opened:
            try:
                await self._app(scope, receive, watched)
            finally:
                route = str(scope.get("path_template") or "-")
                service.metrics.request(_method(scope["method"]), route, status, time.perf_counter() - began)
                if opened is not None:
                    opened.update_name(f"{scope['method']} {route}")
                    opened.set_attributes({"http.route": route, "http.response.status_code": status})


@get("/healthz", sync_to_thread=False, include_in_schema=False)
def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(state: State) -> Response[Readiness]:
    """Whether requests should come here, and if not, why."""
    found = await state.service.readiness()
    return Response(found, status_code=200 if found.ready else 503)


@get("/metrics", sync_to_thread=True, include_in_schema=False)
def metrics(state: State) -> Response[bytes]:
    """For Prometheus."""
    return Response(state.service.metrics.text(), media_type=CONTENT_TYPE)


def id_in_path(text: str, what: str) -> int:
    """The id that an address names. Raises Failure 404 for what can be none."""
    id = from_public(text)
    if id is None:
        raise Failure(404, f"there is no such {what}")
    return id


def id_in_query(name: str, text: str | None) -> int | None:
    """The id that a query names, None where it names none. Raises Failure 400 for what can be none."""
    if text is None:
        return None
    id = from_public(text)
    if id is None:
        raise Failure(400, "the request is not as it should be", {name: "is no id"})
    return id


def _constant(value: object) -> Any:
    return lambda: value


def _method(name: str) -> str:
    return name if name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"


def _answered(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """The exception handler of every application."""
    failure = _failure(request, error)
    if failure.status == 500:
        logger("shop.http").error("unforeseen", method=request.method, path=request.url.path, exc_info=error)
    return Response(failure.body, status_code=failure.status, headers=failure.headers, media_type=MediaType.JSON)


def _failure(request: Request[Any, Any, Any], error: Exception) -> Failure:
    match error:
        case Failure():
            return error
        case ValidationException():
            return Failure(400, "the request is not as it should be", _fields(request, error))
        case ClientException() if isinstance(error.__cause__, SerializationException):
            return Failure(400, f"the body is no JSON: {error.detail[:1].lower()}{error.detail[1:]}")
        case HTTPException() if error.status_code < 500:
            words = error.detail if error.status_code == 400 else HTTPStatus(error.status_code).phrase.lower()
            return Failure(error.status_code, words, headers=error.headers)
        case _:
            return Failure(500, _UNFORESEEN)


def _fields(request: Request[Any, Any, Any], error: ValidationException) -> dict[str, str]:
    """Every field that is wrong: of the body all, of the rest as the framework tells them."""
    told = [each for each in error.extra or () if isinstance(each, dict)] if isinstance(error.extra, list) else []
    found = {str(each.get("key", "")): str(each.get("message", "")) for each in told if each.get("source") != "body"}
    kind = request.route_handler.parsed_data_field
    document = ScopeState.from_scope(request.scope).json
    if kind is not None and any(each.get("source") == "body" for each in told):
        found |= {"body": "is missing"} if document is Empty else wrong_fields(document, kind.raw)
    return {path or "body": why for path, why in found.items()}
