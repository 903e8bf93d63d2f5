"""A writer of the orchestrator: gathers what has happened while a transaction is under way, and settles it in the next."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from sagacity.errors import FencedError, StoreError
from sagacity.messaging import Delivery, Envelope, Message, Partition, Unreadable
from sagacity.messaging.postgres import outbox, positions
from sagacity.saga.desk import Desk
from sagacity.saga.handing import awaited_here
from sagacity.saga.happenings import Replied
from sagacity.saga.identity import read_command_id
from sagacity.saga.messages import replied
from sagacity.saga.postgres import store
from sagacity.saga.postgres.connection import Held, Lasting
from sagacity.saga.postgres.store import StaleError
from sagacity.saga.settling import Batch, Beginning, Settled

__all__ = ["Answers", "Begin", "Commands", "Dead", "Delivered", "Item", "Writer"]

_log = logging.getLogger("sagacity.saga.orchestrator")
Moves: TypeAlias = dict[Partition, tuple[int | None, int]]


class Begin(msgspec.Struct):
    """A saga to be started; whether it was new."""

    beginning: Beginning
    done: asyncio.Future[bool]


class Answers(msgspec.Struct):
    """Replies that were handed over within the process."""

    held: Sequence[Envelope]


class Commands(msgspec.Struct):
    """Commands for participants that are inline."""

    held: Sequence[Message]


class Dead(msgspec.Struct):
    """Messages that participants which are inline have given up, by the participant's name, with the reason."""

    held: Sequence[tuple[str, Delivery, str]]


class Delivered(msgspec.Struct):
    """Deliveries of a broker, whose positions are moved on with what they cause."""

    held: Sequence[Delivery]
    done: asyncio.Future[None]


Item: TypeAlias = Begin | Answers | Commands | Dead | Delivered


class Writer:
    """Settles items over one connection, at most `most` sagas' worth in a transaction. What cannot be settled with others is
    settled alone, so that it is one that fails, and no other."""

    def __init__(self, desk: Desk, dsn: str, most: int, settled: Callable[[Settled], None]) -> None:
        self.busy = asyncio.Lock()
        self._desk = desk
        self._lasting = Lasting(dsn)
        self._most = most
        self._settled = settled
        self._items: deque[Item] = deque()
        self._wake = asyncio.Event()

    def add(self, item: Item) -> None:
        self._items.append(item)
        self._wake.set()

    async def run(self) -> None:
        try:
            while True:
                if not self._items:
                    self._wake.clear()
                    await self._wake.wait()
                await self._settle(self._gather())
        finally:
            await self._lasting.close()

    def _gather(self) -> list[Item]:
        """As many of the items that wait as make a batch; at least one."""
        items: list[Item] = []
        size = 0
        while self._items and (not items or size + _size(self._items[0]) <= self._most):
            item = self._items.popleft()
            size += _size(item)
            items.append(item)
        return items

    async def _settle(self, items: Sequence[Item]) -> None:
        careful = doubtful = False
        touched: set[str] = set()
        while True:
            moves: Moves = {}
            try:
                async with self.busy:
                    settled = await self._transact(items, moves, touched, careful=careful)
                    self._desk.reading.moved(moves)
            except StoreError as error:
                doubtful = True
                await self._desk.complain(error)
            except FencedError as error:
                _log.warning("%s", error.message)
                self._desk.reading.fenced(moves)
            except StaleError:
                careful = True
            except Exception as error:
                await self._apart(items, error)
                break
            else:
                self._desk.trouble = None
                self._done(items, settled)
                break
        if doubtful and (self._desk.inline or self._desk.handed):
            await self._hand_over_again(touched)

    async def _hand_over_again(self, ids: Iterable[str]) -> None:
        """A commit may have taken effect though its answer was lost, and what it caused was handed over to nobody then."""
        while True:
            try:
                async with self.busy, self._lasting.borrowed() as connection:
                    kept = await store.read(connection, ids)
            except StoreError as error:
                await self._desk.complain(error)
            else:
                sagas = [each.saga for each in kept.values() if each.saga is not None]
                return self._settled(awaited_here(self._desk, sagas))

    def _done(self, items: Sequence[Item], settled: Settled) -> None:
        """After the commit: tell those who wait."""
        self._settled(settled)
        for item in items:
            if isinstance(item, Begin) and not item.done.done():
                item.done.set_result(item.beginning.id in settled.started)
                settled.started.discard(item.beginning.id)
            elif isinstance(item, Delivered) and not item.done.done():
                item.done.set_result(None)

    async def _apart(self, items: Sequence[Item], error: Exception) -> None:
        if len(items) > 1:
            for each in items:
                await self._settle([each])
            return
        item = items[0]
        if isinstance(item, Begin):
            if not item.done.done():
                item.done.set_exception(error)
        elif len(item.held) > 1:
            for one in item.held:
                await self._settle([_alone(item, one)])
            if isinstance(item, Delivered) and not item.done.done():
                item.done.set_result(None)
        elif isinstance(item, Delivered):
            await self._bury(item, error)
        else:
            _log.error("%s cannot be settled: %s: %s", item.held[0], type(error).__name__, error)

    async def _bury(self, item: Delivered, error: Exception) -> None:
        """A delivery that cannot be settled at all: it becomes a dead letter, and its partition goes on."""
        _log.error("a message cannot be settled: %s: %s", type(error).__name__, error)
        while not item.done.done():
            fresh = self._desk.reading.fresh(item.held)
            moves = self._desk.reading.moves(fresh)
            try:
                async with self.busy, self._lasting.transaction() as connection:
                    await positions.move(connection, self._desk.name, moves)
                    reason = f"it cannot be settled: {type(error).__name__}: {error}"
                    notices = [await self._desk.bury(connection, self._desk.name, each, reason) for each in fresh]
                    await outbox.send(connection, [notice for notice in notices if notice is not None])
                self._desk.reading.moved(moves)
                item.done.set_result(None)
            except FencedError:
                self._desk.reading.fenced(moves)
            except StoreError as away:
                await self._desk.complain(away)

    async def _transact(self, items: Sequence[Item], moves: Moves, touched: set[str], *, careful: bool) -> Settled:
        """Everything of these items in one transaction; `touched` has the sagas of which they are."""
        heard = _Heard(self._desk)
        for item in items:
            heard.take(item, moves)
        touched.update(heard.sagas)
        async with self._lasting.borrowed() as connection:
            held = Held(connection)
            batch = Batch(self._desk, connection, careful=careful)
            try:
                if moves or heard.locking:
                    await held.begin()
                await positions.move(connection, self._desk.name, moves)
                if heard.beginnings:
                    await batch.begin(heard.beginnings)
                await batch.fetch(heard.sagas[len(heard.beginnings) :])
                commands = [*batch.take_inline(), *heard.commands]
                for id, reply in heard.replies:
                    batch.happen(id, reply)
                await batch.do(commands, held)
                for consumer, delivery, reason in heard.dead:
                    batch.bury(consumer, delivery, reason)
                await held.end(batch.write, single=batch.single)
            except BaseException:
                batch.forget()
                raise
        return batch.committed()


