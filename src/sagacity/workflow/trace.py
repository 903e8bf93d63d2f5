"""Events and traces: what a verdict is a function of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec

__all__ = ["FOREVER", "Event", "Value"]

Value: TypeAlias = str | int | Decimal | bool | None

FOREVER = 2**63 - 1
"""The instant that never comes: the due time of what has none, and the as-of of a log that is known to be complete."""


class Event(msgspec.Struct, frozen=True):
    """An immutable fact of one case.

    `time` is in microseconds since 1970-01-01T00:00Z. `seq` is a position that is intrinsic to the source, 0 where it
    has none; events of equal `(time, seq)` are concurrent. `id` identifies the event within its type; None where the
    source has no ids. `attributes` holds the captured values by name; the currency of an amount stands under
    `<name>.currency`. A type that the workflow does not name marks an unexpected event.
    """

    type: str
    time: int
    seq: int = 0
    id: str | None = None
    attributes: Mapping[str, Value] = {}

    @property
    def position(self) -> tuple[int, int]:
        """What orders a trace: `(time, seq)`."""
        return self.time, self.seq
