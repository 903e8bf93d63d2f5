"""A listener: does something about messages that are no saga's commands, each once, in transactions of the service's
database.

listener = Listener("warehouse", url)

@listener.on("PaymentReceived", PaymentReceived)
async def ship(heard: Heard, connection: Connection) -> None:
    await connection.execute("insert into shipments ...")
    await outbox.send(connection, [...])

service.add("consumer", Consumer(listener, settings.kafka, [topics.SHOP_EVENTS], "warehouse"))
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec
from psycopg import InterfaceError, OperationalError

from sagacity.errors import FencedError, StoreError
from sagacity.messaging import Delivery, Envelope, Message, Partition, Publisher, Subscriber, Unreadable
from sagacity.messaging.postgres import dead_letters, inbox, outbox, positions
from sagacity.messaging.postgres.connecting import connect
from sagacity.messaging.reading import Reading
from shop.chassis.database import Connection
from shop.chassis.logs import logger
from shop.chassis.traced import handling

__all__ = ["Heard", "Hopeless", "Listener"]

_LINGER = 0.25
"""Seconds without a message, after which positions are moved on past what was passed over."""


class Heard(msgspec.Struct, frozen=True):
    """A message as a handler gets it: `data` is of the type that the handler was declared with."""

    data: Any
    envelope: Envelope


class Hopeless(Exception):  # noqa: N818 - it says what the message is
    """Raised by a handler for a message that no number of attempts would make any better: it becomes a dead letter at
    once."""


Handler: TypeAlias = Callable[[Heard, Connection], Awaitable[None]]
Moves: TypeAlias = "dict[Partition, tuple[int | None, int]]"
_AnyHandler = TypeVar("_AnyHandler", bound=Handler)


class Listener:
    """Reads topics for `sagacity.messaging`'s guarantees: whatever comes twice is done once (the inbox, by the
    envelope's source and id), positions move on with the effects, and what a handler sends goes by the outbox, all in
    one transaction.

    A handler that raises is run again, `attempts` times in all with pauses that double from `pause` seconds; then the
    message becomes a dead letter, of which the topic `dead_letters` is told, and those behind it go on. So does at
    once what cannot be read. Types that nothing is declared for are passed over. A database that is away is waited
    for.

    `counts` tells how often something has happened: done, again, passed over, retried, buried.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        dead_letters: str | None = None,
        attempts: int = 6,
        pause: float = 0.2,
        batch: int = 200,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.trouble: str | None = None
        self._url = url
        self._dead_letters = dead_letters
        self._attempts = attempts
        self._pause = pause
        self._batch = batch
        self._clock = clock
        self._handlers: dict[str, tuple[Handler, Callable[[bytes], Any]]] = {}
        self._reading = Reading()
        self._busy = asyncio.Lock()
        self._passed: list[Delivery] = []
        self._connection: Connection | None = None
        self._log = logger(f"shop.{name}")

    def on(self, type: str, data: Any) -> Callable[[_AnyHandler], _AnyHandler]:
        """Declare the handler of a type of message, and the type of its data."""

        def declared(handler: _AnyHandler) -> _AnyHandler:
            self._handlers[type] = (handler, msgspec.json.Decoder(data).decode)
            return handler

        return declared

    async def positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where to read on, for the subscriber of this listener."""
        async with self._busy:
            try:
                async with await connect(self._url) as connection:
                    known = await positions.read(connection, self.name, partitions)
            except (OperationalError, InterfaceError) as error:
                raise StoreError(f"the database: {str(error).strip()}", hint="it is tried again") from error
            self._reading.begin(partitions, known)
            return known

    async def run(self, subscriber: Subscriber, publisher: Publisher | None = None) -> None:  # noqa: ARG002 - as Participant
        """Do what comes, until cancelled. Never raises for what may pass. What it sends is sent by whoever runs the
        outbox."""
        try:
            while True:
                subscriber.again(self._reading.lost(subscriber.assigned()))
                try:
                    deliveries = await subscriber.receive(self._batch, _LINGER if self._passed else 1.0)
                except StoreError as error:
                    await self._complain(error.message)
                    continue
                self.trouble = subscriber.reach()
                await self._take(deliveries)
        finally:
            await self._let_go()

    async def _take(self, deliveries: Sequence[Delivery]) -> None:
        """What is passed over costs no transaction of its own: its positions are moved on with what is done next, or when
        nothing has come for a moment. After a crash before that it is passed over again."""
        all_passed = all(self._passes_over(each) for each in deliveries)
        waiting = [*self._passed, *deliveries]
        self._passed = waiting if deliveries and all_passed and len(waiting) < self._batch else []
        if waiting and not self._passed:
            async with self._busy:
                await self._settle(waiting)

    def _passes_over(self, delivery: Delivery) -> bool:
        content = delivery.content
        return not isinstance(content, Unreadable) and content.type not in self._handlers

    async def _settle(self, deliveries: Sequence[Delivery]) -> None:
        """All in one transaction; where one fails, each in its own, so that it is one that fails, and no other."""
        if await self._tried(deliveries) is None:
            return
        for each in deliveries:
            failed = await self._tried([each])
            for attempt in range(1, self._attempts):
                if failed is None or isinstance(failed, Hopeless):
                    break
                self.counts["retried"] += 1
                self._log.warning("failed", message=_named(each), reason=_words(failed))
                await asyncio.sleep(self._pause * 2 ** (attempt - 1))
                failed = await self._tried([each])
            if failed is not None:
                self._log.error("given up", message=_named(each), reason=_words(failed))
                hopeless = isinstance(failed, Hopeless)
                reason = str(failed) if hopeless else f"{self._attempts} attempts failed; the last: {_words(failed)}"
                await self._tried([each], bury=reason)

    async def _tried(self, deliveries: Sequence[Delivery], *, bury: str | None = None) -> Exception | None:
        """Do these and commit; None when that is done, else what a handler failed with.

        Where a position is no longer where it was left, it is read again: another member may have moved it on, or this one,
        by a commit whose answer was lost with the connection.
        """
        moved: list[Partition] = []
        while True:
            moves: Moves = {}
            counted: Counter[str] = Counter()
            try:
                connection = await self._open()
                if moved:
                    self._reading.begin(moved, await positions.read(connection, self.name, moved))
                    moved = []
                fresh = self._reading.fresh(deliveries)
                if not fresh:
                    return None
                moves = self._reading.moves(fresh)
                async with connection.transaction():
                    await positions.move(connection, self.name, moves)
                    await self._do(connection, fresh, counted, bury)
            except FencedError as error:
                self._log.warning("fenced", reason=error.message)
                moved = list(moves)
                continue
            except (OperationalError, InterfaceError) as error:
                await self._let_go()
                await self._complain(f"the database: {str(error).strip() or type(error).__name__}")
                continue
            except Exception as error:
                return error
            self._reading.moved(moves)
            self.counts.update(counted)
            self.trouble = None
            return None

    async def _do(
        self, connection: Connection, deliveries: Sequence[Delivery], counted: Counter[str], bury: str | None
    ) -> None:
        new: dict[tuple[str, str], tuple[Delivery, Heard]] = {}
        for delivery in deliveries:
            found = self._read(delivery) if bury is None else bury
            if isinstance(found, str):
                counted["buried"] += 1
                await self._bury(connection, delivery, found)
            elif found is None or (found.envelope.source, found.envelope.id) in new:
                counted["passed over" if found is None else "again"] += 1
            else:
                new[(found.envelope.source, found.envelope.id)] = (delivery, found)
        known = await inbox.take(connection, self.name, [heard.envelope for _, heard in new.values()])
        for key, (_, heard) in new.items():
            if key in known:
                counted["again"] += 1
                continue
            with handling(heard.envelope):
                await self._handlers[heard.envelope.type][0](heard, connection)
            counted["done"] += 1

    def _read(self, delivery: Delivery) -> Heard | str | None:
        """What a delivery holds, as its handler gets it; why it cannot be read; None where it is of no type that is
        declared."""
        envelope = delivery.content
        if isinstance(envelope, Unreadable):
            return envelope.reason
        if self._passes_over(delivery):
            return None
        try:
            return Heard(self._handlers[envelope.type][1](envelope.data), envelope)
        except (msgspec.MsgspecError, ValueError) as error:
            return f"the data of {envelope.type!r} is not as its handler expects: {error}"

    async def _bury(self, connection: Connection, delivery: Delivery, reason: str) -> None:
        await dead_letters.bury(connection, self.name, delivery, reason)
        if self._dead_letters is not None:
            notice: Message = dead_letters.as_message(self._dead_letters, self.name, delivery, reason, self._clock())
            await outbox.send(connection, [notice])

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await connect(self._url)
        return self._connection

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _complain(self, trouble: str) -> None:
        if self.trouble != trouble:
            self._log.warning("waiting", reason=trouble)
        self.trouble = trouble
        await asyncio.sleep(self._pause)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _named(delivery: Delivery) -> str:
    where = f"{delivery.topic}/{delivery.partition}/{delivery.offset}"
    return where if isinstance(delivery.content, Unreadable) else f"{delivery.content.type} {delivery.content.id} in {where}"
