"""The orchestrator of the simulation: what is received or due is decided, and kept in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Raw

from sagacity.errors import UsageError
from sagacity.messaging import Message
from sagacity.saga.decide import begin, decide, quarantine, resources
from sagacity.saga.decision import Decision
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Due, Happening, Ordered, Released
from sagacity.saga.locks import may_run
from sagacity.saga.messages import command_message, event_message, replied
from sagacity.saga.state import ENDED, SagaState, decode, encode
from sagacity.testing.simulation.store import Store, Transaction

if TYPE_CHECKING:
    from sagacity.testing.simulation.world import World

__all__ = ["STARTS", "Orchestrator"]

STARTS = "starts"
"""The topic of requests to start a saga."""


class Orchestrator:
    """Sagas, and the outbox of their messages, in one store. Nothing of it is remembered outside the store."""

    def __init__(self, world: World, definition: Saga) -> None:
        self.name = "orchestrator"
        self._world = world
        self._definition = definition
        self.known = True
        self.skew = 0
        self.store = Store()
        self.topics = (STARTS, definition.replies_topic)

    @property
    def clock(self) -> int:
        """The time as this process sees it."""
        return self._world.now + self.skew

    def position(self, topic: str) -> int:
        """From where it reads on."""
        return int(self.store.rows("positions").get(topic, 0))

    def sagas(self) -> Mapping[str, SagaState]:
        """The sagas as they are kept, in the order in which they were started."""
        return {str(id): decode(document) for id, document in self.store.rows("sagas").items()}

    def due(self) -> int | None:
        """When the next timer fires, in the time of the world."""
        times = [time for time in self.store.rows("due").values() if time is not None]
        return min(times) - self.skew if times else None

    def receive(self, most: int) -> Callable[[], None]:
        """Take in at most so many messages; gives what commits it."""
        transaction = self.store.begin()
        for topic in self.topics:
            position = self.position(topic)
            for _ in range(most):
                envelope = self._world.broker.next(topic, position, self._world.now)
                if envelope is None:
                    break
                position += 1
                if topic == STARTS:
                    self._start(transaction, envelope.key, envelope.data)
                elif (reply := replied(envelope)) is not None:
                    self._happens(transaction, envelope.key, reply)
            if position != self.position(topic):
                transaction.put("positions", topic, position)
        return transaction.commit

    def fire(self) -> Callable[[], None]:
        """Look at all that is due; gives what commits it."""
        transaction = self.store.begin()
        for id, time in self.store.rows("due").items():
            if time is not None and time <= self.clock:
                self._happens(transaction, str(id), Due())
        return transaction.commit

    def order(self, saga: str, order: Ordered) -> Callable[[], None]:
        """Carry out an operator's order; gives what commits it. Raises UsageError where it cannot be carried out."""
        transaction = self.store.begin()
        self._happens(transaction, saga, order)
        return transaction.commit

    def _start(self, transaction: Transaction, id: str, input: bytes) -> None:
        if transaction.get("sagas", id) is not None:
            return
        locked = resources(self._definition, id, Raw(input))
        unended = [*self._unended(transaction), (id, locked)]
        decision = begin(self._definition, id, Raw(input), self.clock, waiting=id not in may_run(unended))
        self._keep(transaction, decision)

    def _happens(self, transaction: Transaction, id: str, happening: Happening) -> None:
        document = transaction.get("sagas", id)
        if document is None:
            return
        saga = decode(document)
        try:
            if not self.known:
                raise LookupError(f"version {saga.version} of {saga.definition} is not known here")
            decision = decide(self._definition, saga, happening, self.clock)
        except UsageError:
            raise
        except Exception as error:
            decision = quarantine(saga, str(error), self.clock)
        self._keep(transaction, decision)
        if decision.saga.status in ENDED:
            self._release(transaction)

    def _keep(self, transaction: Transaction, decision: Decision) -> None:
        saga = decision.saga
        transaction.put("sagas", saga.id, encode(saga))
        transaction.put("due", saga.id, decision.due)
        sent: list[Message] = [command_message(self._definition, saga, command) for command in decision.commands]
        sent += [event_message(self._definition, saga, event) for event in decision.events]
        for message in sent:
            transaction.append("outbox", message)
        transaction.afterwards.append(lambda: self._world.laws.decided(self._definition, decision))

    def _release(self, transaction: Transaction) -> None:
        waiting = {str(id) for id, document in transaction.rows("sagas") if decode(document).waiting}
        for id in may_run(self._unended(transaction)):
            if id in waiting:
                self._happens(transaction, id, Released())

    def _unended(self, transaction: Transaction) -> list[tuple[str, tuple[str, ...]]]:
        sagas = (decode(document) for _, document in transaction.rows("sagas"))
        return [(saga.id, saga.resources) for saga in sagas if saga.status not in ENDED]
