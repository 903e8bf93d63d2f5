"""What is refused before anything is looked for: no database is there to look in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from litestar.types import ControllerRouterHandler

from shop.chassis.access import Answer, Caller
from shop.chassis.database import Pool
from shop.chassis.http import create_app
from shop.chassis.parts import Database, Http
from shop.chassis.service import Service
from shop.chassis.settings import Secret
from shop.order.http import orders
from shop.payment.http import payments
from shop.product.category_http import all_categories
from shop.product.http import products
from shop.purchase.http import events
from shop.purchase.streams import Streams, StreamSettings

TOO_LARGE = str(1 << 63)


class Ada:
    """Knows one customer by any token."""

    async def ask(self, token: str) -> Answer | None:  # noqa: ARG002 - any is hers
        return Answer(Caller(3, frozenset()), expired=False)


def refused(handler: ControllerRouterHandler, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """The status of what a service answers, and the fields that it finds wrong."""
    pool = Pool(Database(url=Secret("postgresql://nobody@127.0.0.1:1/nothing")))
    given = {"pool": pool, "streams": Streams(pool, StreamSettings())}
    app: Any = create_app(Service("tested"), [handler], settings=Http(), authority=Ada(), dependencies=given)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tested") as client:
            return await client.get(f"/api/v1/{path}", headers={"Authorization": "Bearer ada", **(headers or {})})

    answer = asyncio.run(ask())
    return answer.status_code, answer.json().get("fields")


@pytest.mark.parametrize("last", ["last", "-1", "1.0", str(1 << 31), "9" * 12, "0" * 5_000])
def test_a_last_event_that_is_no_number_of_one_is_refused(last: str) -> None:
    wrong = {"Last-Event-ID": "must be an integer"}
    assert refused(events, "purchases/1/events", {"Last-Event-ID": last}) == (400, wrong)


@pytest.mark.parametrize(
    ("handler", "path", "field"),
    [
        (orders, "orders", "after"),
        (payments, "payments", "purchase_id"),
        (products, "products", "after"),
        (products, "products", "category_id"),
        (all_categories, "categories", "after"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_a_query_that_names_what_can_be_no_id_is_refused(handler: ControllerRouterHandler, path: str, field: str) -> None:
    assert refused(handler, f"{path}?{field}={TOO_LARGE}") == (400, {field: "is no id"})
