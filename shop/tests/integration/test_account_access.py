"""Tokens as other services see them: by gRPC, and by the guards of the chassis."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import grpc
import grpc.aio
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from litestar import get
from litestar.di import NamedDependency

from accounts import AccountServer, account_server
from running import running_beside
from sagacity.testing.servers.ports import free_ports
from shop.chassis import parts
from shop.chassis.access import BEARER, Account, Answer, Caller, Remembering, role, signed_in
from shop.chassis.failures import Failure
from shop.chassis.http import HttpServer, create_app
from shop.chassis.service import Service
from shop.contracts.claims import ADMIN
from shop.contracts.proto import auth_pb2, auth_pb2_grpc

T = TypeVar("T")
OTHER_KEY = base64.b64encode(b"another key, and also of 32 bytes").decode()


@get("/api/v1/self", guards=[signed_in], security=BEARER)
async def oneself(caller: NamedDependency[Caller]) -> dict[str, str]:
    return {"id": str(caller.customer_id), "roles": ",".join(sorted(caller.roles))}


@get("/api/v1/all", guards=[role(ADMIN)], security=BEARER)
async def everything() -> str:
    return "all"


@pytest.fixture(scope="module")
def guarded(account: AccountServer) -> Iterator[str]:
    """A service that asks the account service who somebody is; where it answers."""
    (port,) = free_ports(1)

    def wire() -> Service:
        service = Service("guarded")
        asked = service.add("account", Account(parts.Access(target=account.target)))
        authority = Remembering(asked, timedelta(0))
        settings = parts.Http(port=port)
        app = create_app(service, [oneself, everything], settings=settings, authority=authority)
        service.add("http", HttpServer(app, settings))
        return service

    with running_beside(wire):
        yield f"http://127.0.0.1:{port}"


def _ask(target: str, token: str) -> auth_pb2.AuthResponse:
    with grpc.insecure_channel(target) as channel:
        answer: auth_pb2.AuthResponse = auth_pb2_grpc.AuthServiceStub(channel).Auth(
            auth_pb2.AuthRequest(access_token=token), timeout=10
        )
        return answer


def _within(target: str, use: Callable[[Account], Awaitable[T]], timeout: timedelta = timedelta(seconds=10)) -> T:
    async def go() -> T:
        async with Account(parts.Access(target=target, timeout=timeout)) as account:
            return await use(account)

    return asyncio.run(go())


def test_auth_tells_the_customer_and_the_roles(account: AccountServer) -> None:
    told = _ask(account.target, account.registered()["access_token"])
    assert told.customer_id > 0
    assert (list(told.roles), told.expired) == (["customer"], False)
    assert list(_ask(account.target, account.admin()["access_token"]).roles) == ["admin", "customer"]


def test_auth_tells_an_expired_token_as_such(account_tables: str) -> None:
    with account_server(account_tables, ACCOUNT_TOKENS_ACCESS_FOR="1us") as account:
        told = _ask(account.target, account.registered()["access_token"])
    assert told.expired
    assert told.customer_id > 0


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\u0000", "é" * 2000])
def test_auth_refuses_what_is_no_token(account: AccountServer, token: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        _ask(account.target, token)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_the_grpc_server_tells_its_health_and_what_it_serves(account: AccountServer) -> None:
    with grpc.insecure_channel(account.target) as channel:
        asked = health_pb2.HealthCheckRequest(service="auth.AuthService")
        health = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=60)
        wanted = reflection_pb2.ServerReflectionRequest(list_services="")
        (served,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([wanted]), timeout=60)
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert "auth.AuthService" in [each.name for each in served.list_services_response.service]


def test_a_guard_knows_who_asks(guarded: str, account: AccountServer) -> None:
    pair = account.registered()
    answer = httpx.get(f"{guarded}/api/v1/self", headers={"Authorization": f"bearer   {pair['access_token']}"}, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["roles"] == "customer"


@pytest.mark.parametrize(
    "header", ["", "B", "Bearer", "Basic abc", "Bearer a b", "Bearer" + "x" * 9000, "Bearer " + "x" * 9000]
)
def test_a_short_or_malformed_header_is_refused_and_crashes_nothing(guarded: str, header: str) -> None:
    answer = httpx.get(f"{guarded}/api/v1/self", headers={"Authorization": header}, timeout=60)
    assert answer.status_code == 401
    assert answer.json() == {"error": "the Authorization header must be: Bearer <token>"}


def test_two_headers_are_one_too_many(guarded: str, account: AccountServer) -> None:
    token = f"Bearer {account.registered()['access_token']}"
    answer = httpx.get(f"{guarded}/api/v1/self", headers=[("Authorization", token), ("Authorization", token)], timeout=60)
    assert answer.status_code == 401


def test_no_token_at_all_is_told_what_is_needed(guarded: str) -> None:
    answer = httpx.get(f"{guarded}/api/v1/self", timeout=60)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": "an access token is needed: Authorization: Bearer <token>"}


def test_an_expired_token_is_told_to_be_expired(guarded: str, account_tables: str) -> None:
    with account_server(account_tables, ACCOUNT_TOKENS_ACCESS_FOR="1us") as hasty:
        token = hasty.registered()["access_token"]
    answer = httpx.get(f"{guarded}/api/v1/self", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert (answer.status_code, answer.json()) == (401, {"error": "the access token has expired"})


def test_a_refresh_token_opens_nothing(guarded: str, account: AccountServer) -> None:
    token = account.registered()["refresh_token"]
    answer = httpx.get(f"{guarded}/api/v1/self", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert (answer.status_code, answer.json()) == (401, {"error": "the access token is not valid"})


def test_a_token_by_another_key_opens_nothing(guarded: str, account_tables: str) -> None:
    with account_server(account_tables, ACCOUNT_TOKENS_KEYS=f"tests={OTHER_KEY}") as stranger:
        token = stranger.registered()["access_token"]
    answer = httpx.get(f"{guarded}/api/v1/self", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert (answer.status_code, answer.json()) == (401, {"error": "the access token is not valid"})


def test_only_an_administrator_has_the_role(guarded: str, account: AccountServer) -> None:
    for pair, expected in ((account.registered(), 403), (account.admin(), 200)):
        answer = httpx.get(f"{guarded}/api/v1/all", headers={"Authorization": f"Bearer {pair['access_token']}"}, timeout=60)
        assert answer.status_code == expected
    assert httpx.get(f"{guarded}/api/v1/all", timeout=60).status_code == 401


def test_an_account_service_that_is_away_is_no_verdict_on_the_token() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Failure) as refused:
        _within(f"127.0.0.1:{port}", lambda account: account.ask("a.b.c"), timedelta(seconds=1))
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"] == "1"


class _Unavailable(auth_pb2_grpc.AuthServiceServicer):
    """Says so many times that it is not available, or never answers at all."""

    def __init__(self, times: int | None) -> None:
        self.times = times
        self.asked = 0

    async def Auth(self, request: auth_pb2.AuthRequest, context: grpc.aio.ServicerContext) -> auth_pb2.AuthResponse:  # noqa: N802
        del request
        self.asked += 1
        if self.times is None:
            await asyncio.Event().wait()
        elif self.asked <= self.times:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "later")
        return auth_pb2.AuthResponse(customer_id=7, roles=["customer"])


def _asked_of(servicer: _Unavailable, timeout: timedelta) -> Answer | None:
    async def go() -> Answer | None:
        server = grpc.aio.server()
        auth_pb2_grpc.add_AuthServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with Account(parts.Access(target=f"127.0.0.1:{port}", timeout=timeout)) as account:
                return await account.ask("token")
        finally:
            await server.stop(None)

    return asyncio.run(go())


def test_a_service_that_is_unavailable_for_a_moment_is_asked_again() -> None:
    servicer = _Unavailable(2)
    assert _asked_of(servicer, timedelta(seconds=10)) == Answer(Caller(7, frozenset({"customer"})), expired=False)
    assert servicer.asked == 3


def test_a_service_that_never_answers_is_not_awaited_for_ever() -> None:
    with pytest.raises(Failure) as refused:
        _asked_of(_Unavailable(None), timedelta(seconds=0.2))
    assert refused.value.status == 503


class _Counting:
    def __init__(self, answer: Answer | None) -> None:
        self.answer = answer
        self.asked = 0

    async def ask(self, token: str) -> Answer | None:
        del token
        self.asked += 1
        return self.answer


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (Answer(Caller(1, frozenset()), expired=False), 2),
        (Answer(Caller(1, frozenset()), expired=True), 4),
        (None, 4),
    ],
    ids=["good", "expired", "none"],
)
def test_what_is_known_of_a_good_token_is_remembered_for_a_moment(answer: Answer | None, asked: int) -> None:
    authority, now = _Counting(answer), [0.0]
    remembering = Remembering(authority, timedelta(seconds=2), clock=lambda: now[0])

    async def go() -> None:
        for at in (0.0, 1.0, 1.9, 2.1):
            now[0] = at
            assert await remembering.ask("token") == answer

    asyncio.run(go())
    assert authority.asked == asked
