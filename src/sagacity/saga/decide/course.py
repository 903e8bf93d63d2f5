"""One decision in the making: the saga as it changes, and what has been sent and told so far."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from sagacity.errors import DefinitionError
from sagacity.saga.decide.timing import microseconds, pause
from sagacity.saga.decision import Command, Decision, SagaEvent, SagaEventType
from sagacity.saga.definition import Saga, Step
from sagacity.saga.identity import command_id
from sagacity.saga.paths import payload
from sagacity.saga.state import ENDED, Direction, Ignored, SagaState, SagaStatus, StepState
from sagacity.saga.transitions import PARKED, Trigger, find

__all__ = ["Course"]


class Course:
    """A saga, the time, and what follows. It is made for one decision, and lives no longer."""

    __slots__ = ("_commands", "_definition", "_events", "_told", "now", "saga", "steps", "told_at")

    def __init__(self, definition: Saga | None, saga: SagaState, now: int) -> None:
        if definition is not None and (definition.name, definition.version) != (saga.definition, saga.version):
            told = f"saga {saga.id} runs {saga.definition} {saga.version}: give it that, or migrate the saga to this one"
            raise DefinitionError(f"{definition.name} {definition.version}", (told,))
        self._definition = definition
        self.saga = saga
        self.now = now
        self.told_at = max(now, saga.changed)
        """The time that events bear: it never goes back within a saga, though a clock may."""
        self._told = saga.events
        self.steps: dict[str, StepState] = dict(saga.steps)
        self._commands: list[Command] = []
        self._events: list[SagaEvent] = []

    @property
    def definition(self) -> Saga:
        """The saga's definition."""
        assert self._definition is not None
        return self._definition

    def decision(self, ignored: Ignored | None = None) -> Decision:
        """What has been decided."""
        ended = self.saga.status in ENDED
        times = [] if ended or self.saga.quarantine is not None else [state.due for state in self.steps.values()]
        if times and self.saga.deadline is not None and self.saga.direction == "do" and self.may_turn_back():
            times.append(self.saga.deadline)
        due = min((time for time in times if time is not None), default=None)
        saga = replace(self.saga, steps=self.steps, status=self._status(), due=due, changed=self.told_at, events=self._told)
        return Decision(saga, tuple(self._commands), tuple(self._events), due, ignored)

    def change(self, **changes: Any) -> None:
        """Change the saga itself."""
        self.saga = replace(self.saga, **changes)

    def tell(
        self,
        type: SagaEventType,
        step: str | None = None,
        *,
        cause: str | None = None,
        by: str | None = None,
        direction: Direction = "do",
    ) -> None:
        """Add an event; where it is about a step, about its newest command in that direction."""
        saga = self.saga
        attempt = None
        self._told += 1
        if step is not None:
            state = self.steps[step]
            attempt = state.attempt if direction == "do" else state.undo_attempt
        self._events.append(
            SagaEvent(
                type=type,
                time=self.told_at,
                saga=saga.id,
                definition=saga.definition,
                version=saga.version,
                number=self._told,
                step=step,
                command=None if step is None or attempt is None else command_id(saga.id, step, direction, attempt),
                attempt=attempt,
                cause=cause,
                by=by,
            )
        )

    def go(
        self, name: str, trigger: Trigger, *, answered: bool = False, cause: str | None = None, by: str | None = None
    ) -> bool:
        """Let a step go on as the table says; False where the table says nothing."""
        step, state = self.definition.by_name[name], self.steps[name]
        row = find(state.status, trigger, step.kind)
        if row is None:
            return False
        direction: Direction = "undo" if trigger == "undo" or state.status.startswith("und") else "do"
        doing = direction == "do"
        known = answered or (state.answered if doing else state.undo_answered)
        waits = None
        if row.to in ("resting", "undo-resting"):
            given = state.attempt if doing else state.undo_attempt
            id = command_id(self.saga.id, name, direction, given)
            waits = self.now + pause(step.retry_of(direction), state.sends, id)
        if doing:
            self.steps[name] = replace(state, status=row.to, due=waits, cause=cause, answered=known)
        else:
            self.steps[name] = replace(state, status=row.to, due=waits, cause=cause, undo_answered=known)
        for type in row.tells:
            self.tell(type, name, cause=cause, by=by, direction=direction)
        if row.send is not None:
            fresh = trigger in ("ready", "undo", "retry")
            self._send(step, direction, again=row.send == "same" or (row.send == "unanswered" and not known), fresh=fresh)
        return True

    def may_repeat(self, name: str) -> bool:
        """Whether a step's command, or its compensation, may be given once more by its policy."""
        state = self.steps[name]
        if state.status == "asked":
            return self.saga.direction == "do" and state.sends < self.definition.by_name[name].retry_of("do").attempts
        return state.status == "undoing" and state.sends < self.definition.by_name[name].retry_of("undo").attempts

    def may_turn_back(self) -> bool:
        """Whether the point of no return has not been reached, for certain: nothing past it was sent, or it is known to have
        failed."""
        not_begun = ("pending", "failed", "resting")
        return all(
            step.kind == "compensatable"
            or (
                self.steps[step.name].status in not_begun
                if step.kind == "pivot"
                else self.steps[step.name].status == "pending"
            )
            for step in self.definition.steps
        )

    def send_again(self, name: str) -> None:
        """Send the command that is in flight once more, as if for the first time."""
        state = self.steps[name]
        self._send(self.definition.by_name[name], "do" if state.status == "asked" else "undo", again=True, fresh=True)

    def _send(self, step: Step, direction: Direction, *, again: bool, fresh: bool) -> None:
        state = self.steps[step.name]
        doing = direction == "do"
        attempt = (state.attempt if doing else state.undo_attempt) + (0 if again else 1)
        sends = 1 if fresh else state.sends + 1
        id = command_id(self.saga.id, step.name, direction, attempt)
        wait = microseconds(step.timeout_of(direction))
        if again and sends > 1:
            wait += pause(step.retry_of(direction), sends - 1, id)
        asked = state.asked if again else self.told_at
        if doing:
            changed = replace(state, attempt=attempt, answered=False, sends=sends, asked=asked, due=self.now + wait)
        else:
            changed = replace(
                state, undo_attempt=attempt, undo_answered=False, sends=sends, asked=asked, due=self.now + wait
            )
        self.steps[step.name] = changed
        self._commands.append(
            Command(
                id=id,
                step=step.name,
                direction=direction,
                attempt=attempt,
                type=step.command if doing else step.compensation or "",
                topic=step.topic if doing else step.compensation_topic or step.topic,
                data=self._data(step, direction),
                time=self.told_at if asked is None else asked,
                again=again,
            )
        )

    def _data(self, step: Step, direction: Direction) -> Raw:
        fields = step.payload
        if direction == "undo" and step.compensation_payload is not None:
            fields = step.compensation_payload
        if fields is None:
            return self.saga.input
        return payload(fields, self.saga.id, self.saga.input, self.saga.replies)

    def _status(self) -> SagaStatus:
        saga = self.saga
        if saga.status in ENDED:
            return saga.status
        if saga.quarantine is not None or any(state.status in PARKED for state in self.steps.values()):
            return "parked"
        if saga.waiting:
            return "waiting"
        return "compensating" if saga.direction == "undo" else "running"
