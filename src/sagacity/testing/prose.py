"""Sagas tested as prose: what is sent, what is answered, how it ends.

    (
        given(purchase)
        .started({"items": 2})
        .expect_command("reserve-inventory", items=2)
        .reply_success({"reservation": "r1"})
        .expect_command("take-payment")
        .reply_failure("card refused")
        .expect_compensation("reserve-inventory", reservation="r1")
        .reply_success()
        .expect_outcome("compensated")
    )

Each line raises AssertionError where the saga did something else, and says what it did. Commands are looked at in any
order, and each once; a reply goes to the command that was expected last, or to the one of a step that is named. Nothing
here waits: time passes by `after` and `when_due`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from sagacity.saga.decide import begin, decide
from sagacity.saga.decision import Command, Decision, SagaEvent
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Due, Happening, Order, Ordered, Released, Replied
from sagacity.saga.state import Direction, SagaState, SagaStatus, StepStatus

__all__ = ["Given", "Story", "given"]


def given(definition: Saga) -> Given:
    """A story about a saga of this definition begins."""
    return Given(definition)


class Given:
    """A definition, of which a saga is yet to be started."""

    def __init__(self, definition: Saga) -> None:
        self._definition = definition

    def started(self, input: Any = None, *, id: str = "saga-1", now: int = 0, waiting: bool = False) -> Story:
        """A saga starts with this input, at this time in microseconds; `waiting`, for a resource that another one holds."""
        decision = begin(self._definition, id, msgspec.json.encode(input), now, waiting=waiting)
        return Story(self._definition, decision, now)


class Story:
    """A saga under way. `saga` is where it stands, `events` all that it has told, `now` the time."""

    def __init__(self, definition: Saga, decision: Decision, now: int) -> None:
        self._definition = definition
        self._unseen: list[Command] = []
        self._seen: dict[tuple[str, Direction], Command] = {}
        self._last: Command | None = None
        self.now = now
        self.events: list[SagaEvent] = []
        self.saga: SagaState
        self._take(decision)

    def expect_command(self, step: str, /, **payload: Any) -> Story:
        """The step's command has been sent, and its data has these fields with these values (and perhaps others)."""
        return self._expect(step, "do", payload)

    def expect_compensation(self, step: str, /, **payload: Any) -> Story:
        """The step's compensation has been sent, and its data has these fields."""
        return self._expect(step, "undo", payload)

    def expect_nothing(self) -> Story:
        """No further command has been sent."""
        if self._unseen:
            raise AssertionError(f"nothing was expected to be sent, and there is {self._sent()}")
        return self

    def expect_outcome(self, status: SagaStatus) -> Story:
        """The saga is of this status, and nothing is sent that was not expected."""
        self.expect_nothing()
        return self.expect_status(status)

    def expect_status(self, status: SagaStatus) -> Story:
        """The saga is of this status."""
        if self.saga.status != status:
            raise AssertionError(f"the saga was expected to be {status}, and is {self.saga.status}: {self._steps()}")
        return self

    def expect_step(self, step: str, status: StepStatus) -> Story:
        """A step is of this status."""
        if self.saga.steps[step].status != status:
            raise AssertionError(f"{step} was expected to be {status}: {self._steps()}")
        return self

    def expect_event(self, type: str, step: str | None = None) -> Story:
        """Such an event has been told."""
        if not any(event.type == type and (step is None or event.step == step) for event in self.events):
            told = ", ".join(f"{event.type} {event.step or ''}".strip() for event in self.events)
            raise AssertionError(f"{type} {step or ''} was expected to be told; told were {told}")
        return self

    def reply_success(self, data: Any = None, *, to: str | None = None) -> Story:
        """Its participant answers that it was done: the command that was expected last, or the last of the step `to`."""
        return self.happens(Replied(self._answered(to).id, success=True, data=msgspec.Raw(msgspec.json.encode(data))))

    def reply_failure(self, reason: str, *, transient: bool = False, to: str | None = None) -> Story:
        """Its participant answers that it could not be done."""
        return self.happens(Replied(self._answered(to).id, success=False, reason=reason, transient=transient))

    def after(self, duration: timedelta) -> Story:
        """Time passes, and all timers that come meanwhile fire when they are due."""
        until = self.now + duration // timedelta(microseconds=1)
        while self.saga.due is not None and self.saga.due <= until:
            self.now = max(self.now, self.saga.due)
            self.happens(Due())
        self.now = until
        return self

    def when_due(self) -> Story:
        """Time passes until the next timer, and it fires."""
        if self.saga.due is None:
            raise AssertionError("the saga waits for no timer")
        self.now = max(self.now, self.saga.due)
        return self.happens(Due())

    def released(self) -> Story:
        """The resources that the saga waited for are its own now."""
        return self.happens(Released())

    def ordered(self, order: Order, step: str | None = None, *, by: str | None = None, reason: str | None = None) -> Story:
        """An operator orders something. Raises UsageError where it cannot be carried out."""
        return self.happens(Ordered(order, step, by, reason))

    def happens(self, happening: Happening) -> Story:
        """Anything happens."""
        self._take(decide(self._definition, self.saga, happening, self.now))
        return self

    def _take(self, decision: Decision) -> None:
        self.saga = decision.saga
        self.events += decision.events
        self._unseen += decision.commands

    def _expect(self, step: str, direction: Direction, payload: Mapping[str, Any]) -> Story:
        for command in self._unseen:
            if command.step == step and command.direction == direction:
                break
        else:
            what = "command" if direction == "do" else "compensation"
            raise AssertionError(f"the {what} of {step} was expected; sent is {self._sent()}: {self._steps()}")
        data = msgspec.json.decode(command.data)
        different = {name: value for name, value in payload.items() if not isinstance(data, dict) or data.get(name) != value}
        if different:
            raise AssertionError(f"{command.type} was expected to be sent with {different}, and was sent with {data}")
        self._unseen.remove(command)
        self._seen[step, direction] = self._last = command
        return self

    def _answered(self, step: str | None) -> Command:
        if step is None:
            if self._last is None:
                raise AssertionError("a reply was given before any command was expected")
            return self._last
        command = self._seen.get((step, "undo")) or self._seen.get((step, "do"))
        if command is None:
            raise AssertionError(f"a reply was given to {step}, of which no command was expected")
        return command

    def _sent(self) -> str:
        return ", ".join(f"{command.type} ({command.id})" for command in self._unseen) or "nothing"

    def _steps(self) -> str:
        return ", ".join(f"{name} is {state.status}" for name, state in self.saga.steps.items())
