"""Fault switches over HTTP: GET and PUT /faults, for this machine alone, and with the token alone."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any

from litestar import Controller, Request, get, put
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.params import JSONBody

from shop.chassis.failures import Failure
from shop.chassis.faults import Faults, Rates
from shop.chassis.logs import logger
from shop.chassis.settings import Secret

__all__ = ["Switches"]

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


async def _trusted(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: whoever asks is on this machine, comes by no proxy, and has the token."""
    client = connection.client
    direct = client is not None and ip_address(client.host).is_loopback
    if not direct or any(name in connection.headers for name in _FORWARDED):
        raise Failure(403, "faults are switched from this machine alone")
    token: Secret | None = connection.app.state.get("fault_token")
    if token is None:
        raise Failure(403, "faults cannot be switched here: no token is set")
    given = connection.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.reveal().encode()):
        raise Failure(401, "the token is not the right one", headers={"WWW-Authenticate": "Bearer"})


class Switches(Controller):
    """The faults of this process. Another replica has its own."""

    path = "/faults"
    guards = (_trusted,)
    include_in_schema = False

    @get()
    async def shown(self, faults: NamedDependency[Faults]) -> Rates:
        return faults.rates

    @put()
    async def switched(
        self, data: JSONBody[Rates], faults: NamedDependency[Faults], request: Request[Any, Any, Any]
    ) -> Rates:
        """What is not said is switched off."""
        faults.rates = data
        logger(f"shop.{request.app.state.service.name}").warning("faults switched", rates=str(data))
        return data
