"""What must hold at every instant, and in the end, whatever the schedule was."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from sagacity.messaging import Envelope
from sagacity.saga.decision import Command, Decision
from sagacity.saga.definition import Saga, Step
from sagacity.saga.messages import Address
from sagacity.saga.state import ENDED, SagaState
from sagacity.saga.transitions import CLEAR, PARKED
from sagacity.testing.simulation.participant import Participant, token

if TYPE_CHECKING:
    from sagacity.testing.simulation.world import World

__all__ = ["BrokenError", "Laws"]

_MUST_STAND = {"done": (1,), "failed": (0,), "pending": (0,), "undone": (0,)}
"""By a step's status: how often it may stand done. By any other status, once or not at all."""

_OUTCOMES = {"SagaCompleted": "completed", "SagaCompensated": "compensated", "SagaAbandoned": "abandoned"}


class BrokenError(AssertionError):
    """A law does not hold: there is a fault in what was simulated."""


class Laws:
    """Watches what is committed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._executed: set[Address] = set()
        self._undone: set[tuple[str, str]] = set()
        self._turned: set[str] = set()
        self._ended: set[str] = set()
        self.moves: set[tuple[str, str, str]] = set()
        self._last: dict[str, SagaState] = {}
        self._skipped: set[tuple[str, str | None]] = set()

    def decided(self, definition: Saga, decision: Decision) -> None:
        """A decision has been committed."""
        saga = decision.saga
        turned = saga.id in self._turned
        before = self._last.get(saga.id)
        self._moved(definition, before, saga)
        self._last[saga.id] = saga
        if saga.due != decision.due:
            raise BrokenError(f"{saga.id} is due at {saga.due}, and was to be looked at again at {decision.due}")
        self._skipped.update((saga.id, event.step) for event in decision.events if event.type == "StepSkipped")
        for command in decision.commands:
            if saga.id in self._ended:
                raise BrokenError(f"{command.id} was sent after {saga.id} had ended")
            if command.direction == "do" and (turned or saga.direction == "undo"):
                raise BrokenError(f"{command.id} was sent after {saga.id} had turned back")
            if not command.again and command.attempt > 1 and not self._has_failed(saga.id, command):
                raise BrokenError(f"{command.id} was sent though the one before it has not failed")
            if command.direction == "undo":
                self._undo_in_order(definition, saga, command.step)
        if saga.direction == "undo":
            self._turned.add(saga.id)
        if saga.status in ENDED:
            self._ended.add(saga.id)
        if saga.waiting and decision.commands:
            raise BrokenError(f"{saga.id} sends while it waits for {saga.resources}")

    def executed(self, command: Address, envelope: Envelope, step: Step, net: int) -> None:
        """A handler's effects have been committed."""
        if command in self._executed:
            raise BrokenError(f"{envelope.id} was executed twice")
        self._executed.add(command)
        if net not in (0, 1):
            raise BrokenError(f"{envelope.id} leaves {command.step} done {net} times")
        undoing = command.direction == "undo"
        if not undoing and (command.saga, command.step) in self._undone:
            raise BrokenError(f"{envelope.id} was executed after it had been undone")
        if undoing:
            self._undone.add((command.saga, command.step))
        fields: Mapping[str, str] = (step.compensation_payload if undoing else None) or step.payload or {}
        data = msgspec.json.decode(envelope.data) if fields else {}
        for field, path in fields.items():
            root, *names = path.split(".")
            if root != "replies" or names[1:] != ["token"] or (command.saga, names[0]) in self._skipped:
                continue
            if data[field] != token(command.saga, names[0]):
                raise BrokenError(f"{envelope.id} was sent with {field} = {data[field]!r}")

    def at_rest(self, participants: Mapping[str, Participant], sagas: Mapping[str, SagaState]) -> None:
        """Nothing is under way any more."""
        for saga in sagas.values():
            if saga.status not in ENDED and saga.status not in ("parked", "waiting"):
                raise BrokenError(f"{saga.id} is stuck: {saga.status}, {_steps(saga)}")
            if saga.status == "waiting" and not self._someone_parked_before(saga, sagas):
                raise BrokenError(f"{saga.id} waits for nobody")
            if saga.status == "parked":
                self._parked_with_cause(saga)
            for name, participant in participants.items():
                self._stands(saga, name, participant.net(saga.id))
        self._one_at_a_time(sagas)

    def all_ended(self, sagas: Mapping[str, SagaState]) -> None:
        """Everything is mended, and all that was parked was told to go on."""
        for saga in sagas.values():
            if saga.status not in ENDED:
                raise BrokenError(f"{saga.id} has not ended, though all is mended: {saga.status}, {_steps(saga)}")

    def told(self, events: list[Envelope], sagas: Mapping[str, SagaState]) -> None:
        """The events of every saga are all there, and say how it ended."""
        by_saga: dict[str, dict[int, Envelope]] = {id: {} for id in sagas}
        for envelope in events:
            number = msgspec.json.decode(envelope.data)["number"]
            if by_saga[envelope.key].setdefault(number, envelope) != envelope:
                raise BrokenError(f"event {number} of {envelope.key} is two, one {envelope.type}")
        for id, saga in sagas.items():
            numbered = by_saga[id]
            told = [numbered[number] for number in sorted(numbered)]
            if sorted(numbered) != list(range(1, saga.events + 1)):
                raise BrokenError(f"{id} has told {saga.events} events, and {sorted(numbered)} came")
            if any(earlier.time > later.time for earlier, later in pairwise(told)):
                raise BrokenError(f"the times of the events of {id} go back")
            ends = [_OUTCOMES[envelope.type] for envelope in told if envelope.type in _OUTCOMES]
            if ends != ([saga.status] if saga.status in ENDED else []):
                raise BrokenError(f"{id} is {saga.status} and has told {ends}")

    def _moved(self, definition: Saga, before: SagaState | None, saga: SagaState) -> None:
        for name, state in saga.steps.items():
            was = "pending" if before is None else before.steps[name].status
            if was != state.status:
                self.moves.add((definition.by_name[name].kind, was, state.status))

    def _has_failed(self, saga: str, command: Command) -> bool:
        """Whether the attempt before this one was answered with a failure, by what its participant has recorded."""
        standing = self._world.participants[command.step].store.rows("standing").get(saga, ())
        before = (command.direction, command.attempt - 1)
        return any((each.direction, each.attempt) == before and not each.success for each, _ in standing)

    def _undo_in_order(self, definition: Saga, saga: SagaState, step: str) -> None:
        if definition.by_name[step].kind != "compensatable":
            raise BrokenError(f"{saga.id}: {step} is no step to be undone")
        for other in definition.following[step]:
            if saga.steps[other].status not in CLEAR:
                raise BrokenError(f"{saga.id}: {step} is undone while {other}, after it, is {saga.steps[other].status}")
        if any(state.status == "asked" for state in saga.steps.values()):
            raise BrokenError(f"{saga.id}: {step} is undone while a command is in flight")

    def _stands(self, saga: SagaState, step: str, net: int) -> None:
        state = saga.steps[step]
        if net not in _MUST_STAND.get(state.status, (0, 1)):
            raise BrokenError(f"{saga.id}: {step} is {state.status} and stands done {net} times")
        whole = {"completed": ("done", "skipped"), "compensated": tuple(CLEAR)}.get(saga.status)
        if whole is not None and state.status not in whole:
            raise BrokenError(f"{saga.id} is {saga.status}, and {step} is {state.status}")

    def _parked_with_cause(self, saga: SagaState) -> None:
        causes = [saga.quarantine, *(state.cause for state in saga.steps.values() if state.status in PARKED)]
        if not any(causes):
            raise BrokenError(f"{saga.id} is parked without a cause: {_steps(saga)}")

    def _someone_parked_before(self, waiting: SagaState, sagas: Mapping[str, SagaState]) -> bool:
        for saga in sagas.values():
            if saga.id == waiting.id:
                return False
            if saga.status not in ENDED and not set(saga.resources).isdisjoint(waiting.resources):
                return True
        return False

    def _one_at_a_time(self, sagas: Mapping[str, SagaState]) -> None:
        held: set[str] = set()
        for saga in sagas.values():
            if saga.status in ENDED:
                continue
            if not saga.waiting and not held.isdisjoint(saga.resources):
                raise BrokenError(f"{saga.id} runs while another holds {saga.resources}")
            held.update(saga.resources)


def _steps(saga: SagaState) -> str:
    return ", ".join(f"{name} {state.status}" for name, state in saga.steps.items())
