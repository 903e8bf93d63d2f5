"""A saga's messages: commands and events as envelopes, and what commands and replies say, read from theirs.

All are keyed by the saga's id. CloudEvents extensions say which saga a message is of (`sagaid`, `saganame`,
`sagaversion`) and which command it is or is about (`sagastep`, `sagadirection`, `sagaattempt`); a reply repeats its
command's, and says in `sagaoutcome` whether it `succeeded` or `failed`. A command that is sent again is the same message,
to the byte; so must a participant's reply be.
"""

from __future__ import annotations

from typing import cast

import msgspec

from sagacity.messaging import Envelope, Message
from sagacity.saga.decision import Command, SagaEvent
from sagacity.saga.definition import Saga
from sagacity.saga.happenings import Replied
from sagacity.saga.identity import event_id, read_command_id
from sagacity.saga.state import Direction, SagaState

__all__ = ["REPLIED", "Address", "Failure", "address", "command_message", "event_message", "replied", "reply"]

REPLIED = ".replied"
"""What follows a command's type in the type of its reply."""

_EVENTS_TOPIC = "saga-events"


class Address(msgspec.Struct, frozen=True):
    """Which saga, step, direction and attempt a command is of: what a participant's record is kept under."""

    saga: str
    step: str
    direction: Direction
    attempt: int


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """The data of a reply that says that a command was not done. `transient`: its participant thinks that passing."""

    reason: str
    transient: bool = False


def command_message(definition: Saga, saga: SagaState, command: Command) -> Message:
    """A command, as it is sent to its participant; the reply is awaited in the saga's topic of replies."""
    return Message(
        command.topic,
        Envelope(
            id=command.id,
            type=command.type,
            source=definition.origin,
            time=command.time,
            key=saga.id,
            data=bytes(command.data),
            correlation_id=saga.correlation_id,
            traceparent=saga.traceparent,
            reply_to=definition.replies_topic,
            extensions=_about(saga, Address(saga.id, command.step, command.direction, command.attempt)),
        ),
    )


def event_message(definition: Saga | None, saga: SagaState, event: SagaEvent) -> Message:
    """An event of a saga, as it is published. Where its definition is not known, the default topic and source are used."""
    return Message(
        _EVENTS_TOPIC if definition is None else definition.events_topic,
        Envelope(
            id=event_id(saga.id, event.number),
            type=event.type,
            source=f"/sagas/{saga.definition}" if definition is None else definition.origin,
            time=event.time,
            key=saga.id,
            data=msgspec.json.encode(event),
            correlation_id=saga.correlation_id,
            traceparent=saga.traceparent,
            extensions=_about(saga, None if event.command is None else Address(*(read_command_id(event.command) or ()))),
        ),
    )


def address(command: Envelope) -> Address | None:
    """Which saga and step a command is of; None where it is no saga's command."""
    said = dict(command.extensions)
    direction, attempt = said.get("sagadirection"), said.get("sagaattempt", "")
    if direction not in ("do", "undo") or not attempt.isdecimal() or not said.get("sagaid") or not said.get("sagastep"):
        return None
    return Address(said["sagaid"], said["sagastep"], cast(Direction, direction), int(attempt))


def reply(
    command: Envelope, source: str, time: int, *, data: bytes | msgspec.Raw = b"null", failure: Failure | None = None
) -> Envelope:
    """A participant's answer to a command: that it was done, with data, or that it was not. Its id is made of the command's,
    so that an answer that is given again, with the time at which it was given first, is the same message."""
    return Envelope(
        id=f"{command.id}/reply",
        type=f"{command.type}{REPLIED}",
        source=source,
        time=time,
        key=command.key,
        data=bytes(data) if failure is None else msgspec.json.encode(failure),
        correlation_id=command.correlation_id,
        cause=command.id,
        traceparent=command.traceparent,
        tracestate=command.tracestate,
        extensions=(
            *(pair for pair in command.extensions if pair[0].startswith("saga")),
            ("sagaoutcome", "succeeded" if failure is None else "failed"),
        ),
    )


def replied(envelope: Envelope) -> Replied | None:
    """What a reply says; None where the envelope is no reply, or a failure that cannot be read."""
    outcome = dict(envelope.extensions).get("sagaoutcome")
    if envelope.cause is None or outcome not in ("succeeded", "failed"):
        return None
    if outcome == "succeeded":
        return Replied(envelope.cause, success=True, data=msgspec.Raw(envelope.data))
    try:
        failure = msgspec.json.decode(envelope.data, type=Failure)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Replied(envelope.cause, success=False, reason=failure.reason, transient=failure.transient)


def _about(saga: SagaState, command: Address | None) -> tuple[tuple[str, str], ...]:
    of = (("sagaid", saga.id), ("saganame", saga.definition), ("sagaversion", str(saga.version)))
    if command is None:
        return of
    which = (("sagaattempt", str(command.attempt)), ("sagadirection", command.direction), ("sagastep", command.step))
    return (*of, *which)
