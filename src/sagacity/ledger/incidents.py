"""Storms: findings of one expectation that come close together share an incident, and people are told once, not often.

The first findings of an incident are told one by one. From then on what is told is that it has grown tenfold. An incident
is over when nothing of its expectation has been found for a while; the next finding begins another.

Pure: counts in, what to tell out. Instants and durations are in microseconds.
"""

from __future__ import annotations

import msgspec

__all__ = ["SINGLY", "WINDOW", "Spell", "Telling", "grow"]

WINDOW = 300_000_000
"""So long after its last finding an incident is over."""

SINGLY = 10
"""So many findings of an incident are told one by one."""


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """An incident: its id, when its latest finding was found, and how many it has."""

    id: str
    last: int
    findings: int


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of newly found ones: the first `singly` of them, and the total for each `escalations`."""

    spell: Spell
    begins: bool
    singly: int
    escalations: tuple[int, ...]


def grow(spell: Spell | None, new: int, now: int, fresh: str) -> Telling:
    """What `new` findings of one expectation, found now, do to its latest incident; `fresh` is the id of a new one."""
    begins = spell is None or now - spell.last > WINDOW
    before = 0 if begins or spell is None else spell.findings
    after = before + new
    steps = []
    step = SINGLY
    while step < after:
        if before <= step:
            steps.append(after)
        step *= 10
    return Telling(
        spell=Spell(id=fresh if begins or spell is None else spell.id, last=now, findings=after),
        begins=begins,
        singly=max(min(SINGLY, after) - before, 0),
        escalations=tuple(steps[-1:]),
    )
