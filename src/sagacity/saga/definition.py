"""The definition of a saga, as data: any replica can run any stored version of it without the code that declared it.

    Saga(
        name="purchase",
        version=1,
        steps=(
            Step("reserve-inventory", "ReserveInventory", "inventory", "ReleaseInventory"),
            Step("take-payment", "TakePayment", "payments", kind="pivot"),
            Step("ship", "ShipOrder", "shipping", kind="retriable"),
        ),
    )

A definition that makes no sense cannot be made: `Saga` raises DefinitionError, with every mistake and how to mend it.
Durations are timedeltas. `encode` and `decode` write a definition as JSON and read it back without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Literal, TypeAlias

import msgspec

from sagacity.errors import DefinitionError
from sagacity.saga.checks import problems

__all__ = ["Effect", "Kind", "Retry", "RetryOn", "Saga", "Step", "decode", "encode"]

Kind: TypeAlias = Literal["compensatable", "pivot", "retriable"]
"""`compensatable`: what it did can be undone. `pivot`: the point of no return; once it is done the saga is bound to
complete. `retriable`: it comes after the point of no return and is asked until it succeeds, or parked."""

RetryOn: TypeAlias = Literal["timeout", "transient", "failure"]
"""What a command is given again for: for want of an answer alone; also for a failure that the participant calls passing; or
for any failure."""


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a command is given, and how long apart.

    `attempts` counts every time that the command is sent, the first included. After want of an answer the same command is
    sent again, with the same id, and its answer is awaited longer each time by a pause. After a failure that `on` names,
    a new command follows after a pause. The n-th pause is `first` times `factor` to the power of n - 1, at most `most`,
    less up to half of it by chance that is drawn from the command's id. A retriable step and a compensation are given
    again for any failure, whatever `on` says.
    """

    attempts: int = 5
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    most: timedelta = timedelta(minutes=1)
    on: RetryOn = "transient"


PERSISTENT = Retry(attempts=12, most=timedelta(minutes=5), on="failure")
"""How compensations and retriable steps are given again unless they say otherwise: for about half an hour."""


class Effect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a step leaves in its participant's database, so that databases can be reconciled with sagas.

    `source` names the table as a source of the workflow that is generated. `key` is an expression over a row that yields the
    saga's id. `done` is a condition that is true of a row in which the step has been done, `undone` one that is true of a
    row in which it has been undone; a row of which both are true counts for both. `time` and `undone_time` (`time` unless
    stated) are expressions for when. `id` tells rows apart, `key` unless stated.
    """

    source: str
    key: str
    done: str
    time: str
    undone: str | None = None
    undone_time: str | None = None
    id: str | None = None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step: the command that does it, and for a compensatable one the compensation that undoes it.

    `name` is letters, digits, `-` and `_`. `command` and `compensation` are types of messages, sent to `topic` (and
    `compensation_topic`, `topic` unless stated). `after` names the steps that come directly before this one: None is the
    step before it in the list, `()` none at all. `timeout` is how long an answer is awaited; `retry` and
    `compensation_retry` say what happens then, `compensation_timeout` is `timeout` unless stated.

    `payload` maps the fields of the command's data to paths: `input.items`, `replies.reserve-inventory.total`, `saga.id`.
    Without one the command carries the saga's whole input. `compensation_payload` is the same for the compensation, which
    may also use the step's own reply; without one the compensation carries what the command carried. What a path does not
    find is null.
    """

    name: str
    command: str
    topic: str
    compensation: str | None = None
    kind: Kind = "compensatable"
    after: tuple[str, ...] | None = None
    timeout: timedelta = timedelta(seconds=30)
    retry: Retry | None = None
    payload: Mapping[str, str] | None = None
    compensation_payload: Mapping[str, str] | None = None
    compensation_topic: str | None = None
    compensation_timeout: timedelta | None = None
    compensation_retry: Retry | None = None
    effect: Effect | None = None

    def retry_of(self, direction: Literal["do", "undo"]) -> Retry:
        """The policy by which the command, or its compensation, is given again."""
        if direction == "undo":
            return self.compensation_retry or PERSISTENT
        return self.retry or (PERSISTENT if self.kind == "retriable" else Retry())

    def timeout_of(self, direction: Literal["do", "undo"]) -> timedelta:
        """How long an answer to the command, or to its compensation, is awaited at first."""
        return self.timeout if direction == "do" else self.compensation_timeout or self.timeout


class Saga(msgspec.Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """A saga's definition. `name` and `version` (from 1) together name it; a running saga stays on the version it began
    with.

    `source` is the CloudEvents source of what the orchestrator sends, `/sagas/<name>` unless stated. `events_topic` is where
    the saga's events are published, `replies_topic` where answers are awaited. `resource` is a path, or several, into the
    input, such as `input.account`: sagas whose paths end in the same name and find the same value run one after another,
    in the order in which they were started. `timeout`, counted from the start, is how long the saga may take to reach its
    point of no return; it then turns back.

    Raises DefinitionError with all that is wrong.
    """

    name: str
    version: int
    steps: tuple[Step, ...]
    source: str = ""
    events_topic: str = "saga-events"
    replies_topic: str = "saga-replies"
    resource: tuple[str, ...] | str | None = None
    timeout: timedelta | None = None

    def __post_init__(self) -> None:
        if found := problems(self):
            raise DefinitionError(self.name, found)

    @property
    def origin(self) -> str:
        """The CloudEvents source of its messages."""
        return self.source or f"/sagas/{self.name}"

    @cached_property
    def by_name(self) -> Mapping[str, Step]:
        """Its steps, by name, in the order of the definition."""
        return {step.name: step for step in self.steps}

    @cached_property
    def before(self) -> Mapping[str, tuple[str, ...]]:
        """The steps that must have been done directly before each."""
        names = [step.name for step in self.steps]
        return {
            step.name: step.after if step.after is not None else tuple(names[max(place - 1, 0) : place])
            for place, step in enumerate(self.steps)
        }

    @cached_property
    def following(self) -> Mapping[str, tuple[str, ...]]:
        """The steps that come directly after each."""
        return {name: tuple(other for other, previous in self.before.items() if name in previous) for name in self.before}

    @cached_property
    def resources(self) -> tuple[str, ...]:
        """The paths of what it locks."""
        return (self.resource,) if isinstance(self.resource, str) else self.resource or ()


def encode(definition: Saga) -> bytes:
    """The definition as JSON, the same bytes for the same definition."""
    return msgspec.json.encode(definition, order="deterministic")


def decode(document: bytes | str) -> Saga:
    """The definition that `encode` wrote. Raises DefinitionError where it makes no sense, msgspec.ValidationError where it
    is none."""
    return msgspec.json.decode(document, type=Saga)
