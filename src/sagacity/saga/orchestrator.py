"""The orchestrator: starts sagas, takes replies in, watches the time, carries out orders; all of it by group commit.

orchestrator = Orchestrator(dsn, [purchase])
subscriber = KafkaSubscriber(servers, ["saga-replies"], "orchestrator", orchestrator.positions)
running = asyncio.create_task(orchestrator.run(subscriber, KafkaPublisher(servers)))
await orchestrator.start("purchase", "purchase-17", {"items": [4, 5]})
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from sagacity.errors import FencedError, StoreError, UsageError
from sagacity.messaging import Delivery, Envelope, Partition, Publisher, Subscriber
from sagacity.messaging.postgres import Relay, positions
from sagacity.messaging.reading import Reading
from sagacity.saga.definition import Saga
from sagacity.saga.handover import Handover
from sagacity.saga.happenings import Due, Order, Released, Replied
from sagacity.saga.identity import read_command_id
from sagacity.saga.inflight import in_flight
from sagacity.saga.messages import command_message, replied
from sagacity.saga.participant import Participant
from sagacity.saga.postgres import definitions as kept_definitions
from sagacity.saga.postgres import listing, orders, store
from sagacity.saga.postgres.connection import Lasting, connected
from sagacity.saga.settling import Batch, Beginning, Settled, readable
from sagacity.saga.state import ENDED, SagaState

__all__ = ["Orchestrator"]

_log = logging.getLogger("sagacity.saga.orchestrator")
_RETRY = 0.3
_LOOK_AT_MOST = 500


class _Begin(msgspec.Struct):
    beginning: Beginning
    done: asyncio.Future[bool]


class _Answers(msgspec.Struct):
    """Replies that were handed over within the process."""

    envelopes: Sequence[Envelope]


class _Delivered(msgspec.Struct):
    deliveries: Sequence[Delivery]
    done: asyncio.Future[None]


_Item = _Begin | _Answers | _Delivered


class Orchestrator:
    """Runs the sagas that are kept in the database at `dsn`; any number of replicas may do so at the same time.

    `definitions` are registered when it runs, beside those that are kept there: a saga stays on the version that it began
    with, whoever runs it. `local` names participants within this process by their topics: commands for them, and their
    replies, go by no broker, and are made again from the sagas' state after a crash. `starts` names definitions by topics: a
    message in such a topic starts a saga whose id is the message's key and whose input is its data.

    What happens to sagas is gathered while a transaction is under way, and decided and committed in the next, at most
    `batch` at a time. Every `tick` seconds it looks for timers that have come, orders, and sagas that waited for a resource.
    `events`: whether the sagas' events are published; the history is kept in any case. `clock` gives microseconds since
    1970, UTC.

    `counts` tells how often something has happened: each type of event, replies ignored as late, foreign or doubled.
    """

    def __init__(
        self,
        dsn: str,
        definitions: Iterable[Saga],
        *,
        name: str = "orchestrator",
        local: Mapping[str, Participant] | None = None,
        starts: Mapping[str, str] | None = None,
        events: bool = True,
        batch: int = 256,
        tick: float = 0.25,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.trouble: str | None = None
        self._dsn = dsn
        self._given = tuple(definitions)
        self._definitions = {(each.name, each.version): each for each in self._given}
        self._starts = dict(starts or {})
        self._events = events
        self._batch = batch
        self._tick = tick
        self._clock = clock
        self._handover = Handover(local or {}, self._answered)
        self._lasting = Lasting(dsn)
        self._reading = Reading()
        self._busy = asyncio.Lock()
        self._items: deque[_Item] = deque()
        self._wake = asyncio.Event()
        self._ready = asyncio.Event()
        self._waiting: dict[str, list[asyncio.Future[SagaState]]] = {}

    # For callers ----------------------------------------------------------------------------------------------------

    async def start(
        self,
        definition: str,
        id: str,
        input: Any,
        *,
        version: int | None = None,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> bool:
        """Start a saga; once this returns it is kept, and will end, or be parked. False where there was one of this id: then
        nothing is done. `input` is anything that msgspec writes as JSON. It takes the newest version unless one is given.

        Raises UsageError where the definition is not known.
        """
        await self._ready.wait()
        beginning = Beginning(self._newest(definition, version), id, msgspec.json.encode(input), correlation_id, traceparent)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._add(_Begin(beginning, done))
        return await done

    async def ended(self, id: str) -> SagaState:
        """The saga, once it has ended. Raises UsageError where there is none of this id.

        Where another replica ends it, that is seen within a tick or two.
        """
        future: asyncio.Future[SagaState] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, []).append(future)
        try:
            while True:
                async with connected(self._dsn) as connection:
                    saga = await listing.state(connection, id)
                if saga is None:
                    raise UsageError(f"there is no saga {id}")
                if saga.status in ENDED:
                    return saga
                done, _ = await asyncio.wait([future], timeout=max(self._tick * 2, 0.5))
                if done:
                    return future.result()
        finally:
            self._forget(id, future)

    async def execute(self, definition: str, id: str, input: Any) -> SagaState:
        """Start a saga and wait until it has ended."""
        future: asyncio.Future[SagaState] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, []).append(future)
        try:
            if await self.start(definition, id, input):
                while not (await asyncio.wait([future], timeout=5.0))[0]:
                    async with connected(self._dsn) as connection:
                        saga = await listing.state(connection, id)
                    if saga is not None and saga.status in ENDED:
                        return saga
                return future.result()
        finally:
            self._forget(id, future)
        return await self.ended(id)

    async def order(self, id: str, order: Order, *, by: str, step: str | None = None, reason: str | None = None) -> int:
        """Give an operator's order; its number. It is carried out within a tick, by whichever replica comes first."""
        async with connected(self._dsn) as connection:
            return await orders.place(connection, id, order, by=by, step=step, reason=reason)

    async def positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where to read on, for the subscriber of this orchestrator."""
        async with self._busy:
            async with connected(self._dsn) as connection:
                known = await positions.read(connection, self.name, partitions)
            self._reading.begin(partitions, known)
            return known

    async def run(self, subscriber: Subscriber | None = None, publisher: Publisher | None = None) -> None:
        """Run sagas until cancelled. With a publisher, a relay runs beside it and sends what they say; without one, another
        process must run it. Never raises for what may pass."""
        await self._register()
        try:
            async with asyncio.TaskGroup() as tasks:
                if publisher is not None:
                    tasks.create_task(Relay(self._dsn, publisher).run())
                if subscriber is not None:
                    tasks.create_task(self._receive(subscriber))
                for lane in self._handover.lanes:
                    tasks.create_task(lane.run())
                if self._handover.lanes:
                    tasks.create_task(self._again())
                self._ready.set()
                await self._write()
        finally:
            self._ready.clear()
            await self._lasting.close()

    # What comes in --------------------------------------------------------------------------------------------------

    def _add(self, item: _Item) -> None:
        self._items.append(item)
        self._wake.set()

    def _answered(self, envelopes: Sequence[Envelope]) -> None:
        self._add(_Answers(envelopes))

    async def _receive(self, subscriber: Subscriber) -> None:
        while True:
            try:
                deliveries = await subscriber.receive(self._batch, 1.0)
            except StoreError as error:
                await self._complain(error)
                continue
            if deliveries:
                done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._add(_Delivered(deliveries, done))
                await done

    async def _again(self) -> None:
        """After a start: what was handed over to participants within a process that is no more is handed over again."""
        after = ""
        while True:
            try:
                async with connected(self._dsn) as connection:
                    sagas = await listing.unended(connection, after, 1000)
            except StoreError as error:
                await self._complain(error)
                continue
            if not sagas:
                return
            after = sagas[-1].id
            for saga in sagas:
                definition = self._definitions.get((saga.definition, saga.version))
                for command in in_flight(definition, saga) if definition is not None else ():
                    message = command_message(definition, saga, command)  # type: ignore[arg-type]
                    if self._handover.takes(message.topic):
                        self._handover.give(message.topic, message.envelope)
            await asyncio.sleep(0)

    # The writer -----------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time()
        while True:
            if loop.time() >= look_at:
                more = await self._look()
                look_at = loop.time() + (0 if more else self._tick)
            if not self._items:
                self._wake.clear()
                try:
                    async with asyncio.timeout_at(look_at):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            items = self._gather()
            if items and await self._settle(items):
                look_at = loop.time()

    def _gather(self) -> list[_Item]:
        """As many of the items that wait as make a batch; at least one."""
        items: list[_Item] = []
        size = 0
        while self._items and (not items or size + _size(self._items[0]) <= self._batch):
            item = self._items.popleft()
            size += _size(item)
            items.append(item)
        return items

    async def _settle(self, items: Sequence[_Item]) -> bool:
        """Settle items, all together; where they cannot be, one by one. Whether a resource has become free."""
        while True:
            moves: dict[Partition, tuple[int | None, int]] = {}
            try:
                async with self._busy:
                    settled = await self._transact(items, moves)
                    self._reading.moved(moves)
            except StoreError as error:
                await self._complain(error)
                continue
            except FencedError as error:
                _log.warning("%s", error.message)
                self._reading.fenced(moves)
                continue
            except Exception as error:
                return await self._apart(items, error)
            self.trouble = None
            self._done(items, settled)
            return settled.freed

    async def _apart(self, items: Sequence[_Item], error: Exception) -> bool:
        """What cannot be settled together is settled one by one, so that it is one that fails, and no other."""
        if len(items) > 1:
            return any([await self._settle([item]) for item in items])
        item = items[0]
        if isinstance(item, _Begin):
            if not item.done.done():
                item.done.set_exception(error)
        elif isinstance(item, _Answers):
            if len(item.envelopes) > 1:
                return any([await self._settle([_Answers([each])]) for each in item.envelopes])
            _log.error("the reply %s cannot be kept: %s", item.envelopes[0].id, error)
        elif len(item.deliveries) > 1:
            loop = asyncio.get_running_loop()
            freed = any([await self._settle([_Delivered([each], loop.create_future())]) for each in item.deliveries])
            item.done.set_result(None)
            return freed
        else:
            await self._bury(item, error)
        return False

    async def _bury(self, item: _Delivered, error: Exception) -> None:
        """A delivery that cannot be settled at all: it becomes a dead letter, and its partition goes on."""
        _log.error("a message cannot be settled: %s", error)
        delivery = item.deliveries[0]
        moves = self._reading.moves(self._reading.fresh(item.deliveries))
        while True:
            try:
                async with self._busy, self._lasting.transaction() as connection:
                    await positions.move(connection, self.name, moves)
                    batch = self._new_batch(connection)
                    await batch.bury(self.name, delivery, f"it cannot be settled: {type(error).__name__}: {error}")
                self._reading.moved(moves)
            except FencedError:
                self._reading.fenced(moves)
            except StoreError as away:
                await self._complain(away)
                continue
            item.done.set_result(None)
            return

    async def _transact(self, items: Sequence[_Item], moves: dict[Partition, tuple[int | None, int]]) -> Settled:
        """Everything of these items in one transaction."""
        beginnings = [item.beginning for item in items if isinstance(item, _Begin)]
        replies: list[tuple[str, Replied]] = []
        dead: list[tuple[Delivery, str]] = []
        for item in items:
            if isinstance(item, _Answers):
                replies += [told for each in item.envelopes if (told := _reply(each)) is not None]
            elif isinstance(item, _Delivered):
                self._read(item, beginnings, replies, dead, moves)
        async with self._lasting.transaction() as connection:
            batch = self._new_batch(connection)
            if moves:
                await positions.move(connection, self.name, moves)
            if beginnings:
                await batch.begin(beginnings)
            await batch.fetch(id for id, _ in replies)
            for id, reply in replies:
                batch.happen(id, reply)
            for delivery, reason in dead:
                await batch.bury(self.name, delivery, reason)
            await batch.write()
        return batch.settled

    def _read(
        self,
        item: _Delivered,
        beginnings: list[Beginning],
        replies: list[tuple[str, Replied]],
        dead: list[tuple[Delivery, str]],
        moves: dict[Partition, tuple[int | None, int]],
    ) -> None:
        fresh = self._reading.fresh(item.deliveries)
        moves.update(self._reading.moves(fresh))
        for delivery in fresh:
            envelope = readable(delivery)
            if isinstance(envelope, str):
                dead.append((delivery, envelope))
            elif delivery.topic in self._starts:
                definition = self._newest(self._starts[delivery.topic], None)
                beginnings.append(
                    Beginning(definition, envelope.key, envelope.data, envelope.correlation_id, envelope.traceparent)
                )
            elif (told := _reply(envelope)) is not None:
                replies.append(told)
            else:
                dead.append((delivery, f"{envelope.type!r} is no reply to a saga's command"))

    def _done(self, items: Sequence[_Item], settled: Settled) -> None:
        """After the commit: tell those who wait, and hand over."""
        self.counts.update(settled.counts)
        for topic, envelope in zip(settled.topics, settled.local, strict=True):
            self._handover.give(topic, envelope)
        for saga in settled.ended:
            for future in self._waiting.pop(saga.id, ()):
                if not future.done():
                    future.set_result(saga)
        for item in items:
            if isinstance(item, _Begin) and not item.done.done():
                item.done.set_result(item.beginning.id in settled.started)
                settled.started.discard(item.beginning.id)
            elif isinstance(item, _Delivered):
                item.done.set_result(None)

    # Timers, orders, resources --------------------------------------------------------------------------------------

    async def _look(self) -> bool:
        """What has come due, what was ordered, who may run. Whether there is more than was looked at."""
        try:
            looks = (self._look_at_timers, self._look_at_orders, self._look_at_resources)
            return max([await look() for look in looks]) >= _LOOK_AT_MOST
        except StoreError as error:
            await self._complain(error)
            return False

    async def _look_at_timers(self) -> int:
        async with self._busy, self._lasting.transaction() as connection:
            batch = self._new_batch(connection)
            due = batch.hold(await store.due(connection, self._clock(), _LOOK_AT_MOST))
            for id in due:
                batch.happen(id, Due())
            await batch.write()
        self._done((), batch.settled)
        return len(due)

    async def _look_at_orders(self) -> int:
        async with self._busy, self._lasting.transaction() as connection:
            batch = self._new_batch(connection)
            waiting = await orders.waiting(connection, _LOOK_AT_MOST)
            await batch.fetch(id for _, id, _ in waiting)
            for number, id, order in waiting:
                batch.ordered(number, id, order)
            await batch.write()
        self._done((), batch.settled)
        return len(waiting)

    async def _look_at_resources(self) -> int:
        if not any(each.resources for each in self._definitions.values()):
            return 0
        async with self._busy, self._lasting.transaction() as connection:
            batch = self._new_batch(connection)
            free = await store.released(connection, _LOOK_AT_MOST)
            await batch.fetch(free)
            for id in free:
                batch.happen(id, Released())
            await batch.write()
        self._done((), batch.settled)
        return len(free)

    # The rest -------------------------------------------------------------------------------------------------------

    def _new_batch(self, connection: Any) -> Batch:
        return Batch(connection, self._definitions, self._clock(), local=self._handover.takes, publish=self._events)

    def _newest(self, name: str, version: int | None) -> Saga:
        found = [each for (known, number), each in self._definitions.items() if known == name and version in (None, number)]
        if not found:
            raise UsageError(
                f"there is no saga {name!r}" + (f" of version {version}" if version else ""),
                hint=f"known are {', '.join(sorted({each for each, _ in self._definitions})) or 'none'}",
            )
        return max(found, key=lambda each: each.version)

    async def _register(self) -> None:
        while True:
            try:
                async with connected(self._dsn) as connection:
                    for definition in self._given:
                        await kept_definitions.register(connection, definition)
                    self._definitions = {
                        **await kept_definitions.known(connection),
                        **{(each.name, each.version): each for each in self._given},
                    }
                    return
            except StoreError as error:
                await self._complain(error)

    def _forget(self, id: str, future: asyncio.Future[SagaState]) -> None:
        waiting = self._waiting.get(id, [])
        if future in waiting:
            waiting.remove(future)
            if not waiting:
                self._waiting.pop(id, None)

    async def _complain(self, error: StoreError) -> None:
        if self.trouble != error.message:
            _log.warning("%s", error.message)
        self.trouble = error.message
        await asyncio.sleep(_RETRY)


def _size(item: _Item) -> int:
    if isinstance(item, _Begin):
        return 1
    return len(item.envelopes if isinstance(item, _Answers) else item.deliveries)


def _reply(envelope: Envelope) -> tuple[str, Replied] | None:
    """The saga that a reply is for, and what it says; None where it is no reply to a saga's command."""
    told = replied(envelope)
    named = None if told is None else read_command_id(told.cause)
    return None if told is None or named is None else (named[0], told)
