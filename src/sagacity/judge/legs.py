"""Legs: an activation asks for a target, or for none, on one side of it and within a reach.

`LEGS` spells the templates out from docs/semantics.md on its own account: it is not made from
`sagacity.workflow.templates`, so that two readings of the definitions are held against each other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from sagacity.judge.outcome import Fulfilled, Outcome, violation, when_due
from sagacity.judge.trace import Place, Position, Trace, later
from sagacity.workflow.verdict import FindingKind

__all__ = ["LEGS", "Asked", "Leg", "Where"]


class Leg(msgspec.Struct, frozen=True):
    """Every event in the place `of` asks for one in the other place on its `side`; `negated`, for none."""

    of: Literal["a", "b"]
    side: Literal["after", "before", "either"]
    reach: Literal["any", "alternate", "chain"] = "any"
    negated: bool = False


LEGS: dict[str, tuple[Leg, ...]] = {
    "responded_existence": (Leg("a", "either"),),
    "co_existence": (Leg("a", "either"), Leg("b", "either")),
    "response": (Leg("a", "after"),),
    "precedence": (Leg("b", "before"),),
    "succession": (Leg("a", "after"), Leg("b", "before")),
    "alternate_response": (Leg("a", "after", "alternate"),),
    "alternate_precedence": (Leg("b", "before", "alternate"),),
    "alternate_succession": (Leg("a", "after", "alternate"), Leg("b", "before", "alternate")),
    "chain_response": (Leg("a", "after", "chain"),),
    "chain_precedence": (Leg("b", "before", "chain"),),
    "chain_succession": (Leg("a", "after", "chain"), Leg("b", "before", "chain")),
    "not_co_existence": (Leg("a", "either", negated=True), Leg("b", "either", negated=True)),
    "not_responded_existence": (Leg("a", "either", negated=True),),
    "not_response": (Leg("a", "after", negated=True),),
    "not_precedence": (Leg("b", "before", negated=True),),
    "not_succession": (Leg("a", "after", negated=True), Leg("b", "before", negated=True)),
    "not_chain_response": (Leg("a", "after", "chain", negated=True),),
    "not_chain_precedence": (Leg("b", "before", "chain", negated=True),),
    "not_chain_succession": (Leg("a", "after", "chain", negated=True), Leg("b", "before", "chain", negated=True)),
}
"""The legs of each template that has activations."""

Where: TypeAlias = Callable[[Place, Place], bool]
"""Whether an activation and a target, in this order, belong together."""


class Asked(msgspec.Struct, frozen=True):
    """A leg put to one case: its activations, in order, and the type of its targets.

    Throughout, `e` is an activation and `t` an event of the target's type.
    """

    leg: Leg
    trace: Trace
    activations: Sequence[Place]
    target: str
    where: Where
    within: int | None

    def outcomes(self) -> list[Outcome]:
        """One outcome for each activation."""
        judges = {"chain": self._none_beside}.get(self.leg.reach, self._none) if self.leg.negated else self._some
        return [judges(e) for e in self.activations]

    def _some(self, e: Place) -> Outcome:
        """e asks for a target."""
        previous, following = self._stops(e)
        if self.leg.side == "after":
            near = _between(self.targets, e.position, following)
        elif self.leg.side == "before":
            near = _between(self.targets, previous, e.position)
        else:
            near = self.targets
        if any(self._in_window(e, t) and self._is_candidate(e, t) for t in near):
            return Fulfilled()
        return when_due(violation(self._kind(e, near), self._since(e, following), e), self.trace.as_of)

    def _since(self, e: Place, following: Position | None) -> int:
        """When e, not having found a target, is violated."""
        if self.leg.side == "before":
            return e.time
        due = max(self.trace.end, e.time) if self.within is None else later(e.time, self.within)
        return due if following is None else min(due, following[0])

    def _kind(self, e: Place, near: Sequence[Place]) -> FindingKind:
        """Why e found no target; `near` are those on its side and within its reach."""
        candidates = {t for t in self.targets if self._is_candidate(e, t)}
        if not candidates.isdisjoint(near):
            return "late"
        if candidates:
            return "out_of_order"
        return "mismatch" if any(t is not e for t in self.targets) else "missing"

    def _none(self, e: Place) -> Outcome:
        """e asks that there is no target on its side; one that is concurrent with it may be thought on the other."""
        if self.leg.side == "after":
            near = [t for t in _between(self.targets, e.position, None) if t.position != e.position]
        elif self.leg.side == "before":
            near = [t for t in _between(self.targets, None, e.position) if t.position != e.position]
        else:
            near = list(self.targets)
        first = next((t for t in near if self._in_window(e, t) and self._is_candidate(e, t)), None)
        if first is None:
            return Fulfilled()
        return violation("unexpected", max(e.time, first.time), e)

    def _none_beside(self, e: Place) -> Outcome:
        """e asks that a target is not the very next (previous) event: that another, or no event, may stand there."""
        previous, following = self._stops(e)
        beside = following if self.leg.side == "after" else previous
        if beside is None:
            return Fulfilled()
        events = self.trace.events
        concurrent = [t for t in _between(events, e.position, e.position) if t is not e]
        may_stand_there = [*concurrent, *_between(events, beside, beside)]
        if not all(t.type == self.target and self._in_window(e, t) and self._is_candidate(e, t) for t in may_stand_there):
            return Fulfilled()
        return violation("unexpected", max(e.time, beside[0]), e)

    @property
    def targets(self) -> Sequence[Place]:
        """The events of the target's type, in order."""
        return self.trace.of(self.target)

    def _is_candidate(self, e: Place, t: Place) -> bool:
        return t is not e and self.where(e, t)

    def _in_window(self, e: Place, t: Place) -> bool:
        if self.within is None:
            return True
        if self.leg.side == "before":
            return t.time >= e.time - self.within
        return t.time <= e.time + self.within

    def _stops(self, e: Place) -> tuple[Position | None, Position | None]:
        """How far the reach goes backwards and forwards from e: to the previous and the next activation (alternate) or
        event (chain) that does not stand at e's own position; without end where there is none."""
        if self.leg.reach == "any":
            return None, None
        if self.leg.reach == "chain":
            return _neighbours(self.trace.positions, e.position)
        return _neighbours([place.position for place in self.activations], e.position)


def _neighbours(positions: Sequence[Position], position: Position) -> tuple[Position | None, Position | None]:
    """The nearest of the ascending positions that are strictly earlier and strictly later."""
    earlier = bisect_left(positions, position)
    after = bisect_right(positions, position)
    return (positions[earlier - 1] if earlier else None, positions[after] if after < len(positions) else None)


def _between(places: Sequence[Place], low: Position | None, high: Position | None) -> Sequence[Place]:
    """Those of the places, which are in order, that stand from one position to another, both included."""
    start = 0 if low is None else bisect_left(places, low, key=_position)
    stop = len(places) if high is None else bisect_right(places, high, key=_position)
    return places[start:stop]


def _position(place: Place) -> Position:
    return place.position
