"""What sagas await of participants within the process: handed over again where it is not certain that it was."""

from __future__ import annotations

from collections.abc import Iterable

from sagacity.saga.desk import Desk
from sagacity.saga.inflight import in_flight
from sagacity.saga.messages import command_message
from sagacity.saga.settling import Settled
from sagacity.saga.state import SagaState

__all__ = ["awaited_here"]


def awaited_here(desk: Desk, sagas: Iterable[SagaState]) -> Settled:
    """The commands in flight that go by no broker. To give one twice does no harm: it is answered again, or passed over."""
    again = Settled()
    for saga in sagas:
        definition = desk.definitions.get((saga.definition, saga.version))
        if definition is None:
            continue
        for command in in_flight(definition, saga):
            message = command_message(definition, saga, command)
            if message.topic in desk.inline:
                again.inline.append(message)
            elif message.topic in desk.handed:
                again.handed.append(message)
    return again
