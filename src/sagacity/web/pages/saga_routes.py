"""The routes of sagas' pages: each asks the sagas' database on the event loop, and reads the ledger on a worker thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, cast, get_args

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from sagacity.errors import MessagingError, StoreError
from sagacity.ledger.live import CaseFilter
from sagacity.report.markup import tag
from sagacity.saga.happenings import Order
from sagacity.saga.state import SagaStatus
from sagacity.web.context import Here, Served
from sagacity.web.pages import shown
from sagacity.web.pages.frame import Frame, document
from sagacity.web.pages.links import local, saga_url
from sagacity.web.pages.saga import ids_of, no_saga_page, saga_page
from sagacity.web.pages.saga_ordering import GRAVE, order_said, sure_page
from sagacity.web.pages.sagas import AskedSagas, Found, away_page, sagas_page
from sagacity.web.pages.shown import Asking
from sagacity.web.pages.words import card, named
from sagacity.web.problem import Refused
from sagacity.web.saga_deeds import desk_of, order_of, redrive_letters
from sagacity.web.saga_documents import SagaLetter, next_cursor, read_cursor

__all__ = ["SAGA_PAGES"]

_PAGE, _PARKED, _LETTERS = 50, 20, 20
_VIEWER, _OPERATOR = {"need": "viewer"}, {"need": "operator"}
_ORDERED = re.compile(r"order\.(\d{1,18})")
_REDRIVEN = re.compile(r"redrive\.(\d{1,6})")


@get("/sagas", opt=_VIEWER)
async def sagas(request: Asking, served: Here) -> Response[bytes] | Redirect:
    desk = desk_of(served)
    if id := str(request.query_params.get("saga") or "").strip():
        return Redirect(saga_url(id), status_code=303)
    given = {name: str(value)[:2000] for name, value in request.query_params.items() if name in AskedSagas.__struct_fields__}
    asked = AskedSagas(**given)
    frame = await asyncio.to_thread(shown.frame_of, request, served)
    from sagacity.saga.postgres.listing import Which

    states = (asked.state,) if asked.state in get_args(SagaStatus) else ()
    which = Which(definition=asked.definition or None, states=states, resource=asked.resource.strip() or None)
    try:
        lines = await desk.sagas(which, after=read_cursor(asked.cursor), most=_PAGE)
        parked = await desk.sagas(Which(states=("parked",)), oldest=True, most=_PARKED)
        letters = await desk.dead_letters(most=_LETTERS)
    except (StoreError, MessagingError) as error:
        return _page(away_page(frame, "Sagas", error.message, error.hint))
    try:
        counts = await desk.counts()
    except StoreError:  # the page is of use without them
        counts = {}
    found = Found(
        where=desk.where,
        lines=lines,
        parked=parked,
        counts=counts,
        letters=[SagaLetter.of(letter) for letter in letters],
        next=next_cursor(lines, _PAGE),
    )
    if done := _REDRIVEN.fullmatch(str(request.query_params.get("done") or "")):
        frame = msgspec.structs.replace(frame, said=f"{int(done[1]):,} given again.")
    return _page(sagas_page(frame, asked, found))


@get("/saga", opt=_VIEWER)
async def saga(
    request: Asking, served: Here, key: Annotated[str, QueryParameter(name="saga", max_length=2_000)]
) -> Response[bytes]:
    desk = desk_of(served)
    frame, cases = await asyncio.to_thread(_around, request, served, key)
    try:
        found = await desk.saga(key)
        frame = await _said(request, served, frame, key)
    except (StoreError, MessagingError) as error:
        return _page(away_page(frame, f"Saga {key}", error.message, error.hint))
    if found is None:
        return _page(no_saga_page(frame, key), 404)
    leads = await asyncio.to_thread(_leading, served, ids_of(found))
    return _page(saga_page(frame, found, cases, leads))


@post("/saga/order", opt=_OPERATOR, status_code=303)
async def order(request: Asking, served: Here) -> Response[bytes] | Redirect:
    """Give an order; then back to the saga, which says what became of it. One that cannot be taken back is asked about once
    more."""
    form = await request.form()
    id, what = _field(form.get("saga")), _field(form.get("what"))
    word, _, step = what.partition(" ")
    if word not in get_args(Order):
        raise Refused(400, "it is not said what is to be done", f"one of {', '.join(get_args(Order))}")
    back, reason = local(saga_url(id), "/sagas"), _field(form.get("reason"))[:1000]
    if word in GRAVE and _field(form.get("sure")) != "yes":
        found = await desk_of(served).saga(id)
        meant = (
            next((each for each in found.allowed if (each.order, each.step or "") == (word, step)), None) if found else None
        )
        if meant is not None:  # else giving it says why it cannot be
            frame = await asyncio.to_thread(shown.frame_of, request, served)
            return _page(sure_page(msgspec.structs.replace(frame, address=back), id, meant, reason))
    try:
        placed = await order_of(served, request.user, id, cast(Order, word), step or None, reason)
    except Refused as refused:
        if refused.problem.status != 409:
            raise
        frame = await asyncio.to_thread(shown.frame_of, request, served)
        told = (
            tag("p", named(refused.problem.detail, 800), class_="wrong", role="alert"),
            tag("p", named(refused.problem.hint, 400)) if refused.problem.hint else None,
            tag("p", tag("a", "Back to the saga", href=back)),
        )
        return _page(document(frame, "sagas", "Refused", tag("h1", "The order is refused"), card(told)), 409)
    return Redirect(f"{back}&done=order.{placed.id}", status_code=303)


@post("/sagas/redrive", opt=_OPERATOR, status_code=303)
async def redrive(request: Asking, served: Here) -> Redirect:
    """Have a dead letter done again."""
    number = _field((await request.form()).get("number"))
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise Refused(400, "it is not said which dead letter", "give its number")
    count = await redrive_letters(served, request.user, [int(number)])
    return Redirect(f"/sagas?done=redrive.{count}", status_code=303)


async def _said(request: Asking, served: Served, frame: Frame, id: str) -> Frame:
    """The frame with what became of the order that was just given."""
    ordered = _ORDERED.fullmatch(str(request.query_params.get("done") or ""))
    if ordered is None:
        return frame
    placed = await desk_of(served).placed(int(ordered[1]))
    if placed is None or placed.saga != id:
        return frame
    said, wrong = order_said(placed)
    return msgspec.structs.replace(frame, said=said, wrong=wrong)


def _around(request: Asking, served: Served, id: str) -> tuple[Frame, list[tuple[str, str]]]:
    """What stands around the page, and the cases that have the saga's id."""
    named_so = [stored.name for stored in served.ledger.workflows() if served.ledger.case(stored.name, id) is not None]
    return shown.frame_of(request, served), [(name, id) for name in named_so]


def _leading(served: Served, ids: Sequence[str]) -> frozenset[str]:
    """Those ids by which cases are found."""
    return frozenset(id for id in ids if served.ledger.cases(CaseFilter(text=id), limit=1).items)


def _page(text: str, status: int = 200) -> Response[bytes]:
    return Response(text.encode("utf-8", "replace"), media_type="text/html", status_code=status)


def _field(value: object) -> str:
    return value if isinstance(value, str) else ""


SAGA_PAGES: tuple[ControllerRouterHandler, ...] = (sagas, saga, order, redrive)
"""Found by `sagacity.web.pages.routes`."""
