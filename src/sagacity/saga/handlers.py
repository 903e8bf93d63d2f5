"""What a participant's handlers are given, and how the one for a command is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import msgspec

from sagacity.errors import UsageError
from sagacity.messaging import Envelope
from sagacity.saga.messages import Address
from sagacity.saga.postgres.transaction import Transaction
from sagacity.saga.state import Direction

__all__ = ["BusinessFailure", "Command", "Handler", "Handlers", "Unfit"]


class Command(msgspec.Struct, frozen=True):
    """A command, or a compensation, as a handler gets it.

    `data` is what it says, decoded: of the type that the handler was declared with, else plain Python. `id` is the same each
    time that the same command comes. `saga` is the saga's id, `step` its step, `attempt` counts from 1.
    """

    id: str
    type: str
    saga: str
    step: str
    direction: Direction
    attempt: int
    data: Any
    envelope: Envelope


Handler: TypeAlias = Callable[[Command, Transaction], Awaitable[Any]]
"""What it returns is the reply's data, as JSON. It raises BusinessFailure for a failure reply."""

_AnyHandler = TypeVar("_AnyHandler", bound=Handler)


class BusinessFailure(Exception):  # noqa: N818 - it is no error of the program
    """The command cannot be done, for a reason of the business: a failure reply. What the handler has done is undone.

    `transient`: the reason may pass, so that giving the command again may help; the saga's definition says whether it is.
    """

    def __init__(self, reason: str, *, transient: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.transient = transient


class Unfit(Exception):  # noqa: N818 - it says what the message is
    """A message that no number of attempts would make any better."""


class _Declared(msgspec.Struct, frozen=True):
    handler: Handler
    decode: Callable[[bytes], Any]


class Handlers:
    """Handlers by direction and by name: that of the command's type, or of the saga's step."""

    def __init__(self) -> None:
        self._declared: dict[tuple[Direction, str], _Declared] = {}

    def declare(self, direction: Direction, name: str, data: Any) -> Callable[[_AnyHandler], _AnyHandler]:
        """Raises UsageError where there is one of this name."""

        def declared(handler: _AnyHandler) -> _AnyHandler:
            if (direction, name) in self._declared:
                raise UsageError(f"there are two handlers for {name!r}", hint="give each command one")
            self._declared[(direction, name)] = _Declared(handler, msgspec.json.Decoder(data).decode)
            return handler

        return declared

    def find(self, envelope: Envelope, address: Address) -> tuple[Handler, Command]:
        """The handler of a command, and what it is given. Raises Unfit where there is none, or the data is not its own."""
        direction = address.direction
        declared = self._declared.get((direction, envelope.type)) or self._declared.get((direction, address.step))
        if declared is None:
            what = "handles" if direction == "do" else "compensates"
            raise Unfit(f"nothing here {what} {envelope.type!r}, of the step {address.step!r}")
        try:
            data = declared.decode(envelope.data)
        except (msgspec.MsgspecError, ValueError) as error:
            raise Unfit(f"the data of {envelope.type!r} is not as its handler expects: {error}") from error
        return declared.handler, Command(
            envelope.id, envelope.type, address.saga, address.step, direction, address.attempt, data, envelope
        )
