"""Sagas: lists, one with all that is known of it, orders, dead letters."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, FromQuery, QueryParameter
from msgspec import Meta

from sagacity.saga.happenings import Order
from sagacity.saga.state import SagaStatus
from sagacity.web.api.described import Cursor, Limit, errors
from sagacity.web.api.documents import Listed
from sagacity.web.context import Here, Served
from sagacity.web.identity import Asking, Identity
from sagacity.web.problem import Refused
from sagacity.web.saga_deeds import desk_of, no_saga, order_of, redrive_letters
from sagacity.web.saga_documents import (
    OrderDocument,
    SagaDefinitionDocument,
    SagaDocument,
    SagaLetter,
    SagaLine,
    next_cursor,
    read_cursor,
)
from sagacity.web.times import instant_of

__all__ = ["SAGAS"]

SagaId = Annotated[str, QueryParameter(name="saga", description="the saga's id", max_length=2_000)]
_NUMBER = r"^[0-9]{1,18}$"


class Ordering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order: what, of which step where several are parked, and why."""

    order: Order
    reason: Annotated[str, Meta(min_length=1, max_length=1_000)]
    step: Annotated[str, Meta(max_length=200)] | None = None


class Letters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters: their numbers."""

    numbers: Annotated[list[Annotated[str, Meta(pattern=_NUMBER)]], Meta(min_length=1, max_length=10_000)]


class RedrivenLetters(msgspec.Struct, frozen=True):
    """How many are done again."""

    redriven: int


OrderingBody = Annotated[
    Ordering, Body(examples=[Example(value={"order": "retry", "step": "charge", "reason": "the bank is back"})])
]
LettersBody = Annotated[Letters, Body(examples=[Example(value={"numbers": ["17"]})])]


@get("/api/v1/sagas", tags=["sagas"], summary="Sagas", responses=errors(404))
async def sagas(
    served: Here,
    states: Annotated[list[SagaStatus] | None, QueryParameter(name="state", description="may be repeated")] = None,
    definition: FromQuery[str | None] = None,
    resource: Annotated[
        str | None, QueryParameter(description="a value that they hold, or wait for", max_length=1_000)
    ] = None,
    since: Annotated[str | None, QueryParameter(description="started at that instant, or later", max_length=100)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listed[SagaLine]:
    """Those that fit all that is given, those that were started last first. `state=parked` lists those that need an
    operator."""
    desk = desk_of(served)
    from sagacity.saga.postgres.listing import Which

    which = Which(
        definition=definition,
        states=tuple(states or ()),
        resource=resource,
        since=None if since is None else instant_of(since),
    )
    lines = await desk.sagas(which, after=read_cursor(cursor), most=limit)
    return Listed([SagaLine.of(line) for line in lines], next_cursor(lines, limit))


@get("/api/v1/sagas/{saga:str}", tags=["sagas"], summary="One saga", responses=errors(404))
async def saga(served: Here, saga: FromPath[str]) -> SagaDocument:
    """Its steps, what happened to it, what was ordered, by whom and why, and what may be ordered now."""
    return await _saga(served, saga)


@get("/api/v1/saga", tags=["sagas"], summary="One saga, whatever its id", responses=errors(404))
async def any_saga(served: Here, saga: SagaId) -> SagaDocument:
    """As `/api/v1/sagas/{saga}`, for ids that an address cannot hold: with a slash, `..`."""
    return await _saga(served, saga)


@post(
    "/api/v1/sagas/{saga:str}/orders",
    tags=["sagas"],
    summary="Order how a saga goes on",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(404, 409, 413),
)
async def order_saga(served: Here, request: Asking, saga: FromPath[str], data: OrderingBody) -> OrderDocument:
    """An orchestrator carries it out; `outcome` is null where that takes longer than a moment. One that makes no sense as
    the saga stands is answered with 409, which says why and what may be done instead."""
    return await _order(served, request.user, saga, data)


@post(
    "/api/v1/saga/orders",
    tags=["sagas"],
    summary="Order how a saga goes on, whatever its id",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(404, 409, 413),
)
async def order_any_saga(served: Here, request: Asking, saga: SagaId, data: OrderingBody) -> OrderDocument:
    """As `/api/v1/sagas/{saga}/orders`, for ids that an address cannot hold."""
    return await _order(served, request.user, saga, data)


@get("/api/v1/saga-definitions", tags=["sagas"], summary="Definitions of sagas", responses=errors(404))
async def saga_definitions(served: Here) -> Listed[SagaDefinitionDocument]:
    """Each version that is kept, with how many of its sagas are in which status."""
    desk = desk_of(served)
    versions, counts = await desk.definitions(), await desk.counts()
    return Listed([SagaDefinitionDocument.of(version, counts) for version in versions])


@get("/api/v1/saga-orders", tags=["sagas"], summary="Orders that were given", responses=errors(404))
async def saga_orders(served: Here, cursor: Cursor = None, limit: Limit = 50) -> Listed[OrderDocument]:
    """Who ordered what, why, and what became of it; the newest first, refused ones included."""
    found = await desk_of(served).orders(before=_number(cursor), most=limit)
    more = str(found[-1].id) if len(found) == limit else None
    return Listed([OrderDocument.of(placed) for placed in found], more)


@get("/api/v1/saga-dead-letters", tags=["sagas"], summary="Messages that could not be done", responses=errors(404))
async def saga_dead_letters(
    served: Here, consumer: FromQuery[str | None] = None, cursor: Cursor = None, limit: Limit = 50
) -> Listed[SagaLetter]:
    """Those in the sagas' database that wait, the oldest first, with the reason."""
    letters = await desk_of(served).dead_letters(consumer=consumer, after=_number(cursor) or 0, most=limit)
    more = str(letters[-1].id) if len(letters) == limit else None
    return Listed([SagaLetter.of(letter) for letter in letters], more)


@post(
    "/api/v1/saga-dead-letters/redrive",
    tags=["sagas"],
    summary="Have them done again",
    status_code=200,
    opt={"need": "operator"},
    responses=errors(404, 413),
)
async def redrive_saga_letters(served: Here, request: Asking, data: LettersBody) -> RedrivenLetters:
    """A saga's command goes by its orchestrator, if its answer is still awaited; anything else to the topic that it came
    from. Those that are not there, or were done again before, are left out."""
    return RedrivenLetters(await redrive_letters(served, request.user, [int(number) for number in data.numbers]))


async def _saga(served: Served, id: str) -> SagaDocument:
    found = await desk_of(served).saga(id)
    if found is None:
        raise no_saga(id)
    return SagaDocument.of(found)


async def _order(served: Served, who: Identity, id: str, data: Ordering) -> OrderDocument:
    return OrderDocument.of(await order_of(served, who, id, data.order, data.step, data.reason))


def _number(cursor: str | None) -> int | None:
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):
        raise Refused(400, "that is no cursor", "give `next` of the page before, as it is")
    return int(cursor)


SAGAS = (
    sagas,
    saga,
    any_saga,
    order_saga,
    order_any_saga,
    saga_definitions,
    saga_orders,
    saga_dead_letters,
    redrive_saga_letters,
)
"""The routes; each is answered with 404 by a server that shows no sagas."""
