"""Records that are in no case: how many carry no key that leads to one, and of which event types."""

from __future__ import annotations

from collections.abc import Mapping, Set

import msgspec

from sagacity.ledger.port import Intake
from sagacity.workflow.model import EventType

__all__ = ["Keyless", "keyless"]

_LISTED = 6


class Keyless(msgspec.Struct, frozen=True):
    """Of `records`, `lost` carry no key that leads to a case; `types` are the event types of which none does."""

    lost: int
    records: int
    types: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a reader has to know of it."""
        said = (
            f"{self.lost:,} of {self.records:,} records carry no key that leads to a case, and nothing is learnt from them"
        )
        more = len(self.types) - _LISTED
        listed = ", ".join(self.types[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
        return f"{said}; among them all of {listed}" if listed else said


def keyless(events: Mapping[str, EventType], intake: Intake, kept: Set[int]) -> Keyless | None:
    """What was left out of an intake; None where each record is in a case. `kept` are the places of event types of which
    some event is in one.

    Where records are of events after the instant up to which is learnt, types are not told: theirs may be among those.
    """
    lost = {account.source: account.orphan for account in intake.accounts if account.orphan}
    if not lost:
        return None
    beyond = {account.source for account in intake.accounts if account.beyond}
    types = tuple(
        name
        for place, (name, event) in enumerate(events.items())
        if place not in kept and event.source in lost and event.source not in beyond
    )
    return Keyless(sum(lost.values()), sum(account.records for account in intake.accounts), types)
