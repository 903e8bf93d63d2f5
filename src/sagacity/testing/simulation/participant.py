"""A participant of the simulation: commands are ruled on, executed and answered in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from sagacity.messaging import Envelope, Message
from sagacity.saga.barrier import Standing, rule
from sagacity.saga.definition import Step
from sagacity.saga.messages import Address, Failure, address, reply
from sagacity.testing.simulation.scenario import Manner
from sagacity.testing.simulation.store import Store, Transaction

if TYPE_CHECKING:
    from sagacity.testing.simulation.world import World

__all__ = ["Participant", "PassingError", "token"]


class PassingError(Exception):
    """The handler hit an error of its own, such as a lost connection: the command is to be tried again."""


def token(saga: str, step: str) -> str:
    """What a participant answers, so that it can be seen where it goes."""
    return f"{saga}/{step}"


class Participant:
    """The service of one step, with a database of its own: what it recorded, its effects, its outbox."""

    def __init__(self, world: World, step: Step, manner: Manner) -> None:
        self.name = step.name
        self.kind = step.kind
        self._world = world
        self._step = step
        self.manner = manner
        self.store = Store()
        self.topics = tuple(dict.fromkeys((step.topic, step.compensation_topic or step.topic)))

    def position(self, topic: str) -> int:
        """From where it reads on."""
        return int(self.store.rows("positions").get(topic, 0))

    def net(self, saga: str) -> int:
        """How often the step stands done for a saga."""
        return int(self.store.rows("effects").get(saga, 0))

    def receive(self, topic: str) -> Callable[[], None]:
        """Take in the next command; gives what commits it. Raises PassingError where the handler does."""
        transaction = self.store.begin()
        position = self.position(topic)
        envelope = self._world.broker.next(topic, position, self._world.now)
        assert envelope is not None
        command = address(envelope)
        assert command is not None
        transaction.put("positions", topic, position + 1)
        standing = transaction.get("standing", command.saga) or ()
        ruling = rule(tuple(each[0] for each in standing), command.direction, command.attempt)
        if ruling.action == "answer":
            assert ruling.answer is not None
            answer, time = next(each for each in standing if each[0] == ruling.answer)
        else:
            answer = self._execute(transaction, command, envelope) if ruling.answer is None else ruling.answer
            time = self._world.now
            transaction.put("standing", command.saga, (*standing, (answer, time)))
        self._world.note(self.name, f"{ruling.action} {envelope.id}: {'done' if answer.success else answer.reason}")
        failure = None if answer.success else _failure(answer.reason or "")
        answered = reply(envelope, f"/{self.name}", time, data=answer.data, failure=failure)
        transaction.append("outbox", Message(envelope.reply_to or "", answered))
        return transaction.commit

    def _execute(self, transaction: Transaction, command: Address, envelope: Envelope) -> Standing:
        """The handler. A failure leaves nothing behind."""
        manner, chance, doing = self.manner, self._world.chance, command.direction == "do"
        if chance.random() < manner.error and self._world.stormy:
            raise PassingError(f"{self.name} lost its connection")
        if chance.random() < (manner.failure if doing else manner.undo_failure):
            passing = chance.random() < manner.passing
            reason = "passing: busy" if passing else "sold out"
            return Standing(command.direction, command.attempt, success=False, reason=reason)
        net = self.net(command.saga) + (1 if doing else -1)
        transaction.afterwards.append(lambda: self._world.laws.executed(command, envelope, self._step, net))
        transaction.put("effects", command.saga, net)
        transaction.append("rows", (command.saga, command.direction, self._world.now))
        data = Raw(msgspec.json.encode({"token": token(command.saga, command.step)}))
        return Standing(command.direction, command.attempt, success=True, data=data)


def _failure(reason: str) -> Failure:
    return Failure(reason, transient=reason.startswith("passing"))
