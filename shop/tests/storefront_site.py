"""The storefront and a stand-in for the shop's API at one origin, for a browser: what is answered, when, and whether at
all, is the test's to say."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import uvicorn

from shop.chassis import parts
from shop.chassis.http import create_app
from shop.chassis.service import Service
from shop.storefront.http import ROUTES, Page
from shop.storefront.page import document

__all__ = ["CASE_URL", "STEPS", "TRACE_URL", "ShopStandIn", "Ware", "served"]

CASE_URL = "http://sagacity.example/case?workflow=shop&case={purchase}"
TRACE_URL = "http://traces.example/trace/{trace}"
STEPS = ("UPDATE_PRODUCT_INVENTORY", "CREATE_ORDER", "CREATE_PAYMENT")
_NOON = "2026-11-23T12:00:00Z"
_MIDDAY = datetime.fromisoformat(_NOON)

Answer: TypeAlias = tuple[int, Any]


class Refused(Exception):  # noqa: N818 - it says what the answer is
    def __init__(self, status: int, error: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.answer: Answer = (status, {"error": error, "fields": dict(fields or {})})


class Ware:
    """A product."""

    def __init__(self, id: int, name: str, price: int, inventory: int, **more: str | None) -> None:
        self.id, self.name, self.price, self.inventory = str(id), name, price, inventory
        self.more = {"description": "", "brand_name": "Acme", "category_id": None, "currency": "USD", **more}

    def body(self) -> dict[str, Any]:
        shown = {"id": self.id, "name": self.name, "price": self.price, "inventory": self.inventory}
        return {**shown, **self.more, "version": 1, "created_at": _NOON, "changed_at": _NOON}


class ShopStandIn:
    """The API, as far as the page asks for it. Purchases go on when the test says so."""

    def __init__(self) -> None:
        self.wares: dict[str, Ware] = {}
        self.categories: list[dict[str, str]] = []
        self.passwords: dict[str, str] = {"ada@example.com": "correct horse"}
        self.purchases: dict[str, dict[str, Any]] = {}
        self.orders: list[dict[str, Any]] = []
        self.payments: list[dict[str, Any]] = []
        self.away = False
        self.lose_answers_to_purchases = 0
        self.refuse_purchases: Refused | None = None
        self.asked: list[tuple[str, str]] = []
        self.resumed: list[str] = []
        self.traces: list[str] = []
        self.placed_under: dict[str, str] = {}
        self.refreshes = 0
        self.revoked = False
        self._access: set[str] = set()
        self._refresh: set[str] = set()
        self._numbers = itertools.count(1)
        self._cut = 0
        self._changed: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # What tests say ----------------------------------------------------------------------------------------------------

    def refuse(self, status: int, error: str, **fields: str) -> None:
        """Refuse purchases from now on; fields by their paths, with `__` for a dot."""
        self.refuse_purchases = Refused(status, error, {path.replace("__", "."): why for path, why in fields.items()})

    def tell(self, purchase: str, *steps: tuple[int, str] | str, reason: str | None = None) -> None:
        """What happens to a purchase: pairs of a step's number and its result, or how it ended."""
        found = self.purchases[purchase]
        for each in steps:
            number = len(found["told"]) + 1
            at = (_MIDDAY + number * timedelta(microseconds=90_001)).isoformat()
            data: dict[str, Any] = {"purchase_id": purchase, "time": at, "reason": None}
            if isinstance(each, str):
                found["status"], found["reason"] = each, reason
                found["told"].append(("result", {**data, "result": each, "reason": reason}))
            else:
                why = reason if each[1] in ("FAILED", "ROLLBACK_FAILED") else None
                found["told"].append(("step", {**data, "step": STEPS[each[0]], "result": each[1], "reason": why}))
        self._wake()

    def cut(self) -> None:
        """Break every stream off."""
        self._cut += 1
        self._wake()

    def expire(self) -> None:
        """No access token holds any more."""
        self._access.clear()

    def has(self, purchase: str, payment: int, *, refunded: bool = False) -> None:
        """A purchase has its order and its payment."""
        found = self.purchases[purchase]
        items = [{**each, "price": self.wares[each["product_id"]].price} for each in found["items"]]
        own = {"purchase_id": purchase, "customer_id": "3", "amount": payment, "currency": found["currency"]}
        order = {"id": f"5{purchase}", "items": items, "created_at": _NOON, "status": "CANCELLED" if refunded else "CREATED"}
        self.orders.insert(0, {**own, **order, "cancelled_at": _NOON if refunded else None})
        paid = {"id": f"7{purchase}", "order_id": f"5{purchase}", "received_at": _NOON}
        status = {"status": "REFUNDED" if refunded else "RECEIVED", "refunded_at": _NOON if refunded else None}
        self.payments.append({**own, **paid, **status})

    # What the page asks ------------------------------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = self._changed or asyncio.Event()
        method, path = scope["method"], scope["path"].removeprefix("/api/v1")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        self.asked.append((method, path))
        body = (await receive()).get("body") or b"null"
        if self.away:
            await _send(send, 502, b"Bad Gateway", "text/plain")
            return
        try:
            if path.endswith("/events"):
                await self._stream(path.split("/")[2], headers, send)
                return
            status, answer = self._answer(method, path, query, headers, json.loads(body))
        except Refused as refused:
            status, answer = refused.answer
        await _send(send, status, json.dumps(answer).encode(), "application/json")

    def _answer(self, method: str, path: str, given: Mapping[str, str], headers: Mapping[str, str], body: Any) -> Answer:
        match method, path.strip("/").split("/"):
            case "GET", ["categories"]:
                return 200, {"categories": self.categories, "next": None}
            case "GET", ["products"]:
                kind, after = given.get("category_id"), int(given.get("after", -1))
                chosen = [each for each in self.wares.values() if kind in (None, each.more["category_id"])]
                chosen = [each for each in chosen if int(each.id) > after]
                most = int(given["limit"])
                page = [each.body() for each in chosen[:most]]
                return 200, {"products": page, "next": page[-1]["id"] if len(chosen) > most else None}
            case "GET", ["products", id]:
                if id not in self.wares:
                    raise Refused(404, "there is no such product")
                return 200, self.wares[id].body()
            case "POST", ["account", "auth", how]:
                return self._let_in(how, body)
        self._guarded(headers)
        match method, path.strip("/").split("/"):
            case "GET", ["account", "customer", "personal"]:
                return 200, {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
            case "POST", ["purchases"]:
                return self._placed(body, headers)
            case "GET", ["purchases", id]:
                if id not in self.purchases:
                    raise Refused(404, "there is no such purchase")
                return 200, self.purchases[id]
            case "GET", ["orders"]:
                return 200, {"orders": self.orders, "next": None}
            case "GET", ["payments"]:
                return 200, {"payments": [each for each in self.payments if each["purchase_id"] == given["purchase_id"]]}
        raise Refused(404, "not found")

    def _let_in(self, how: str, body: Any) -> Answer:
        if how == "refresh":
            self.refreshes += 1
            if body["refresh_token"] not in self._refresh:
                self._refresh.clear()
                self.revoked = True
                raise Refused(401, "the refresh token is not good any more")
            self._refresh.remove(body["refresh_token"])
        elif how == "login":
            if self.passwords.get(body["email"]) != body["password"]:
                raise Refused(401, "the e-mail address or the password is wrong")
        elif body["email"] in self.passwords:
            raise Refused(409, "there is an account with this e-mail address", {"email": "is taken"})
        elif len(body["password"]) < 8:
            why = {"password": "must have at least 8 characters", "email": "must be an e-mail address"}
            raise Refused(400, "the request is not as it should be", why)
        pair = {f"{kind}_token": f"{kind}-{next(self._numbers)}" for kind in ("access", "refresh")}
        self._access.add(pair["access_token"])
        self._refresh.add(pair["refresh_token"])
        return 200, pair

    def _guarded(self, headers: Mapping[str, str]) -> None:
        if headers.get("authorization", "").removeprefix("Bearer ") not in self._access:
            raise Refused(401, "the access token has expired")

    def _placed(self, body: Any, headers: Mapping[str, str]) -> Answer:
        if self.refuse_purchases is not None:
            raise self.refuse_purchases
        key = headers["idempotency-key"]
        self.traces.append(headers["traceparent"])
        if key not in self.placed_under:
            id = self.placed_under[key] = str(1000 + next(self._numbers))
            quoted = sum(self.wares[each["product_id"]].price * each["quantity"] for each in body["items"])
            self.purchases[id] = {
                "id": id, "customer_id": "3", "items": body["items"], "quoted": quoted, "currency": body["currency"],
                "status": "PENDING", "reason": None, "created_at": _NOON, "ended_at": None, "told": [], "steps": [],
            }  # fmt: skip
        if self.lose_answers_to_purchases:
            self.lose_answers_to_purchases -= 1
            raise Refused(502, "the answer was lost")
        return 202, {"id": self.placed_under[key], "status": "PENDING"}

    async def _stream(self, id: str, headers: Mapping[str, str], send: Any) -> None:
        self._guarded(headers)
        assert self._changed is not None
        at, cut = int(headers.get("last-event-id", 0)), self._cut
        self.resumed.append(headers.get("last-event-id", ""))
        started = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
        await send(started)
        await send({"type": "http.response.body", "body": b"retry: 1000\n\n: heart-beat\n\n", "more_body": True})
        while not (cut < self._cut or self.away):
            for kind, data in self.purchases[id]["told"][at:]:
                at += 1
                text = f"id: {at}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
                await send({"type": "http.response.body", "body": text.encode(), "more_body": kind != "result"})
                if kind == "result":
                    return
            self._changed.clear()
            await self._changed.wait()
        await send({"type": "http.response.body", "body": b""})

    def _wake(self) -> None:
        if self._loop is not None and self._changed is not None:
            self._loop.call_soon_threadsafe(self._changed.set)


async def _send(send: Callable[[Any], Any], status: int, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Origin:
    """One origin: the API below its prefix, and the storefront's own application beside it."""

    def __init__(self, api: Any, storefront: Any) -> None:
        self._api, self._storefront = api, storefront

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        to = self._api if scope["type"] == "http" and scope["path"].startswith("/api/") else self._storefront
        await to(scope, receive, send)


@contextmanager
def served(api: Any, case_url: str | None = CASE_URL, trace_url: str | None = TRACE_URL) -> Iterator[str]:
    """The page with an API, on a free port of loopback; the address."""
    page = Page(document(case_url, trace_url))
    storefront = create_app(Service("storefront"), ROUTES, settings=parts.Http(), dependencies={"page": page})
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Origin(api, storefront), http="h11", ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()
        assert not thread.is_alive(), "the server did not end"
