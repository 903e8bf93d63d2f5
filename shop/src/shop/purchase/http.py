"""Purchases over HTTP: placed, looked at, and followed, by the customer whose they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody
from litestar.response import Stream

from shop.chassis.access import BEARER, Caller, signed_in
from shop.chassis.database import Pool
from shop.chassis.describing import may_answer
from shop.chassis.failures import Failure
from shop.chassis.http import id_in_path
from shop.chassis.ids import PublicId, from_public, to_public
from shop.contracts.commands import Currency, Money, PurchaseStepChanged, Quantity, Step, StepResult
from shop.purchase import store
from shop.purchase.domain import Line, Purchase, Standing, Status, standings
from shop.purchase.placing import Asked, Placing
from shop.purchase.store import Told
from shop.purchase.streams import Streams

__all__ = ["ROUTES", "ItemBody", "PlacedBody", "PurchaseBody", "PurchaseRequest", "StepBody"]

_PATH = "/api/v1/purchases"
_LATEST = 1 << 31
_ALL = 10_000
"""More than is ever told of a purchase."""
_step = msgspec.json.Decoder(PurchaseStepChanged).decode


class ItemBody(msgspec.Struct, frozen=True):
    """So many units of a product."""

    product_id: PublicId
    quantity: Quantity


class PurchaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to buy. A product that is there twice is bought as often as both say together."""

    items: Annotated[list[ItemBody], msgspec.Meta(min_length=1, max_length=100)]
    currency: Currency


class PlacedBody(msgspec.Struct, frozen=True):
    """A purchase that has been taken on."""

    id: PublicId
    status: Status


class StepBody(msgspec.Struct, frozen=True):
    """How a step stands; `result` is null before it was begun. Times are UTC."""

    step: Step
    result: StepResult | None
    reason: str | None
    at: datetime | None


class PurchaseBody(msgspec.Struct, frozen=True):
    """A purchase. `quoted` is what the items cost when it was asked for, in minor units; what was charged is in its
    order. `steps` is empty once they are forgotten, long after the purchase has ended."""

    id: PublicId
    customer_id: PublicId
    items: list[ItemBody]
    quoted: Money
    currency: Currency
    status: Status
    reason: str | None
    steps: list[StepBody]
    created_at: datetime
    ended_at: datetime | None


@post(_PATH, guards=[signed_in], security=BEARER, status_code=202, summary="Buy", responses=may_answer(422))
async def place(
    data: JSONBody[PurchaseRequest],
    caller: NamedDependency[Caller],
    placing: NamedDependency[Placing],
    key: Annotated[
        str | None,
        HeaderParameter(
            name="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="given again with the same body, it is the same purchase; with another body, 422",
        ),
    ] = None,
) -> Response[PlacedBody]:
    """Answers at once: how it goes is told at the address in `Location`, and at `/events` below it. 422 for what cannot be
    bought, with the reason for each item."""
    lines = tuple(Line(_id(place, item), item.quantity) for place, item in enumerate(data.items))
    purchase = await placing.place(Asked(caller.customer_id, lines, data.currency, key))
    id = to_public(purchase.id)
    return Response(PlacedBody(id, purchase.status), status_code=202, headers={"Location": f"{_PATH}/{id}"})


@get(
    f"{_PATH}/{{purchase_id:str}}",
    guards=[signed_in],
    security=BEARER,
    summary="How a purchase stands",
    responses=may_answer(404),
)
async def purchase(purchase_id: FromPath[str], caller: NamedDependency[Caller], pool: NamedDependency[Pool]) -> PurchaseBody:
    """404 where there is no such purchase, 403 where it is somebody else's."""
    found = await _own(purchase_id, caller, pool)
    async with pool.connection() as connection:
        told = await store.told_after(connection, found.id, 0, _ALL)
    return _body(found, [_standing(each) for each in told if each.type == "step"])


@get(
    f"{_PATH}/{{purchase_id:str}}/events",
    guards=[signed_in],
    security=BEARER,
    summary="Every step, then the result",
    responses=may_answer(204, 404),
    media_type="text/event-stream",
)
async def events(
    purchase_id: FromPath[str],
    caller: NamedDependency[Caller],
    pool: NamedDependency[Pool],
    streams: NamedDependency[Streams],
    last: Annotated[
        str | None, HeaderParameter(name="Last-Event-ID", description="the number of the last event that was seen")
    ] = None,
) -> Response[Any]:
    """Server-sent events: `step` with how a step stands, and `result` with how the purchase ended, which is the last. Those
    before a connection are told, too. 204 where the result has been seen, or is long ago: a browser then does not come
    again."""
    after = _number(last)
    found = await _own(purchase_id, caller, pool)
    if found.status != "PENDING":
        async with pool.connection() as connection:
            if not await store.told_after(connection, found.id, after, 1):
                return Response(None, status_code=204)
    streams.admit()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(streams.events(found.id, after), media_type="text/event-stream", headers=headers)


ROUTES = (place, purchase, events)


async def _own(text: str, caller: Caller, pool: Pool) -> Purchase:
    async with pool.connection() as connection:
        found = await store.find(connection, id_in_path(text, "purchase"))
    if found is None:
        raise Failure(404, "there is no such purchase")
    if found.customer_id != caller.customer_id:
        raise Failure(403, "this purchase is somebody else's")
    return found


def _standing(told: Told) -> Standing:
    step = _step(told.data)
    return Standing(step.step, step.result, step.reason, told.at)


def _id(place: int, item: ItemBody) -> int:
    id = from_public(item.product_id)
    if id is None:
        raise Failure(422, "there is no such product", {f"items.{place}.product_id": "there is no such product"})
    return id


def _number(text: str | None) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_LATEST)) or int(text) >= _LATEST:
        raise Failure(400, "the last event is named by its number", {"Last-Event-ID": "must be an integer"})
    return int(text)


def _body(purchase: Purchase, told: list[Standing]) -> PurchaseBody:
    kept = bool(told) or purchase.status == "PENDING"
    return PurchaseBody(
        id=to_public(purchase.id),
        customer_id=to_public(purchase.customer_id),
        items=[ItemBody(to_public(line.product_id), line.quantity) for line in purchase.items],
        quoted=purchase.quoted,
        currency=purchase.currency,
        status=purchase.status,
        reason=purchase.reason,
        steps=[StepBody(each.step, each.result, each.reason, each.at) for each in standings(told)] if kept else [],
        created_at=purchase.created_at,
        ended_at=purchase.ended_at,
    )
