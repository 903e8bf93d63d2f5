"""The account service over gRPC: who holds a token."""

from __future__ import annotations

from typing import Any

import grpc

from shop.chassis.access import Authority
from shop.contracts.proto import auth_pb2, auth_pb2_grpc

__all__ = ["AuthServicer"]


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """auth.AuthService."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def Auth(self, request: auth_pb2.AuthRequest, context: Any) -> auth_pb2.AuthResponse:  # noqa: N802
        answer = await self._authority.ask(request.access_token)
        if answer is None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "this is no access token of the shop")
            raise AssertionError  # abort has raised
        caller = answer.caller
        return auth_pb2.AuthResponse(customer_id=caller.customer_id, roles=sorted(caller.roles), expired=answer.expired)
