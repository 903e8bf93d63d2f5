"""Bearer token -> Caller, by asking the account service.

create_app(service, [orders], settings=settings.http, authority=authority)

@get("/api/v1/orders", guards=[signed_in], security=BEARER)
async def orders(caller: NamedDependency[Caller]) -> ...: ...

@post("/api/v1/products", guards=[role(ADMIN)], security=BEARER)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import grpc
import msgspec
from cachetools import TTLCache
from litestar.connection import ASGIConnection, Request
from litestar.handlers.base import BaseRouteHandler

from shop.chassis import parts
from shop.chassis.failures import Failure
from shop.chassis.rpc import Channel
from shop.contracts.claims import Role
from shop.contracts.proto import auth_pb2, auth_pb2_grpc

__all__ = [
    "BEARER", "SCHEME", "Account", "Answer", "Authority", "Caller", "Guard", "Remembering", "caller_of", "role", "signed_in",
]  # fmt: skip

SCHEME = "BearerToken"
BEARER: list[dict[str, list[str]]] = [{SCHEME: []}]
"""What a route says that needs a token, for the API's description."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Any]

_LONGEST = 8_192
_KEPT = 10_000


class Caller(msgspec.Struct, frozen=True):
    """Who asks."""

    customer_id: int
    roles: frozenset[str]


class Answer(msgspec.Struct, frozen=True):
    """What a token of this shop stands for."""

    caller: Caller
    expired: bool


class Authority(Protocol):
    """Who knows what a token stands for."""

    async def ask(self, token: str) -> Answer | None:
        """What it stands for; None for what is no access token of this shop. Raises Failure 503 where that cannot be
        known."""
        ...


class Account:
    """A part, and an authority: the account service, asked over gRPC."""

    def __init__(self, settings: parts.Access) -> None:
        self._channel = Channel(settings.target, "account", timeout=settings.timeout)
        self._stub: Any = None

    async def __aenter__(self) -> Account:
        await self._channel.__aenter__()
        self._stub = auth_pb2_grpc.AuthServiceStub(self._channel.opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.__aexit__()

    async def ask(self, token: str) -> Answer | None:
        try:
            said = await self._stub.Auth(auth_pb2.AuthRequest(access_token=token))
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                return None
            raise Failure(503, "tokens cannot be looked at now; try again", headers={"Retry-After": "1"}) from error
        return Answer(Caller(said.customer_id, frozenset(said.roles)), said.expired)


class Remembering:
    """An authority that asks another, and remembers for a short while what it said of tokens that were good."""

    def __init__(
        self, authority: Authority, kept: timedelta, *, most: int = _KEPT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._authority = authority
        self._known: TTLCache[str, Answer] | None = None
        if kept > timedelta(0):
            self._known = TTLCache(most, kept.total_seconds(), clock)

    async def ask(self, token: str) -> Answer | None:
        if self._known is not None and (known := self._known.get(token)) is not None:
            return known
        answer = await self._authority.ask(token)
        if self._known is not None and answer is not None and not answer.expired:
            self._known[token] = answer
        return answer


async def signed_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: whoever asks must have a token. Refuses with 401, and says why."""
    token = _token(connection.headers.getall("authorization", []))
    answer = await connection.app.state.authority.ask(token)
    if answer is None:
        raise _unauthorised("the access token is not valid", "invalid_token")
    if answer.expired:
        raise _unauthorised("the access token has expired", "invalid_token")
    connection.scope["user"] = answer.caller


def role(needed: Role) -> Guard:
    """A guard: whoever asks must have a token, and this role. Refuses with 401 or 403."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        await signed_in(connection, handler)
        if needed not in connection.scope["user"].roles:
            raise Failure(403, f"this needs the role {needed!r}")

    return guard


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """The dependency `caller`, behind one of the guards above."""
    found = request.scope.get("user")
    if not isinstance(found, Caller):
        raise RuntimeError(f"{request.route_handler} asks for a caller, and no guard looks for one")
    return found


def _token(headers: list[str]) -> str:
    """The token of a request's Authorization headers. Raises Failure 401 unless there is exactly one, of the right form."""
    if not headers:
        raise _unauthorised("an access token is needed: Authorization: Bearer <token>")
    kind, _, token = headers[0].strip().partition(" ")
    token = token.strip()
    if len(headers) > 1 or kind.lower() != "bearer" or not token or " " in token or len(token) > _LONGEST:
        raise _unauthorised("the Authorization header must be: Bearer <token>", "invalid_request")
    return token


def _unauthorised(error: str, code: str | None = None) -> Failure:
    challenge = f'Bearer error="{code}", error_description="{error}"' if code else "Bearer"
    return Failure(401, error, headers={"WWW-Authenticate": challenge})
