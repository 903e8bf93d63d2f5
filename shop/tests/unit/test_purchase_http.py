"""What is refused before a purchase is looked for."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from shop.chassis.access import Answer, Caller
from shop.chassis.database import Pool
from shop.chassis.http import create_app
from shop.chassis.parts import Database, Http
from shop.chassis.service import Service
from shop.chassis.settings import Secret
from shop.purchase.http import events
from shop.purchase.streams import Streams, StreamSettings

HEADERS = {"Authorization": "Bearer ada"}


class Ada:
    """Knows one customer by any token."""

    async def ask(self, token: str) -> Answer | None:  # noqa: ARG002 - any is hers
        return Answer(Caller(3, frozenset()), expired=False)


def asked(path: str, **headers: str) -> httpx.Response:
    """What a service answers whose database is away."""
    pool = Pool(Database(url=Secret("postgresql://nobody@127.0.0.1:1/nothing")))
    app: Any = create_app(
        Service("purchase"),
        [events],
        settings=Http(),
        authority=Ada(),
        dependencies={"pool": pool, "streams": Streams(pool, StreamSettings())},
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://purchase", headers=HEADERS) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("last", ["last", "-1", "1.0", str(1 << 31), "9" * 12, "0" * 5_000])
def test_a_last_event_that_is_no_number_of_one_is_refused(last: str) -> None:
    answer = asked("/api/v1/purchases/1/events", **{"Last-Event-ID": last})
    assert (answer.status_code, answer.json()["fields"]) == (400, {"Last-Event-ID": "must be an integer"})
