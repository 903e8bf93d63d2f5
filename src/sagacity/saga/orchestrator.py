"""The orchestrator: starts sagas, takes replies in, watches the time, carries out orders; all of it by group commit.

orchestrator = Orchestrator(dsn, [purchase])
subscriber = KafkaSubscriber(servers, ["saga-replies"], "orchestrator", orchestrator.positions)
running = asyncio.create_task(orchestrator.run(subscriber, KafkaPublisher(servers)))
await orchestrator.start("purchase", "purchase-17", {"items": [4, 5]})
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec

from sagacity.errors import StoreError, UsageError
from sagacity.messaging import Delivery, Envelope, Message, Partition, Publisher, Subscriber
from sagacity.messaging.meter import Meter, Tally
from sagacity.messaging.postgres import Relay, positions
from sagacity.saga.definition import Saga
from sagacity.saga.desk import Desk, fail
from sagacity.saga.handing import awaited_here
from sagacity.saga.handover import Handover
from sagacity.saga.happenings import Order
from sagacity.saga.lookout import Lookout
from sagacity.saga.metrics import measure
from sagacity.saga.pace import Pace
from sagacity.saga.participant import Participant
from sagacity.saga.patience import Patience
from sagacity.saga.postgres import definitions as kept_definitions
from sagacity.saga.postgres import listing, orders
from sagacity.saga.postgres.connection import connected
from sagacity.saga.settling import Beginning, Settled
from sagacity.saga.state import ENDED, SagaState
from sagacity.saga.tracing import Tracer, chosen
from sagacity.saga.writer import Answers, Begin, Commands, Dead, Delivered, Writer

__all__ = ["Orchestrator"]

_START_AGAIN = "run it again, and ask again: what was started is not started twice"


class Orchestrator:
    """Runs the sagas that are kept in the database at `dsn`; any number of replicas may do so at the same time.

    `definitions` are registered when it runs, beside those that are kept there: a saga stays on the version that it began
    with, whoever runs it. `starts` names definitions by topics: a message in such a topic starts a saga whose id is the
    message's key and whose input is its data. A message that cannot be settled becomes a dead letter, with its reason; it is
    also told of in the topic `dead_letters`, if one is named.

    Participants can be within the process, by the topics that they serve; then commands for them and replies go by no
    broker, and are made again from the sagas' state after a crash. Those in `local` have their own transactions and
    databases. Those in `inline` share the orchestrator's database, and are done in its own transactions: a step's effects
    and the saga's state are one commit, and a handler that takes long holds up others. Each step is durable before the next
    begins. Before a topic goes from a broker to `inline`, what is under way there must have ended.

    What happens to sagas is gathered while a transaction is under way, and settled in the next, at most `batch` sagas at a
    time, by so many `writers` at once. Every `tick` seconds it looks for timers that have come, orders, and sagas that
    waited for a resource. `events`: whether the sagas' events are published; the history is kept in any case. `clock` gives
    microseconds since 1970, UTC.

    `counts` tells how often something has happened: each type of event, replies ignored as late, foreign or doubled.
    `meter` is told of all that (see `sagacity.saga.metrics`), and `tracer` of starts, steps and ends: by default a Tally,
    and OpenTelemetry where that is set up.
    """

    def __init__(
        self,
        dsn: str,
        definitions: Iterable[Saga],
        *,
        name: str = "orchestrator",
        local: Mapping[str, Participant] | None = None,
        inline: Mapping[str, Participant] | None = None,
        starts: Mapping[str, str] | None = None,
        dead_letters: str | None = None,
        events: bool = True,
        batch: int = 256,
        writers: int = 2,
        tick: float = 0.25,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        meter: Meter | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.meter = Tally() if meter is None else meter
        self._dsn = dsn
        self._given = tuple(definitions)
        self._batch = batch
        self._desk = Desk(
            name,
            {(each.name, each.version): each for each in self._given},
            inline=inline or {},
            handed=local or {},
            starts=starts or {},
            dead_letters=dead_letters,
            publish=events,
            clock=clock,
            patience=Patience(),
            meter=self.meter,
            tracer=chosen() if tracer is None else tracer,
        )
        self._handover = Handover(local or {}, self._answered)
        self._writers = [Writer(self._desk, dsn, batch, self._settled) for _ in range(writers)]
        self._lookout = Lookout(self._desk, dsn, tick, self._settled)
        self._ready = asyncio.Event()
        self._resting: set[asyncio.TimerHandle] = set()
        self._starting: set[asyncio.Future[bool]] = set()

    # For callers ----------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counter[str]:
        """How often what has happened, since this process began."""
        return self._desk.counts

    @property
    def trouble(self) -> str | None:
        """Why nothing can be done now; None while all is well."""
        return self._desk.trouble

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
        All its messages are of one trace: that of `traceparent`, or of what is bound here and now, or a new one.

        Raises UsageError where the definition is not known, StoreError where the orchestrator stops meanwhile.
        """
        await self._ready.wait()
        known = self._desk.newest(definition, version)
        trace = self._desk.tracer.started(definition, id, traceparent)
        beginning = Beginning(known, id, msgspec.json.encode(input), correlation_id, trace)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._starting.add(done)
        done.add_done_callback(self._starting.discard)
        self._writer(id).add(Begin(beginning, done))
        return await done

    async def execute(self, definition: str, id: str, input: Any) -> SagaState:
        """Start a saga and wait until it has ended. What was started before is not started again, but waited for."""
        future = self._desk.await_end(id)
        try:
            if await self.start(definition, id, input):
                return await future
        finally:
            self._desk.forget_end(id, future)
        return await self.ended(id)

    async def ended(self, id: str) -> SagaState:
        """The saga, once it has ended.

        Raises UsageError where there is none of this id, StoreError where the orchestrator stops meanwhile.
        """
        future = self._desk.await_end(id)
        try:
            async with connected(self._dsn) as connection:
                saga = await listing.state(connection, id)
            if saga is None:
                raise UsageError(f"there is no saga {id}")
            return saga if saga.status in ENDED else await future
        finally:
            self._desk.forget_end(id, future)

    async def order(self, id: str, order: Order, *, by: str, step: str | None = None, reason: str | None = None) -> int:
        """Give an operator's order; its number. It is carried out within a tick, by whichever replica comes first."""
        async with connected(self._dsn) as connection:
            return await orders.place(connection, id, order, by=by, step=step, reason=reason)

    async def positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where to read on, for the subscriber of this orchestrator."""
        async with self._writers[0].busy:
            async with connected(self._dsn) as connection:
                known = await positions.read(connection, self._desk.name, partitions)
            self._desk.reading.begin(partitions, known)
            return known

    async def run(self, subscriber: Subscriber | None = None, publisher: Publisher | None = None) -> None:
        """Run sagas until cancelled. With a publisher, a relay runs beside it and sends what they say; without one, another
        process must run it. Never raises for what may pass.

        Raises UsageError where another definition is kept under the name and version of one that it was given.
        """
        await self._register()
        runs = [*(each.run() for each in self._writers), self._lookout.run(), *(each.run() for each in self._handover.lanes)]
        if publisher is not None:
            runs.append(Relay(self._dsn, publisher, name=self._desk.name, meter=self.meter).run())
        if subscriber is not None:
            self._lookout.begun = False
            runs.append(self._receive(subscriber))
        if self._handover.lanes or self._desk.inline:
            runs.append(self._hand_over_again(self._desk.clock()))
        try:
            async with asyncio.TaskGroup() as tasks:
                for each in runs:
                    tasks.create_task(each)
                self._ready.set()
        finally:
            self._ready.clear()
            for timer in self._resting:
                timer.cancel()
            self._give_up()

    # What comes in, and goes on within the process ------------------------------------------------------------------

    def _give_up(self) -> None:
        """Nothing is done any longer: whoever waits had better not."""
        unknown = StoreError("the orchestrator has stopped, and it is not known whether the saga is kept", hint=_START_AGAIN)
        for future in tuple(self._starting):
            fail(future, unknown)
        self._desk.give_up(StoreError("the orchestrator has stopped; the saga goes on once one runs", hint=_START_AGAIN))

    def _writer(self, id: str) -> Writer:
        """The writer of a saga. Any could settle it; with one, what happens to it gathers, and goes stale for no other."""
        return self._writers[crc32(id.encode()) % len(self._writers)]

    async def _receive(self, subscriber: Subscriber) -> None:
        pace = Pace(self._batch, time.monotonic())
        while True:
            subscriber.again(self._desk.reading.lost(subscriber.assigned()))
            try:
                deliveries = await subscriber.receive(self._batch, 1.0)
            except StoreError as error:
                await self._desk.complain(error)
                continue
            pace.polled(len(deliveries), time.monotonic(), assigned=bool(subscriber.assigned()))
            self._lookout.behind, self._lookout.begun = pace.behind, pace.begun
            if deliveries:
                done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._writers[0].add(Delivered(deliveries, done))
                await done

    def _settled(self, settled: Settled) -> None:
        """A transaction is committed: what it means for this process."""
        self._desk.counts.update(settled.counts)
        measure(self.meter, settled)
        self._desk.tracer.settled(settled.happened)
        for saga in settled.ended:
            self._desk.ended(saga)
        self._do(settled.inline)
        for message in settled.handed:
            self._handover.give(message.topic, message.envelope)
        for message, reason in settled.passing:
            self._rest(message, reason)
        if settled.freed:
            self._lookout.look(settled.freed)

    def _do(self, commands: Sequence[Message]) -> None:
        """Have inline participants do these in the next transactions."""
        by_writer: dict[int, list[Message]] = {}
        for message in commands:
            by_writer.setdefault(crc32(message.envelope.key.encode()) % len(self._writers), []).append(message)
        for number, messages in by_writer.items():
            self._writers[number].add(Commands(messages))

    def _rest(self, message: Message, reason: str) -> None:
        """An inline handler has failed for what may pass: again after a pause; in the end the step's timeout decides."""
        participant = self._desk.inline[message.topic]
        pause = participant.failed(message.envelope, reason)
        if pause is None:
            told = f"given up after several attempts; the last: {reason}"
            letter = (participant.name, Delivery(message.topic, 0, 0, message.envelope), told)
            self._writer(message.envelope.key).add(Dead([letter]))
            participant.tell("buried")
            return
        timer: list[asyncio.TimerHandle] = []

        def rested() -> None:
            self._resting.discard(timer[0])
            self._do([message])

        timer.append(asyncio.get_running_loop().call_later(pause, rested))
        self._resting.add(timer[0])

    def _answered(self, envelopes: Sequence[Envelope]) -> None:
        by_writer: dict[int, list[Envelope]] = {}
        for envelope in envelopes:
            by_writer.setdefault(crc32(envelope.key.encode()) % len(self._writers), []).append(envelope)
        for number, held in by_writer.items():
            self._writers[number].add(Answers(held))

    async def _hand_over_again(self, began: int) -> None:
        """After a start: what was handed over within a process that is no more is handed over again. Sagas that are younger
        than this process are not among it."""
        after: str | None = ""
        while after is not None:
            try:
                async with connected(self._dsn) as connection:
                    sagas = await listing.unended(connection, after, 1000)
            except StoreError as error:
                await self._desk.complain(error)
                continue
            after = sagas[-1].id if sagas else None
            self._settled(awaited_here(self._desk, (each for each in sagas if each.started <= began)))

    async def _register(self) -> None:
        while True:
            try:
                async with connected(self._dsn) as connection:
                    for definition in self._given:
                        await kept_definitions.register(connection, definition)
                    self._desk.definitions = {**await kept_definitions.known(connection), **self._desk.definitions}
                    return
            except StoreError as error:
                await self._desk.complain(error)
