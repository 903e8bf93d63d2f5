"""Sagas in every state in a real database, made by the code that decides them, without an orchestrator."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec

from postgres_stories import connected
from sagacity.messaging import Delivery, Unreadable
from sagacity.messaging.postgres import dead_letters
from sagacity.saga import Due, Replied, Retry, Saga, Step
from sagacity.saga.decide import begin, decide, quarantine
from sagacity.saga.decision import Command, Decision
from sagacity.saga.messages import command_message
from sagacity.saga.postgres import definitions, install, orders, store

__all__ = ["PURCHASE", "Story", "filled", "stories"]

MINUTE = 60_000_000
ONCE = Retry(attempts=1)

PURCHASE = Saga(
    "purchase",
    1,
    (
        Step("reserve-stock", "ReserveStock", "stock", "ReleaseStock", retry=ONCE, compensation_retry=ONCE),
        Step("hold-courier", "HoldCourier", "couriers", "FreeCourier", after=(), compensation_retry=ONCE),
        Step("write-order", "WriteOrder", "orders", "CancelOrder", after=("reserve-stock", "hold-courier")),
        Step("charge-card", "ChargeCard", "payments", kind="pivot", timeout=timedelta(seconds=10), retry=ONCE),
        Step("ship", "Ship", "shipping", kind="retriable", retry=ONCE),
        Step("send-receipt", "SendReceipt", "mail", kind="retriable", after=("charge-card",)),
    ),
    resource="input.account",
)
BOOKING = Saga("booking", 3, (Step("book", "Book", "rooms", "Unbook"), Step("pay", "Pay", "payments", kind="pivot")))


class Story:
    """A saga that goes on as it is told, and all that was told of it."""

    def __init__(self, definition: Saga, id: str, at: int, *, waiting: bool = False, account: str | None = None) -> None:
        self.definition = definition
        data: dict[str, object] = {"item": "tea", "quantity": 2, "account": account}
        self.decision = begin(definition, id, msgspec.json.encode(data), at, waiting=waiting)
        self.events = list(self.decision.events)
        self.commands: list[Command] = list(self.decision.commands)
        self.now = at

    def after(self, seconds: float) -> Story:
        self.now += int(seconds * 1_000_000)
        return self

    def done(self, *steps: str) -> Story:
        """These steps' commands, or compensations, are answered with success."""
        for step in steps:
            self._happens(Replied(self._last(step), success=True, data=msgspec.Raw(b'{"id":"r-1"}')))
        return self

    def failed(self, step: str, reason: str) -> Story:
        return self._happens(Replied(self._last(step), success=False, reason=reason))

    def silent(self, seconds: float) -> Story:
        return self.after(seconds)._happens(Due())

    def poisoned(self, cause: str) -> Story:
        return self._took(quarantine(self.decision.saga, cause, self.now))

    def _last(self, step: str) -> str:
        return next(command.id for command in reversed(self.commands) if command.step == step)

    def _happens(self, happening: Replied | Due) -> Story:
        return self._took(decide(self.definition, self.decision.saga, happening, self.now))

    def _took(self, decision: Decision) -> Story:
        self.decision = decision
        self.events += decision.events
        self.commands += decision.commands
        return self


def stories(now: int) -> list[Story]:
    """One saga of each state, as of `now`."""

    def purchase(number: int, minutes: float, **more: bool | str) -> Story:
        return Story(PURCHASE, f"purchase-{number}", now - int(minutes * MINUTE), **more)  # type: ignore[arg-type]

    def before(story: Story) -> Story:
        return story.after(0.4).done("reserve-stock", "hold-courier", "write-order")

    return [
        before(purchase(1, 600)).after(1).done("charge-card").after(2).done("ship", "send-receipt"),
        before(purchase(2, 480)).silent(12),
        before(purchase(3, 300)).failed("charge-card", "the card is declined").after(1).done("write-order", "hold-courier")
        .after(3).failed("reserve-stock", "the stock's books are closed"),
        before(purchase(4, 200)).failed("charge-card", "the card is declined").after(1)
        .done("write-order", "hold-courier", "reserve-stock"),
        before(purchase(5, 3)).after(1).done("charge-card"),
        purchase(6, 2, account="4711"),
        purchase(7, 1, waiting=True, account="4711"),
        Story(BOOKING, "booking/9", now - 90 * MINUTE).poisoned("the definition booking 3 is not known"),
    ]  # fmt: skip


async def _fill(dsn: str, now: int, extra: int) -> None:
    await install(dsn)
    async with connected(dsn) as connection:
        await definitions.register(connection, PURCHASE)
        told = stories(now)
        for story in told:
            saga = story.decision.saga
            await store.waiting(connection, {saga.id: saga.resources})
            await store.write(connection, [saga], [], story.events)
        for number in range(extra):
            story = Story(PURCHASE, f"more-{number:04}", now - number * 1_000_000).done("reserve-stock")
            await store.write(connection, [story.decision.saga], [], story.events)
        await connection.execute(
            "insert into sagacity.saga_definitions (name, version, definition) values ('booking', 3, %s)",
            ('{"name":"booking","version":3,"steps":[{"name":"book","command":"Book","topic":"rooms"}]}',),
        )
        by, reason = "ada", "the bank was away; it says it is back"
        refused = "saga purchase-2 may be past its point of no return, and is not undone"
        await orders.place(connection, "purchase-2", "compensate", by="grace", reason="called off", outcome=refused)
        await orders.place(connection, "purchase-4", "retry", by=by, step="charge-card", reason=reason, outcome="done")
        letter = command_message(PURCHASE, told[4].decision.saga, told[4].commands[-1])
        await dead_letters.bury(connection, "shipping", Delivery("shipping", 2, 17, letter.envelope), "no such depot")
        await dead_letters.bury(
            connection, "stock", Delivery("stock", 0, 4, Unreadable(b"k", b"?", (), "no CloudEvent")), "no CloudEvent"
        )


def filled(dsn: str, now: int, *, extra: int = 0) -> None:
    """Make the tables in a database, and sagas as of `now` (microseconds since 1970, UTC), with so many more that run. It
    may be called where an event loop runs."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(lambda: asyncio.run(_fill(dsn, now, extra))).result()
