"""Placing a purchase: what is asked for is looked at, kept, and told of, in one transaction; once for each
idempotency key."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from sagacity import correlation
from sagacity.messaging import Envelope, Message
from sagacity.messaging.postgres import outbox
from shop.chassis.database import Pool
from shop.chassis.failures import Failure
from shop.chassis.ids import Ids, to_public
from shop.chassis.told import told
from shop.contracts import topics
from shop.contracts.commands import Item, StartPurchase
from shop.contracts.events import OrderPlaced
from shop.purchase import store
from shop.purchase.domain import MOST, Line, Purchase, fingerprint, merged, quoted
from shop.purchase.products import Found, Products

__all__ = ["Asked", "Placing"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_UNITS = 1_000_000


class Asked(msgspec.Struct, frozen=True):
    """What a customer asks for, as it came: a product may be there twice."""

    customer_id: int
    lines: tuple[Line, ...]
    currency: str
    key: str | None


class _Claimed(Exception):  # noqa: N818 - it rolls a transaction back, and leaves this module never
    """Another request with the same key was first."""


class Placing:
    """Places purchases. `clock` is in microseconds since 1970, UTC."""

    def __init__(
        self, pool: Pool, products: Products, ids: Ids, *, clock: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._pool = pool
        self._products = products
        self._ids = ids
        self._clock = clock

    async def place(self, asked: Asked) -> Purchase:
        """The purchase: a new one, or that which was placed with the same key before. Raises Failure 422 for what cannot be
        bought, or a key that stands for something else, and 503 where that cannot be known."""
        known = await self._known(asked)
        if known is not None:
            return known
        lines = merged(asked.lines)
        _refuse_too_many(asked, lines)
        try:
            price = _priced(asked, lines, await self._products.look_up(lines))
        except Failure:
            # The same request may have been placed since, and have taken what is not left now.
            known = await self._known(asked)
            if known is not None:
                return known
            raise
        now = self._clock()
        purchase = Purchase(
            id=self._ids.new(),
            customer_id=asked.customer_id,
            items=lines,
            quoted=price,
            currency=asked.currency,
            status="PENDING",
            reason=None,
            created_at=_EPOCH + timedelta(microseconds=now),
            ended_at=None,
        )
        try:
            async with self._pool.transaction() as connection:
                await store.add(connection, purchase)
                if asked.key is not None:
                    request = fingerprint(asked.lines, asked.currency)
                    if not await store.claim(connection, asked.customer_id, asked.key, request, purchase.id):
                        raise _Claimed
                await outbox.send(connection, _messages(purchase, now))
        except _Claimed:
            known = await self._known(asked)
            assert known is not None
            return known
        return purchase

    async def _known(self, asked: Asked) -> Purchase | None:
        """What the key stands for. Raises Failure 422 where that is something else than what is asked for."""
        if asked.key is None:
            return None
        async with self._pool.connection() as connection:
            claimed = await store.claimed(connection, asked.customer_id, asked.key)
            if claimed is None:
                return None
            id, request = claimed
            if request != fingerprint(asked.lines, asked.currency):
                wrong = {"Idempotency-Key": "was used for another purchase"}
                raise Failure(422, "this idempotency key stands for another purchase", wrong)
            return await store.find(connection, id)


def _refuse_too_many(asked: Asked, lines: Sequence[Line]) -> None:
    """Raises Failure 422 where a product is asked for more often than can be, all in all."""
    wrong = {
        f"items.{_place(asked, line)}.quantity": f"must be at most {_MOST_UNITS} of a product in all"
        for line in lines
        if line.quantity > _MOST_UNITS
    }
    if wrong:
        raise Failure(422, "too much of something is asked for", wrong)


def _priced(asked: Asked, lines: Sequence[Line], found: Mapping[int, Found]) -> int:
    """What it costs. Raises Failure 422 with every line that cannot be bought, and why."""
    absent, few, wrong = False, False, {}
    for line in lines:
        seen = found.get(line.product_id, Found("INTERNAL_ERROR"))
        at = f"items.{_place(asked, line)}"
        if seen.status == "NOT_FOUND":
            absent, wrong[f"{at}.product_id"] = True, "there is no such product"
        elif seen.status == "NOT_ENOUGH":
            few, wrong[f"{at}.quantity"] = True, f"there are not {line.quantity} of it left"
        elif seen.status == "OK" and seen.price is not None:
            if seen.currency != asked.currency:
                wrong["currency"] = f"product {line.product_id} is sold in {seen.currency}"
        else:
            raise Failure(503, "products cannot be looked at now; try again", headers={"Retry-After": "1"})
    if wrong:
        words = "there is no such product" if absent else "there is not enough" if few else "it cannot be bought so"
        raise Failure(422, words, wrong)
    price = quoted(lines, {product: each.price or 0 for product, each in found.items()})
    if price > MOST:
        raise Failure(422, "this is more than can be charged", {"items": "cost too much together"})
    return price


def _place(asked: Asked, line: Line) -> int:
    """Where a product stands first among the items, as they came."""
    return next(place for place, each in enumerate(asked.lines) if each.product_id == line.product_id)


def _messages(purchase: Purchase, now: int) -> Sequence[Message]:
    """What starts the saga, and what tells others."""
    id, customer = to_public(purchase.id), to_public(purchase.customer_id)
    items = tuple(Item(to_public(line.product_id), line.quantity) for line in purchase.items)
    carried = correlation.current()
    start = Envelope(
        id=f"{id}/start",
        type="StartPurchase",
        source="/shop/purchase",
        time=now,
        key=id,
        subject=id,
        data=msgspec.json.encode(StartPurchase(id, customer, purchase.currency, items)),
        correlation_id=id,
        traceparent=carried.traceparent if carried else None,
        tracestate=carried.tracestate if carried else None,
    )
    placed = OrderPlaced(id, customer, items, purchase.quoted, purchase.currency)
    event = told(placed, service="purchase", id=f"{id}/placed", time=now, cause=start)
    return (Message(topics.PURCHASE, start), event)
