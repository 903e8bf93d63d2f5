"""Calls between services: where they go, and what is noticed of connections."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from shop.chassis.metrics import Metrics
from shop.chassis.parts import Rpc
from shop.chassis.rpc import Channel, RpcServer, options
from shop.contracts.proto import auth_pb2, auth_pb2_grpc


class Numbered(auth_pb2_grpc.AuthServiceServicer):
    """A replica that answers with its number."""

    def __init__(self, number: int) -> None:
        self._number = number

    async def Auth(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as the contract calls it
        return auth_pb2.AuthResponse(customer_id=self._number)


def replica(number: int) -> RpcServer:
    offers: dict[str, Any] = {"auth.AuthService": (auth_pb2_grpc.add_AuthServiceServicer_to_server, Numbered(number))}
    return RpcServer(Rpc(), offers, Metrics(f"account-{number}"))


def test_calls_go_to_every_address_of_a_service() -> None:
    async def answered() -> None:
        async with replica(1) as one, replica(2) as two:
            target = f"ipv4:127.0.0.1:{one.port},127.0.0.1:{two.port}"
            async with Channel(target, "account", timeout=timedelta(seconds=30)) as channel, asyncio.timeout(60):
                stub = auth_pb2_grpc.AuthServiceStub(channel.opened)
                found: set[int] = set()
                while found != {1, 2}:
                    found.add((await stub.Auth(auth_pb2.AuthRequest(access_token="any"))).customer_id)

    asyncio.run(answered())


def test_a_connection_that_has_died_is_noticed() -> None:
    """Also where nothing is asked meanwhile: who was there before a fail-over is not found gone by the next customer."""
    given = dict(options(timedelta(seconds=2)))
    assert 0 < given["grpc.keepalive_time_ms"] <= 60_000
    assert 0 < given["grpc.keepalive_timeout_ms"] <= 10_000
    assert given["grpc.keepalive_permit_without_calls"] == 1
