"""A participant of sagas: handlers around which commands are done once, undone where they must be, and answered.

inventory = Participant("inventory", dsn)

@inventory.handles("reserve-inventory")
async def reserve(command, transaction):
    await transaction.execute("update stock set left_over = left_over - %s where item = %s", (1, command.data["item"]))

@inventory.compensates("reserve-inventory")
async def release(command, transaction): ...

await inventory.run(KafkaSubscriber(servers, ["inventory"], "inventory", inventory.positions), KafkaPublisher(servers))
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sagacity.errors import FencedError, MessagingError, StoreError
from sagacity.messaging import Delivery, Envelope, Partition, Publisher, Subscriber
from sagacity.messaging.meter import Meter, Tally
from sagacity.messaging.postgres import Relay, positions
from sagacity.messaging.reading import Reading
from sagacity.saga.handlers import Handler, Handlers
from sagacity.saga.patience import Patience
from sagacity.saga.performing import Performance, perform
from sagacity.saga.postgres.connection import Lasting, connected
from sagacity.saga.tracing import Tracer, chosen

__all__ = ["Participant"]

_log = logging.getLogger("sagacity.saga.participant")
_AnyHandler = TypeVar("_AnyHandler", bound=Handler)


class Participant:
    """Does the commands that sagas give to a service, in the transactions of the service's own database at `dsn`.

    Whatever comes twice, late or out of order, each command's effects stand once or not at all: what was answered is kept
    beside the effects and answered again (see `sagacity.saga.barrier`). A handler that raises BusinessFailure gives a
    failure reply. Any other exception is thought passing: the handler is run again after a pause, as `patience` says, and
    then the message becomes a dead letter, with its reason; it is also told of in the topic `dead_letters`, if one is named.
    Commands of up to `batch` sagas are done in one transaction, one after another, for about a second. `timeout` is in
    seconds, for one run of a handler.

    `counts` tells how often something has happened: done, failed, answered again, recorded, refused, retried, buried.
    `meter` is told the same and more (see `sagacity.saga.metrics`), `tracer` of handlers' runs; by default a Tally, and
    OpenTelemetry where that is set up.
    """

    def __init__(
        self,
        name: str,
        dsn: str,
        *,
        source: str | None = None,
        dead_letters: str | None = None,
        patience: Patience | None = None,
        batch: int = 200,
        timeout: float = 30.0,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        meter: Meter | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.name = name
        self.source = source or f"/participants/{name}"
        self.dead_letters = dead_letters
        self.timeout = timeout
        self.clock = clock
        self.handlers = Handlers()
        self.meter = Tally() if meter is None else meter
        self.tracer = chosen() if tracer is None else tracer
        self.counts: Counter[str] = Counter()
        self.trouble: str | None = None
        self._dsn = dsn
        self._patience = patience or Patience()
        self._batch = batch
        self._lasting = Lasting(dsn)
        self._reading = Reading()
        self._busy = asyncio.Lock()

    def handles(self, name: str, data: Any = Any) -> Callable[[_AnyHandler], _AnyHandler]:
        """Declare the handler of a command, by its type, or by the name of its step. `data` is the type of its data."""
        return self.handlers.declare("do", name, data)

    def compensates(self, name: str, data: Any = Any) -> Callable[[_AnyHandler], _AnyHandler]:
        """Declare the handler of a compensation, by its type, or by the name of the step that it undoes."""
        return self.handlers.declare("undo", name, data)

    async def positions(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where to read on, for the subscriber of this participant."""
        async with self._busy:
            async with connected(self._dsn) as connection:
                known = await positions.read(connection, self.name, partitions)
            self._reading.begin(partitions, known)
            return known

    async def run(self, subscriber: Subscriber, publisher: Publisher | None = None) -> None:
        """Do what comes, until cancelled. With a publisher, a relay runs beside it and sends the replies; without one,
        another process must run it. Never raises for what may pass."""
        async with asyncio.TaskGroup() as tasks:
            if publisher is not None:
                tasks.create_task(Relay(self._dsn, publisher, name=self.name, meter=self.meter).run())
            while True:
                await self._receive(subscriber)

    async def do(self, commands: Sequence[Envelope]) -> Sequence[Envelope]:
        """Do commands that are handed over within the process; the replies, once they and the effects are committed.

        Commands that become dead letters have no reply. They need not come by a broker, nor do the replies go by one.
        """
        deliveries: Sequence[Delivery] = [Delivery("", 0, 0, command) for command in commands]
        replies: list[Envelope] = []
        while deliveries:
            async with self._busy:
                deliveries = await self._attempt(deliveries, replies, by_broker=False)
        return replies

    def failed(self, command: Envelope, reason: str) -> float | None:
        """A handler has failed on this for what may pass: the pause until it runs again, in seconds; None if it does not."""
        pause = self._patience.after_failure(command.id)
        if pause is None:
            _log.error("%s: given up after %d attempts; the last: %s", command.id, self._patience.attempts, reason)
        else:
            self.tell("retried")
            _log.warning("%s: %s; again in %.2f s", command.id, reason, pause)
        return pause

    def tell(self, what: str, many: int = 1) -> None:
        """Something has happened so many times: a command was done, or has become a dead letter."""
        self.counts[what] += many
        self.meter.count("sagacity_participant_commands_total", (self.name, what), many)

    async def close(self) -> None:
        await self._lasting.close()

    async def _receive(self, subscriber: Subscriber) -> None:
        subscriber.again(self._reading.lost(subscriber.assigned()))
        try:
            deliveries = await subscriber.receive(self._batch, 1.0)
        except StoreError as error:
            await self._wait(error)
            return
        self.trouble = subscriber.reach()
        while deliveries:
            async with self._busy:
                deliveries = self._reading.fresh(deliveries)
                if deliveries:
                    deliveries = await self._attempt(deliveries, [], by_broker=True)

    async def _attempt(
        self, deliveries: Sequence[Delivery], replies: list[Envelope], *, by_broker: bool
    ) -> Sequence[Delivery]:
        """Do as many as can be done now; what is left of them."""
        moves: dict[Partition, tuple[int | None, int]] = {}

        def until(done: int) -> Mapping[Partition, tuple[int | None, int]]:
            moves.update(self._reading.moves(deliveries[:done]) if by_broker else {})
            return moves

        try:
            done = await perform(self, self._lasting, deliveries, until, by_broker=by_broker)
        except FencedError as error:
            _log.warning("%s", error.message)
            self._reading.fenced(moves)
            return ()
        except StoreError as error:
            await self._wait(error)
            return deliveries
        except MessagingError:
            raise
        except Exception as error:
            await self._apart(deliveries, replies, error, by_broker=by_broker)
            return ()
        self.trouble = None
        self._reading.moved(moves)
        replies += done.replies
        for what, many in done.counts.items():
            self.tell(what, many)
        left = deliveries[done.settled :]
        if done.failed is not None:
            left = await self._again(left, done, by_broker=by_broker)
        return left

    async def _apart(
        self, deliveries: Sequence[Delivery], replies: list[Envelope], error: Exception, *, by_broker: bool
    ) -> None:
        """What cannot be kept with others is done alone, so that it is one that fails, and no other."""
        if len(deliveries) == 1:
            _log.error("a message cannot be settled: %s: %s", type(error).__name__, error)
            moves = self._reading.moves(deliveries) if by_broker else {}
            await self._bury(deliveries[0], f"it cannot be settled: {type(error).__name__}: {error}", moves)
            return
        for each in deliveries:
            left: Sequence[Delivery] = [each]
            while left:
                left = await self._attempt(self._reading.fresh(left) if by_broker else left, replies, by_broker=by_broker)

    async def _again(self, left: Sequence[Delivery], done: Performance, *, by_broker: bool) -> Sequence[Delivery]:
        """A handler has failed on the first that is left: pause, or bury it."""
        content = left[0].content
        assert isinstance(content, Envelope)
        pause = self.failed(content, done.failed or "")
        if pause is None:
            moves = self._reading.moves(left[:1]) if by_broker else {}
            await self._bury(left[0], f"{self._patience.attempts} attempts failed; the last: {done.failed}", moves)
            return left[1:]
        await asyncio.sleep(pause)
        return left

    async def _bury(self, delivery: Delivery, reason: str, moves: Mapping[Partition, tuple[int | None, int]]) -> None:
        while True:
            try:
                await perform(self, self._lasting, (delivery,), lambda _: moves, bury=reason)
            except FencedError:
                self._reading.fenced(moves)
            except StoreError as error:
                await self._wait(error)
                continue
            else:
                self._reading.moved(moves)
                self.tell("buried")
            return

    async def _wait(self, error: StoreError) -> None:
        if self.trouble != error.message:
            _log.warning("%s", error.message)
        self.trouble = error.message
        await asyncio.sleep(self._patience.for_database())