class _Heard:
    """What items say: sagas to be started, replies to sagas, commands to be done, and what says nothing of these."""

    def __init__(self, desk: Desk) -> None:
        self.beginnings: list[Beginning] = []
        self.replies: list[tuple[str, Replied]] = []
        self.commands: list[Message] = []
        self.dead: list[tuple[str, Delivery, str]] = []
        self._desk = desk

    @property
    def locking(self) -> bool:
        """Whether sagas are to be started that lock resources: locks are held until the transaction ends."""
        return any(each.definition.resources for each in self.beginnings)

    @property
    def sagas(self) -> list[str]:
        """Which sagas it is about: those to be started, and then the others."""
        others = [*(id for id, _ in self.replies), *(each.envelope.key for each in self.commands)]
        return [*(each.id for each in self.beginnings), *others]

    def take(self, item: Item, moves: Moves) -> None:
        if isinstance(item, Begin):
            self.beginnings.append(item.beginning)
        elif isinstance(item, Commands):
            self.commands += item.held
        elif isinstance(item, Dead):
            self.dead += item.held
        elif isinstance(item, Answers):
            self.replies += [told for each in item.held if (told := _reply(each)) is not None]
        else:
            fresh = self._desk.reading.fresh(item.held)
            moves.update(self._desk.reading.moves(fresh))
            for delivery in fresh:
                self._read(delivery)

    def _read(self, delivery: Delivery) -> None:
        envelope = delivery.content
        if isinstance(envelope, Unreadable):
            self.dead.append((self._desk.name, delivery, envelope.reason))
        elif delivery.topic in self._desk.starts and not envelope.key:
            self.dead.append((self._desk.name, delivery, "it starts a saga, and has no key, which would be the saga's id"))
        elif delivery.topic in self._desk.starts:
            definition = self._desk.newest(self._desk.starts[delivery.topic])
            trace = self._desk.tracer.started(definition.name, envelope.key, envelope.traceparent)
            self.beginnings.append(Beginning(definition, envelope.key, envelope.data, envelope.correlation_id, trace))
        elif (told := _reply(envelope)) is not None:
            self.replies.append(told)
        else:
            self.dead.append((self._desk.name, delivery, f"{envelope.type!r} is no reply to a saga's command"))


def _reply(envelope: Envelope) -> tuple[str, Replied] | None:
    """The saga that a reply is for, and what it says; None where it is no reply to a saga's command."""
    told = replied(envelope)
    named = None if told is None else read_command_id(told.cause)
    return None if told is None or named is None else (named[0], told)


def _size(item: Item) -> int:
    return 1 if isinstance(item, Begin) else len(item.held)


def _alone(item: Answers | Commands | Dead | Delivered, one: object) -> Item:
    """An item of one of what another holds."""
    if isinstance(item, Delivered):
        return Delivered([one], asyncio.get_running_loop().create_future())  # type: ignore[list-item]
    return type(item)([one])  # type: ignore[list-item]
