"""One case made ready to be shown: which events have to do with which violations, and where events are missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from sagacity.reconcile.result import Explanation
from sagacity.workflow.model import Assert, Audited, Implied, Matches, Rule, Workflow
from sagacity.workflow.templates import TEMPLATES, Legs
from sagacity.workflow.trace import FOREVER, Event, Value
from sagacity.workflow.verdict import FindingKind, Status, Verdict, Violation
from sagacity.workflow.words.naming import names
from sagacity.workflow.words.wording import message, reason

__all__ = ["Awaited", "CaseView", "Expected", "Ghost", "Happened", "case_view", "values"]


class Happened(msgspec.Struct, frozen=True):
    """An event of the case, the time since the one before (None for the first), and what it has to do with: the names of
    violated expectations with the kinds of their violations. What is not `judged` is later than as-of."""

    event: Event
    gap: int | None
    involved: tuple[tuple[str, FindingKind], ...]
    judged: bool = True


class Awaited(msgspec.Struct, frozen=True):
    """An event that may still come in time: its type, by when it is due, and the expectation that waits for it."""

    type: str
    due: int
    expectation: str


class Ghost(msgspec.Struct, frozen=True):
    """An event that should have happened by `due` and did not, or not by then; `asked` is the type and time of the event
    that asked for it, if one did."""

    type: str
    due: int
    asked: tuple[str, int] | None
    kind: FindingKind
    expectation: str
    message: str


class Expected(msgspec.Struct, frozen=True):
    """An expectation with its verdict and the reason for it; `messages` has one sentence for each violation."""

    name: str
    status: Status
    reason: str
    messages: tuple[str, ...]


class CaseView(msgspec.Struct, frozen=True):
    """A case as it is shown. `expected` is in the order violated, pending, satisfied, vacuous."""

    happened: tuple[Happened, ...]
    ghosts: tuple[Ghost, ...]
    expected: tuple[Expected, ...]
    awaited: tuple[Awaited, ...] = ()


_ORDER = (Status.VIOLATED, Status.PENDING, Status.SATISFIED, Status.VACUOUS)
_AT_SINCE = frozenset(("duplicate", "unexpected", "conflict", "out_of_order"))


def case_view(workflow: Workflow, explanation: Explanation, as_of: int, later: Sequence[Event] = ()) -> CaseView:
    """What a case's timeline and its list of expectations show; `later` are events after as-of, in their order."""
    audited = dict(zip(names(workflow), workflow.audited(), strict=True))
    involved: list[list[tuple[str, FindingKind]]] = [[] for _ in explanation.events]
    called = _names(explanation.events)
    ghosts: dict[tuple[str, int], Ghost] = {}
    for verdict in explanation.verdict.verdicts:
        expectation = audited[verdict.expectation]
        for violation in verdict.violations:
            for place in _involved(explanation.events, called, expectation, violation):
                if (verdict.expectation, violation.kind) not in involved[place]:
                    involved[place].append((verdict.expectation, violation.kind))
            awaited = _missed(expectation, violation)
            if awaited is not None and violation.since != FOREVER:
                text = message(workflow, expectation, violation)
                asked = (violation.type, violation.time) if violation.type and violation.time is not None else None
                ghost = Ghost(awaited, violation.since, asked, violation.kind, verdict.expectation, text)
                ghosts.setdefault((awaited, violation.since), ghost)
    expected = [
        _expected(workflow, audited[verdict.expectation], verdict, as_of) for verdict in explanation.verdict.verdicts
    ]
    expected.sort(key=lambda entry: _ORDER.index(entry.status))
    judged = len(explanation.events)
    events = (*explanation.events, *later)
    happened = (
        Happened(
            event,
            None if place == 0 else event.time - events[place - 1].time,
            tuple(involved[place]) if place < judged else (),
            place < judged,
        )
        for place, event in enumerate(events)
    )
    waiting = (
        Awaited(waits_for, verdict.due, verdict.expectation)
        for verdict in explanation.verdict.verdicts
        if verdict.pending and verdict.due not in (None, FOREVER)
        if (waits_for := _waits_for(audited[verdict.expectation]))
    )
    return CaseView(tuple(happened), tuple(ghosts.values()), tuple(expected), tuple(waiting))


