"""One transaction of the orchestrator: what has happened to many sagas, decided one by one and written as sets."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from sagacity.errors import UsageError
from sagacity.messaging import Delivery, Message
from sagacity.messaging.postgres import outbox
from sagacity.saga.decide import begin, decide, quarantine, resources, undefined
from sagacity.saga.decision import Decision, SagaEvent
from sagacity.saga.definition import Saga
from sagacity.saga.desk import Desk
from sagacity.saga.handlers import Unfit
from sagacity.saga.handling import Passing, handle, may_pass
from sagacity.saga.happenings import Happening, Ordered, Replied
from sagacity.saga.inflight import in_flight
from sagacity.saga.messages import Address, address, command_message, event_message
from sagacity.saga.participant import Participant
from sagacity.saga.postgres import definitions, orders, store
from sagacity.saga.postgres.connection import Connection, Held
from sagacity.saga.postgres.store import Kept, StaleError
from sagacity.saga.state import ENDED, Ignored, SagaState
from sagacity.saga.transitions import AWAITING, PARKED

__all__ = ["Batch", "Beginning", "Settled"]

_log = logging.getLogger("sagacity.saga")
_BY_WHAT_IS_NEWER: frozenset[Ignored] = frozenset({"foreign", "late"})
"""Why a reply does not count that may count by what another replica has decided meanwhile. One that is doubled stays so."""
_LOOK_AGAIN = 60_000_000
"""Microseconds after which it is looked whether a state that could not be read can be."""


class Beginning(msgspec.Struct, frozen=True):
    """A saga that is to be started, unless there is one of this id."""

    definition: Saga
    id: str
    input: bytes
    correlation_id: str | None = None
    traceparent: str | None = None


class Settled(msgspec.Struct):
    """What a committed transaction means for this process.

    `handed` are commands for participants of this process that run in transactions of their own, `inline` those that are
    done in the orchestrator's next transaction, `passing` those whose handler failed for what may pass, and why. `happened`
    has what was told of each saga, with how it stood then. `freed` are resources that were let go of.
    """

    started: set[str] = msgspec.field(default_factory=set)
    handed: list[Message] = msgspec.field(default_factory=list)
    inline: list[Message] = msgspec.field(default_factory=list)
    passing: list[tuple[Message, str]] = msgspec.field(default_factory=list)
    ended: list[SagaState] = msgspec.field(default_factory=list)
    counts: Counter[str] = msgspec.field(default_factory=Counter)
    happened: list[tuple[SagaState, tuple[SagaEvent, ...]]] = msgspec.field(default_factory=list)
    freed: set[str] = msgspec.field(default_factory=set)


class Batch:
    """A transaction under way. The caller begins and commits it; `settled` counts once it is committed.

    It goes by what this process knows, and holds nothing: `write` raises StaleError where that was not how things stand.
    `careful`: go by what is kept alone, as the batch must be that is made anew after a StaleError.
    """

    def __init__(self, desk: Desk, connection: Connection, *, careful: bool = False) -> None:
        self.settled = Settled()
        self._careful = careful
        self._desk = desk
        self._connection = connection
        self._now = desk.clock()
        self._sagas: dict[str, SagaState] = {}
        self._revisions: dict[str, int] = {}
        self._remembered: set[str] = set()
        self._doubtful: set[str] = set()
        self._new: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._ignored: dict[str, None] = {}
        self._retired: dict[str, int] = {}
        self._unreadable: dict[str, str] = {}
        self._counted: list[tuple[Participant, str]] = []
        self._buried: list[tuple[str, Delivery, str]] = []
        self._events: list[SagaEvent] = []
        self._messages: list[Message] = []
        self._outcomes: list[tuple[int, str]] = []

    async def begin(self, beginnings: Iterable[Beginning]) -> None:
        """Start sagas, those that are not there yet."""
        wanted: dict[str, Beginning] = {}
        for each in beginnings:
            wanted.setdefault(each.id, each)
        held = {id: resources(each.definition, id, each.input) for id, each in wanted.items() if each.definition.resources}
        behind = await store.waiting(self._connection, held)
        taken = await store.existing(self._connection, wanted) if self._careful else ()
        for id, each in wanted.items():
            if id in taken:
                continue
            decision = begin(
                each.definition,
                id,
                each.input,
                self._now,
                correlation_id=each.correlation_id,
                traceparent=each.traceparent,
                waiting=id in behind,
            )
            self._new[id] = None
            self._take(decision, each.definition)
        self.settled.started |= self._new.keys()

    async def fetch(self, ids: Iterable[str]) -> None:
        """Have sagas at hand, so that things can happen to them: as this process left them, else as they are kept."""
        missing = []
        for id in dict.fromkeys(ids):
            if id in self._sagas:
                continue
            kept = None if self._careful else self._desk.recent.get(id)
            if kept is None:
                missing.append(id)
            else:
                self._revisions[id], self._sagas[id] = kept
                self._remembered.add(id)
        await self.hold(await store.read(self._connection, missing))

    async def hold(self, kept: Mapping[str, Kept]) -> list[str]:
        """Take these as they are kept; the ids of those that can be read. The others are retired. A definition that came to
        be after this process began is looked up."""
        for id, each in kept.items():
            if each.saga is None:
                _log.error("saga %s: %s", id, each.unreadable)
                self._retired[id] = each.revision
                self._unreadable[id] = each.unreadable or "its state cannot be read"
                self.settled.counts["unreadable"] += 1
            elif id not in self._sagas:
                self._sagas[id], self._revisions[id] = each.saga, each.revision
        if any((saga.definition, saga.version) not in self._desk.definitions for saga in self._sagas.values()):
            self._desk.definitions = {**await definitions.known(self._connection), **self._desk.definitions}
        return [id for id in kept if id in self._sagas]

    def happen(self, id: str, happening: Happening) -> str | None:
        """Something happens to a saga. Why it could not, where it was an order that makes no sense."""
        saga = self._sagas.get(id)
        if saga is None:
            self.settled.counts["foreign"] += 1
            return f"saga {id}: {self._unreadable[id]}" if id in self._unreadable else f"there is no saga {id}"
        definition = self._desk.definitions.get((saga.definition, saga.version))
        failed: str | None = None
        try:
            if definition is None and isinstance(happening, Ordered):
                self._take(undefined(saga, happening, self._now), None)
                return None
            if definition is None:
                raise LookupError(f"the definition {saga.definition} {saga.version} is not known")
            decision = decide(definition, saga, happening, self._now)
        except UsageError as refused:
            if not isinstance(happening, Ordered):
                raise
            return str(refused)
        except Exception as error:
            _log.exception("saga %s cannot be decided", id)
            failed = f"it cannot be decided: {type(error).__name__}: {error}"
            decision = quarantine(saga, failed, self._now)
        self._take(decision, definition)
        return failed

    def ordered(self, number: int, id: str, order: Ordered) -> None:
        """An operator's order; what becomes of it is kept."""
        self._outcomes.append((number, self.happen(id, order) or "done"))

    def redriven(self, number: int, id: str, step: str | None) -> None:
        """Somebody has a dead letter done again: the step's command goes to its participant once more, if it is awaited."""
        saga = self._sagas.get(id)
        definition = None if saga is None else self._desk.definitions.get((saga.definition, saga.version))
        standing = None if saga is None else saga.steps.get(step or "")
        outcome = f"step {step} of saga {id} is {standing.status if standing else 'not known'}: nothing was sent"
        if standing is not None and standing.status in PARKED:
            outcome += "; order a retry of it instead"
        if saga is not None and definition is not None:
            for command in in_flight(definition, saga):
                if command.step == step:
                    self._send(command_message(definition, saga, command))
                    outcome = "done"
        self._outcomes.append((number, outcome))

    def take_inline(self) -> list[Message]:
        """The commands so far for participants that are inline: to be done in this transaction, and not in the next."""
        commands, self.settled.inline = self.settled.inline, []
        return commands

    async def do(self, commands: Iterable[Message], held: Held) -> None:
        """Have inline participants do commands that are awaited still, and take their answers; each is followed up in the
        next transaction, so that a step is durable before the next begins."""
        for message in commands:
            command, where = message.envelope, address(message.envelope)
            saga = None if where is None else self._sagas.get(where.saga)
            if saga is None or where is None or not _awaited(saga, where):
                continue
            participant = self._desk.inline[message.topic]
            if where.direction == "undo" and where.step not in saga.replies:
                self.happen(saga.id, Replied(command.id, success=True))  # it was never done: there is nothing to undo
                continue
            try:
                answer = await handle(participant, command, where, held)
            except Passing as passing:
                self.settled.passing.append((message, str(passing)))
                continue
            except Unfit as unfit:
                self.bury(participant.name, Delivery(message.topic, 0, 0, command), str(unfit))
                self._counted.append((participant, "buried"))
                continue
            self._counted.append((participant, "done" if answer.success else "failed"))
            self.happen(saga.id, Replied(command.id, answer.success, answer.data, answer.reason, transient=may_pass(answer)))

    def bury(self, consumer: str, delivery: Delivery, reason: str) -> None:
        """A message that cannot be done: no reply of any saga's participant, or nothing that a participant can do."""
        self.settled.counts["buried"] += 1
        self._buried.append((consumer, delivery, reason))

    @property
    def single(self) -> bool:
        """Whether `write` is one statement, which needs no transaction around it."""
        freed = any(saga.resources for saga in self.settled.ended)
        return not (self._messages or self._outcomes or self._retired or self._buried or freed)

    async def write(self) -> None:
        """Write all of it. Raises StaleError where it rests on what is no longer so, or may not be and is not checked by
        what is written."""
        if self._doubtful - self._changed.keys():
            raise StaleError
        new = [self._sagas[id] for id in self._new]
        changed = [(self._revisions[id], self._sagas[id]) for id in self._changed]
        await store.write(self._connection, new, changed, self._events)
        await store.retire(self._connection, self._retired, self._now + _LOOK_AGAIN)
        notices = [await self._desk.bury(self._connection, *each) for each in self._buried]
        await outbox.send(self._connection, [*self._messages, *(notice for notice in notices if notice is not None)])
        await orders.carried_out(self._connection, self._outcomes)
        freed = [saga.id for saga in self.settled.ended if saga.resources]
        await store.unlock(self._connection, freed)
        self.settled.freed = {resource for saga in self.settled.ended for resource in saga.resources}

    def committed(self) -> Settled:
        """It is committed: what this process knows from now on, and what it means for it."""
        for participant, what in self._counted:
            participant.tell(what)
        for id in self._new:
            self._desk.recent.know(1, self._sagas[id])
        for id in self._changed:
            self._desk.recent.know(self._revisions[id] + 1, self._sagas[id])
        for id in self._ignored.keys() - self._changed.keys() - self._new.keys():
            self._desk.recent.know(
                self._revisions[id], self._sagas[id]
            )  # what was ignored is kept with the next that counts
        return self.settled

    def forget(self) -> None:
        """It is not committed: what this process knew of these sagas may not be so."""
        for id in self._sagas:
            self._desk.recent.forget(id)

    def _take(self, decision: Decision, definition: Saga | None) -> None:
        saga = decision.saga
        before = self._sagas.get(saga.id)
        self._sagas[saga.id] = saga
        if decision.ignored is not None:
            self._ignored[saga.id] = None
            if decision.ignored in _BY_WHAT_IS_NEWER and saga.id in self._remembered:
                self._doubtful.add(saga.id)
        elif saga.id not in self._new:
            self._changed[saga.id] = None
        if saga.status in ENDED and (before is None or before.status not in ENDED):
            self.settled.ended.append(saga)
        if decision.ignored is not None:
            self.settled.counts[f"ignored {decision.ignored}"] += 1
        if definition is not None:
            for command in decision.commands:
                self._send(command_message(definition, saga, command))
        if decision.events:
            self.settled.happened.append((saga, decision.events))
        for event in decision.events:
            self.settled.counts[event.type] += 1
            self._events.append(event)
            if self._desk.publish:
                self._messages.append(event_message(definition, saga, event))

    def _send(self, message: Message) -> None:
        if message.topic in self._desk.inline:
            self.settled.inline.append(message)
        elif message.topic in self._desk.handed:
            self.settled.handed.append(message)
        else:
            self._messages.append(message)


def _awaited(saga: SagaState, where: Address) -> bool:
    """Whether the answer to this command would count."""
    state = saga.steps.get(where.step)
    if state is None or saga.status in ENDED or saga.quarantine is not None:
        return False
    doing = where.direction == "do"
    newest, answered = (state.attempt, state.answered) if doing else (state.undo_attempt, state.undo_answered)
    return where.attempt == newest and not answered and state.status in AWAITING[where.direction]
