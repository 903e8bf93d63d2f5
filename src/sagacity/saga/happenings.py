"""What happens to a saga that has begun: the input of `sagacity.saga.decide`."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["Due", "Happening", "Order", "Ordered", "Released", "Replied"]

Order: TypeAlias = Literal["retry", "skip", "compensate", "abandon", "resume"]
"""What an operator can order. `retry`: give a parked step's command, or its compensation, again. `skip`: go on as if it had
succeeded. `compensate`: turn back, where the point of no return has not been reached. `abandon`: end a parked saga as it
stands. `resume`: retry all that is parked, and lift a quarantine."""


class Replied(msgspec.Struct, frozen=True):
    """A participant's answer. `cause` is the id of the command that it answers.

    `success`: `data` is what the participant returned. A failure is for business reasons, in `reason`; `transient` says that
    the participant thinks it passing.
    """

    cause: str
    success: bool
    data: msgspec.Raw = msgspec.Raw(b"null")
    reason: str | None = None
    transient: bool = False


class Due(msgspec.Struct, frozen=True):
    """A timer of the saga's has come: whatever in it is due by now is looked at."""


class Ordered(msgspec.Struct, frozen=True):
    """An operator's order. `step` is the step that it is about: needed for `retry` and `skip` where several are parked."""

    order: Order
    step: str | None = None
    by: str | None = None
    reason: str | None = None


class Released(msgspec.Struct, frozen=True):
    """The resources that a waiting saga waited for are its own now."""


Happening: TypeAlias = Replied | Due | Ordered | Released