def values(event: Event) -> list[tuple[str, str]]:
    """The captured attributes of an event as name and text, an amount together with its currency."""
    shown = []
    for name, value in event.attributes.items():
        if not name.endswith(".currency"):
            currency = event.attributes.get(f"{name}.currency")
            shown.append((name, _text(value) + (f" {currency}" if currency is not None else "")))
    return shown


def _text(value: Value) -> str:
    if value is None:
        return "(absent)"
    if isinstance(value, Decimal):
        return _amount(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _amount(value: Decimal) -> str:
    """A decimal without the zeros that its column adds, yet with two places as amounts have them."""
    whole, point, places = f"{value:f}".partition(".")
    return f"{whole}{point}{places.rstrip('0').ljust(min(2, len(places)), '0')}" if point else whole


def _expected(workflow: Workflow, expectation: Audited, verdict: Verdict, as_of: int) -> Expected:
    messages = tuple(message(workflow, expectation, violation) for violation in verdict.violations)
    return Expected(verdict.expectation, verdict.status, reason(workflow, expectation, verdict, as_of), messages)


def _names(events: tuple[Event, ...]) -> list[str]:
    """What activations are called: an event's id, else its position, told apart by a number."""
    seen: Counter[tuple[str, int, int]] = Counter()
    called = []
    for event in events:
        name = event.id
        if name is None:
            same = (event.type, *event.position)
            seen[same] += 1
            name = f"{event.time}/{event.seq}" + (f"#{seen[same]}" if seen[same] > 1 else "")
        called.append(name)
    return called


def _involved(events: tuple[Event, ...], called: list[str], expectation: Audited, violation: Violation) -> list[int]:
    """The activation; the event that broke a ban or a bound; the first target that came too late."""
    types = _types(expectation)
    at_once = violation.kind in _AT_SINCE or (isinstance(expectation, Assert) and expectation.immediate)
    late = _target(expectation, violation) if violation.kind == "late" else None
    places, found_late = [], False
    for place, event in enumerate(events):
        activated = violation.activation == called[place] and violation.type == event.type
        broke = at_once and event.time == violation.since and (types is None or event.type in types)
        broke = broke and (violation.kind == "unexpected" or violation.type in (None, event.type))
        too_late = event.type == late and event.time > violation.since and not found_late
        found_late |= too_late
        if (
            activated
            or (broke and violation.type in (None, event.type))
            or (broke and violation.kind == "unexpected")
            or too_late
        ):
            places.append(place)
    return places


def _types(expectation: Audited) -> tuple[str, ...] | None:
    match expectation:
        case Rule():
            return None if expectation.template in ("init", "end") else expectation.events
        case Matches():
            return expectation.from_, expectation.to
        case Assert() | Implied():
            return None


def _target(expectation: Audited, violation: Violation) -> str | None:
    """The event type that an activation asks for."""
    if not isinstance(expectation, Rule):
        return None
    shape = TEMPLATES[expectation.template].shape
    if not isinstance(shape, Legs):
        return expectation.events[0] if len(expectation.events) == 1 else None
    legs = [leg for leg in shape.legs if expectation.events[leg.activation] == violation.type and leg.side != "before"]
    return expectation.events[legs[0].target] if legs and not legs[0].negated else None


def _waits_for(expectation: Audited) -> str | None:
    """The event type whose coming would settle what is pending, where one alone would."""
    match expectation:
        case Rule():
            shape = TEMPLATES[expectation.template].shape
            if isinstance(shape, Legs):
                legs = [leg for leg in shape.legs if leg.side != "before" and not leg.negated]
                return expectation.events[legs[0].target] if legs else None
            return expectation.events[0] if len(expectation.events) == 1 else None
        case Matches():
            return expectation.to
        case _:
            return None


def _missed(expectation: Audited, violation: Violation) -> str | None:
    return _target(expectation, violation) if violation.kind in ("missing", "late") else None
